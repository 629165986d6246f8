import { type Fields, parseJsonObject } from "../json_object.ts";
import type { HttpRequest, Outcome } from "../http/request.ts";
import { attemptsSuffix, HttpClient, isTransientStatus, retryAfterMs, type SendResult } from "../http/retry.ts";
import { printable } from "../printable.ts";
import type { Runtime } from "../runtime.ts";
import { VERSION } from "../version.ts";

/** Why a request failed. All strings are printable. */
export interface ServiceFailure {
  /** What happened, for a message. */
  readonly state: string;
  readonly status: number | undefined;
  /** The name of the exception, such as `UnauthorizedException`. */
  readonly code: string | undefined;
  /** The reason that the service gives under `error`, such as `invalid_grant` or `TOKEN_EXPIRED`. */
  readonly reason: string | undefined;
  /** Whether the service rejected the request, so that a retry does not help: a 4xx that is not transient. */
  readonly isRejected: boolean;
  /** A general fix; the caller replaces it if it knows a better one. */
  readonly hint: string;
  readonly cause: Error | undefined;
}

/** One exchange with a service. */
interface ServiceExchange<T> {
  /** The name of the service in errors. */
  readonly service: string;
  /** Creates the request, for each attempt. */
  readonly request: () => HttpRequest | Promise<HttpRequest>;
  /** @throws {SyntaxError} If the body is not valid; the message has the form "its accessToken is missing". */
  readonly parse: (body: string) => T;
  readonly error: (failure: ServiceFailure) => Error;
  readonly signal?: AbortSignal | undefined;
}

type ServiceResponse = Extract<Outcome, { kind: "response" }>;
type ServiceRuntime = Pick<Runtime, "fetch" | "now" | "random" | "sleep" | "timeout">;

const ATTEMPT_TIMEOUT_MS = 10_000;
const LIMITS = { timeoutMs: ATTEMPT_TIMEOUT_MS };
const BASE_DELAY_MS = 100;
const THROTTLED_BASE_DELAY_MS = 500;
const MAX_DELAY_MS = 5_000;
const THROTTLING_REGEXP = /^(Throttl|TooManyRequests|SlowDown|RequestLimitExceeded)/;
const HEADERS: Readonly<Record<string, string>> = {
  "Accept": "application/json",
  "User-Agent": `rolecreds-aws/${VERSION}`,
};

const NETWORK_HINT = "Check the network and the proxy settings of this machine.";
const BUSY_HINT = "The service is busy or has an outage: try again later.";
const NOT_AWS_HINT = "Something other than AWS may be responding, such as a proxy or the login page of a network.";

/** The fields of a failure that only some responses have. */
const NO_DETAILS = { status: undefined, code: undefined, reason: undefined, isRejected: false, cause: undefined };

/**
 * Sends requests to the JSON services of SSO and sign-in: without SigV4, with retries, and through the user's proxy if
 * there is one.
 */
export class ServiceClient {
  readonly #http: HttpClient;
  readonly #random: () => number;
  readonly #maxRetries: number;

  constructor(runtime: ServiceRuntime, maxRetries: number) {
    this.#http = new HttpClient({ ...runtime, send: runtime.fetch });
    this.#random = runtime.random;
    this.#maxRetries = maxRetries;
  }

  /** @throws What `error` creates, or the caller's abort reason. */
  async send<T>({ service, request, parse, error, signal }: ServiceExchange<T>): Promise<T> {
    const withHeaders = async (): Promise<HttpRequest> => {
      const { headers, ...rest } = await request();
      return { ...rest, headers: { ...HEADERS, ...headers }, readErrorBody: true };
    };
    const nextDelayMs = (outcome: Outcome, retries: number) => this.#nextDelayMs(outcome, retries);
    const result = await this.#http.send(withHeaders, { limits: LIMITS, nextDelayMs, signal });
    const { outcome } = result;
    if (outcome.kind !== "response" || outcome.status !== 200) throw error(failureOf(result, service));
    try {
      return parse(outcome.body);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw error(invalidResponse(service, 200, cause.message));
    }
  }

