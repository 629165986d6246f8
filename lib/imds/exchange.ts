import { abortable } from "../abortable.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** What came of one attempt: an HTTP answer, or none. */
export type Outcome =
  | Answer
  | { readonly kind: "timeout" | "unreachable"; readonly cause: unknown };

/** An answer, its body read only with status 200; `sentAt` is when the request was sent. */
export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly sentAt: number;
}

/** One request, as it goes on the wire. */
export interface WireRequest {
  readonly method: "GET" | "PUT";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How long one attempt may take. */
export interface AttemptLimits {
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
}

const MAX_BODY_BYTES = 65_536;

/**
 * Sends one request: directly, following no redirect, reading at most 64 KiB. One signal bounds the attempt from
 * connecting to the last byte.
 *
 * @throws The caller's abort reason, or the refusal of a runtime that cannot send the request safely.
 */
export async function exchange(
  { method, url, headers }: WireRequest,
  { timeoutMs, connectTimeoutMs }: AttemptLimits,
  runtime: Pick<Runtime, "fetch" | "now" | "timeout">,
  caller: AbortSignal | undefined,
): Promise<Outcome> {
  caller?.throwIfAborted();
  const sentAt = runtime.now();
  const deadline = new Deadline(runtime, timeoutMs, connectTimeoutMs);
  const signal = caller === undefined ? deadline.signal : AbortSignal.any([deadline.signal, caller]);
  try {
    const init = { method, headers, redirect: "manual", signal } as const;
    const response = await abortable(runtime.fetch(url, init), signal);
    deadline.headersArrived();
    const body = response.status === 200 ? await abortable(readText(response), signal) : await discard(response);
    return { kind: "answer", status: response.status, headers: response.headers, body, sentAt };
  } catch (cause) {
    caller?.throwIfAborted();
    if (cause instanceof CredentialsProviderError) throw cause;
    return { kind: deadline.signal.aborted ? "timeout" : "unreachable", cause };
  } finally {
    deadline.headersArrived();
  }
}

/** Ends with the attempt's timeout, or earlier while no headers have arrived. */
class Deadline {
  readonly signal: AbortSignal;
  readonly #headers: AbortSignal | undefined;
  readonly #connect = new AbortController();

  constructor({ timeout }: Pick<Runtime, "timeout">, timeoutMs: number, connectTimeoutMs: number) {
    const whole = timeout(timeoutMs);
    this.#headers = connectTimeoutMs < timeoutMs ? timeout(connectTimeoutMs) : undefined;
    this.#headers?.addEventListener("abort", this.#expire);
    this.signal = this.#headers === undefined ? whole : AbortSignal.any([whole, this.#connect.signal]);
  }

  headersArrived(): void {
    this.#headers?.removeEventListener("abort", this.#expire);
  }

  readonly #expire = () => this.#connect.abort(this.#headers?.reason);
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw unusable(`it is longer than ${MAX_BODY_BYTES / 1024} KiB`);
    text += decode(() => decoder.decode(chunk, { stream: true }));
  }
  return text + decode(() => decoder.decode());
}

function decode(step: () => string): string {
  try {
    return step();
  } catch {
    throw unusable("it is not UTF-8 text");
  }
}

function unusable(state: string): CredentialsProviderError {
  return new CredentialsProviderError("ImdsInvalidResponse", `Cannot use the answer of IMDS: ${state}`, {
    statusCode: 200,
    hint: "Something other than EC2's metadata service may be answering at this address.",
  });
}

/** An unread body would keep its connection, and on Node the process. */
async function discard(response: Response): Promise<string> {
  await response.body?.cancel().catch(() => {/* the connection is gone: nothing left to release */});
  return "";
}
