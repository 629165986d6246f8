import { endpointSettings, type EndpointSources, stsRegion } from "../config/endpoint_settings.ts";
import type { Credentials } from "../credentials.ts";
import { type Endpoint, resolveEndpoint } from "../endpoint.ts";
import type { HttpRequest, Outcome } from "../http/request.ts";
import { HttpClient } from "../http/retry.ts";
import { encodeForm } from "../percent_encoding.ts";
import type { Runtime } from "../runtime.ts";
import { signatureHeaders, type SigningCredentials } from "../sigv4.ts";
import { integer, MILLISECONDS, type Rules, STRING, timeLimitMs } from "../validate.ts";
import { mayBeClockSkew, stsDelayMs, stsError } from "./errors.ts";
import { parseStsCredentials, parseStsFailure, type StsAction } from "./response.ts";

/** How to call STS. */
export interface StsOptions {
  /**
   * The region to call STS in. Defaults to `AWS_REGION`, `AWS_DEFAULT_REGION`, the `region` of the profile, and last
   * the default region of the role's partition.
   */
  readonly region?: string | undefined;
  /**
   * The URL of STS. Also `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL`, and `endpoint_url` of the profile or its services
   * section. Defaults to the one for the region.
   */
  readonly endpoint?: string | undefined;
  /** Milliseconds for one attempt, from connecting to the last byte; > 0. @default {10000} */
  readonly timeout?: number | undefined;
  /** Retries after a failure that may be temporary; an integer >= 0. @default {2} */
  readonly maxRetries?: number | undefined;
}

/** How {@linkcode StsOptions} are checked, except the region. */
export const STS_RULES: Rules = {
  endpoint: STRING,
  timeout: MILLISECONDS,
  maxRetries: integer(0),
};

/** One call. */
interface StsCall<Action> {
  readonly action: Action;
  /** In the order in which they are sent. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly endpoint: Endpoint;
  /** The keys that sign the request; without them it is sent unsigned. */
  readonly credentials?: SigningCredentials;
  readonly signal?: AbortSignal | undefined;
}

const VERSION = "2011-06-15";
/** A larger clock difference is corrected. AWS accepts a signature for 5 minutes; 1 minute is a reserve. */
const MAX_SKEW_MS = 240_000;

/** Where STS is called for a role: options, then environment, then profile. */
export function stsEndpoint(options: StsOptions, sources: EndpointSources, roleArn: string): Endpoint {
  const region = stsRegion(sources, options.region, roleArn);
  return resolveEndpoint("sts", { ...endpointSettings("sts", sources, options.endpoint), region });
}

/**
 * Calls STS over the runtime's own `fetch`: the proxy settings of the user apply.
 *
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html}
 */
export class StsClient {
  readonly #runtime: Runtime;
  readonly #http: HttpClient;
  readonly #maxRetries: number;
  readonly #timeoutMs: number;
  /**
   * How far the clock of STS is ahead of the clock of this machine. It is set after STS rejected the time of a
   * signature.
   */
  #skewMs = 0;

  constructor({ timeout = 10_000, maxRetries = 2 }: StsOptions, runtime: Runtime) {
    this.#runtime = runtime;
    this.#http = new HttpClient({ ...runtime, send: runtime.fetch });
    this.#maxRetries = maxRetries;
    this.#timeoutMs = timeLimitMs(timeout);
  }

  /**
   * Calls an operation that returns credentials.
   *
   * @throws {CredentialsProviderError} As {@linkcode StsClient.send}.
   */
  async retrieveCredentials(call: StsCall<StsAction>): Promise<Credentials> {
    return parseStsCredentials(await this.send(call), call.action, roleArnOf(call));
  }

  /**
   * Calls an operation, and returns the response. Each attempt is signed anew; if STS rejects the time of a signature,
   * the request is sent once more, signed with the time of STS.
   *
   * @throws {CredentialsProviderError} `StsError`, `StsInvalidResponse`, `StsUnreachable`.
   */
  async send(call: StsCall<StsAction | "GetCallerIdentity">): Promise<string> {
    let mayCorrectClock = call.credentials !== undefined;
    const sent = await this.#http.send(() => this.#request(call), {
      limits: { timeoutMs: this.#timeoutMs },
      signal: call.signal,
      nextDelayMs: (outcome, retries) => {
        if (mayCorrectClock && this.#correctClock(outcome)) {
          mayCorrectClock = false;
          return 0;
        }
        return stsDelayMs(outcome, retries, this.#maxRetries, this.#runtime.random());
      },
    });
    const { outcome } = sent;
    const isSuccess = outcome.kind === "response" && outcome.status >= 200 && outcome.status <= 299;
    if (isSuccess) return outcome.body;
    throw stsError(call.action, sent, call.endpoint.url);
  }

  async #request({ action, parameters, endpoint, credentials }: StsCall<string>): Promise<HttpRequest> {
    const url = `${endpoint.url}/`;
    const body = encodeForm([["Action", action], ["Version", VERSION], ...parameters]);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const request = { method: "POST", url, body, readErrorBody: true } as const;
    if (credentials === undefined) return { ...request, headers };
    const plain = { method: "POST", url: new URL(url), headers: Object.entries(headers), body };
    const date = new Date(this.#runtime.now() + this.#skewMs);
    const scope = { region: endpoint.signingRegion, service: "sts", date };
    return { ...request, headers: { ...headers, ...await signatureHeaders(plain, credentials, scope) } };
  }

  /**
   * Sets the clock difference from the response, if STS rejected the time of a signature. Returns whether it changed.
   */
  #correctClock(outcome: Outcome): boolean {
    if (outcome.kind !== "response" || outcome.status < 400) return false;
    if (!mayBeClockSkew(parseStsFailure(outcome.body))) return false;
    const serverTime = Date.parse(outcome.headers.get("date") ?? "");
    const skewMs = serverTime - this.#runtime.now();
    // negated, because skewMs is NaN without a Date header
    if (!(Math.abs(skewMs - this.#skewMs) > MAX_SKEW_MS)) return false;
    this.#skewMs = skewMs;
    return true;
  }
}

function roleArnOf({ parameters }: StsCall<string>): string {
  return parameters.find(([name]) => name === "RoleArn")?.[1] ?? "";
}