  #nextDelayMs(outcome: Outcome, retries: number): number | undefined {
    if (retries >= this.#maxRetries || !isTransient(outcome)) return undefined;
    const isClientError = outcome.kind === "response" && outcome.status < 500; // throttling, or 408
    const baseMs = isClientError ? THROTTLED_BASE_DELAY_MS : BASE_DELAY_MS;
    return this.#random() * Math.min(2 ** retries * baseMs, MAX_DELAY_MS) + retryAfterMs(retryAfterOf(outcome));
  }
}

function failureOf({ outcome, attempts }: SendResult, service: string): ServiceFailure {
  const suffix = attemptsSuffix(attempts);
  switch (outcome.kind) {
    case "response":
      return responseFailure(outcome, service, suffix);
    case "invalidBody":
      return invalidResponse(service, outcome.status, outcome.state);
    case "notSent":
      return { ...NO_DETAILS, state: outcome.error.message, hint: outcome.error.hint };
    case "timeout":
    case "unreachable": {
      const state = outcome.kind === "timeout"
        ? `no complete response of ${service} within ${ATTEMPT_TIMEOUT_MS} ms`
        : `the connection to ${service} failed`;
      return { ...NO_DETAILS, state: `${state}${suffix}`, hint: NETWORK_HINT, cause: outcome.cause };
    }
  }
}

function invalidResponse(service: string, status: number, state: string): ServiceFailure {
  return { ...NO_DETAILS, state: `the response of ${service} is not valid (${state})`, status, hint: NOT_AWS_HINT };
}

/** The failure of a response other than 200. */
function responseFailure(response: ServiceResponse, service: string, suffix: string): ServiceFailure {
  const { status, body } = response;
  const fields = parseJsonObject(body) ?? {};
  const [code, reason] = [exceptionName(response), printableField(fields, "error")];
  const message = printableField(fields, "message") ?? printableField(fields, "Message") ??
    printableField(fields, "error_description");
  const details = [code, reason, message].filter((text) => text !== undefined);
  const isRejected = status >= 400 && status < 500 && !isTransient(response);
  return {
    state: `${[`${service} returned ${status}`, ...details].join(", ")}${suffix}`,
    status,
    code,
    reason,
    isRejected,
    hint: isTransient(response) ? BUSY_HINT : NOT_AWS_HINT,
    cause: undefined,
  };
}

/** Whether the same request may succeed later: no complete response, a transient status, or throttling. */
function isTransient(outcome: Outcome): boolean {
  if (outcome.kind === "timeout" || outcome.kind === "unreachable") return true;
  if (outcome.kind !== "response" || outcome.status < 400) return false;
  return isTransientStatus(outcome.status) || THROTTLING_REGEXP.test(exceptionName(outcome) ?? "");
}

/** The name of the exception, from a header or the body, where it may have the form `namespace#Name:url`. */
function exceptionName({ headers, body }: ServiceResponse): string | undefined {
  const fields = parseJsonObject(body) ?? {};
  const name = headers.get("x-amzn-errortype") ?? printableField(fields, "__type") ?? printableField(fields, "code") ??
    "";
  return printable(name.split(":")[0]?.split("#").at(-1) ?? "") || undefined;
}

/** A `Retry-After` header in seconds; made from `x-amz-retry-after`, in milliseconds, if the response has that. */
function retryAfterOf(outcome: Outcome): string | null {
  if (outcome.kind !== "response") return null;
  const ms = outcome.headers.get("x-amz-retry-after");
  return /^\d+$/.test(ms ?? "") ? `${Math.ceil(Number(ms) / 1_000)}` : outcome.headers.get("retry-after");
}

function printableField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? printable(value) || undefined : undefined;
}
