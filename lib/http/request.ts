import { untilAborted } from "../until_aborted.ts";
import { RequestNotSentError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** One request. */
export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether to read the body of a response that is not 2xx; by default it is discarded. */
  readonly readErrorBody?: boolean;
}

/** How long one attempt may take. */
export interface TimeLimits {
  /** From the start of the attempt to the last byte of the response. */
  readonly timeoutMs: number;
  /**
   * From the start of the attempt to the response headers, because `fetch` does not report when it has connected.
   * Defaults to `timeoutMs`.
   */
  readonly connectTimeoutMs?: number | undefined;
}

/** A response; `sentAt` is when its request was sent. */
interface HttpResponse {
  readonly kind: "response";
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly sentAt: number;
}

/** The result of one attempt. */
export type Outcome =
  | HttpResponse
  /** No complete response. `wasReset`: the connection was closed before the response headers, see `RESET_CODES`. */
  | { readonly kind: "timeout" | "unreachable"; readonly cause: Error; readonly wasReset: boolean }
  /** A 2xx response whose body is too long or not UTF-8. */
  | { readonly kind: "invalidBody"; readonly status: number; readonly state: string }
  /** The runtime did not send the request; the error has the reason. */
  | { readonly kind: "notSent"; readonly error: RequestNotSentError };

/** The parts of the runtime that an attempt uses. `send` is `fetch` or `fetchDirect` of the runtime. */
export interface RequestRuntime extends Pick<Runtime, "now" | "timeout"> {
  readonly send: Runtime["fetch"];
}

const MAX_BODY_BYTES = 65_536;
/** The error codes of a closed connection on Node, Deno and Bun. */
const RESET_CODES: readonly unknown[] = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "ConnectionClosed"];

/**
 * No cache may store a response. Next.js caches `fetch` on disk; in a route with `fetchCache` it does so in spite of
 * `no-store`. `internal` marks a request of Next.js itself, which it never caches.
 */
const NO_STORE = { cache: "no-store", next: { internal: true } } as const;

/**
 * Sends a request once. It does not use an HTTP cache or follow redirects, and reads at most 64 KiB of the body. One
 * signal limits the attempt from its start to the last byte.
 *
 * @throws The caller's abort reason.
 */
export async function sendOnce(
  { method, url, headers, body, readErrorBody = false }: HttpRequest,
  limits: TimeLimits,
  { send, now, timeout }: RequestRuntime,
  callerSignal: AbortSignal | undefined,
): Promise<Outcome> {
  callerSignal?.throwIfAborted();
  const sentAt = now();
  const { timeoutMs, connectTimeoutMs = timeoutMs } = limits;
  const totalLimit = timeout(timeoutMs);
  const connectLimit = connectTimeoutMs < timeoutMs ? new ConnectLimit(timeout(connectTimeoutMs)) : undefined;
  const timeLimit = connectLimit === undefined ? totalLimit : AbortSignal.any([totalLimit, connectLimit.signal]);
  const signal = callerSignal === undefined ? timeLimit : AbortSignal.any([timeLimit, callerSignal]);
  const content = body === undefined ? {} : { body };
  let hasResponse = false;
  const exchange = async (): Promise<Outcome> => {
    const response = await send(url, { method, headers, ...NO_STORE, redirect: "manual", signal, ...content });
    hasResponse = true;
    connectLimit?.release();
    const text = response.ok || readErrorBody ? await readBody(response) : await discard(response);
    return { kind: "response", status: response.status, headers: response.headers, body: text, sentAt };
  };
  try {
    return await untilAborted(exchange(), signal);
  } catch (error) {
    callerSignal?.throwIfAborted();
    if (error instanceof RequestNotSentError) return { kind: "notSent", error };
    if (error instanceof InvalidBody) return { kind: "invalidBody", status: error.status, state: error.message };
    return timeLimit.aborted ? timedOut() : failedConnection(error, hasResponse);
  } finally {
    connectLimit?.release();
  }
}

/**
 * A signal that aborts after the connect timeout, unless `release()` was called first. It is called when the headers
 * arrive.
 */
class ConnectLimit {
  readonly #controller = new AbortController();
  readonly #timeout: AbortSignal;

  constructor(timeout: AbortSignal) {
    this.#timeout = timeout;
    timeout.addEventListener("abort", this.#expire);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    this.#timeout.removeEventListener("abort", this.#expire);
  }

  readonly #expire = () => this.#controller.abort(this.#timeout.reason);
}

class InvalidBody extends Error {
  readonly status: number;

  constructor(status: number, state: string) {
    super(state);
    this.status = status;
  }
}

function timedOut(): Outcome {
  return { kind: "timeout", cause: new Error("the time limit of the request passed"), wasReset: false };
}

/** The error of a runtime may quote the response, which holds tokens and keys: only the code of the error is kept. */
function failedConnection(error: unknown, hasResponse: boolean): Outcome {
  const code = systemCodeOf(error);
  const cause = new Error(code === undefined ? "the connection failed" : `the connection failed (${code})`);
  return { kind: "unreachable", cause, wasReset: !hasResponse && RESET_CODES.includes(code) };
}

/** The first code in an error and its causes, such as `ECONNRESET`. */
function systemCodeOf(error: unknown): string | undefined {
  for (let current = error, depth = 0; typeof current === "object" && current !== null && depth < 4; depth++) {
    const { code, cause } = current as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === "string" && /^\w{1,40}$/.test(code)) return code;
    current = cause;
  }
  return undefined;
}

async function readBody(response: Response): Promise<string> {
  const bytes = hasShortLength(response) ? new Uint8Array(await response.arrayBuffer()) : await readStream(response);
  try {
    // the body of an error response is only shown: bytes that are not UTF-8 are replaced
    return new TextDecoder("utf-8", { fatal: response.ok }).decode(bytes);
  } catch {
    throw new InvalidBody(response.status, "it is not UTF-8");
  }
}

/**
 * Whether the body is known to be at most 64 KiB: the runtime reads no more than `content-length`. This is not known of
 * a compressed body, which is longer when it is decompressed.
 */
function hasShortLength({ headers }: Response): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= MAX_BODY_BYTES && !headers.has("content-encoding");
}

async function readStream({ ok, status, body }: Response): Promise<Uint8Array> {
  const bytes = new Uint8Array(MAX_BODY_BYTES);
  let size = 0;
  const reader = body?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    const chunk = next.value.subarray(0, MAX_BODY_BYTES - size);
    bytes.set(chunk, size);
    size += chunk.length;
    if (chunk.length === next.value.length) continue;
    await reader?.cancel().catch(() => {/* the rest of the body is not needed */});
    if (ok) throw new InvalidBody(status, `it is longer than ${MAX_BODY_BYTES / 1024} KiB`);
    break;
  }
  return bytes.subarray(0, size);
}

/** A body that is not read keeps its connection open, and on Node the process running. */
async function discard(response: Response): Promise<string> {
  await response.body?.cancel().catch(() => {/* the body is not needed */});
  return "";
}
