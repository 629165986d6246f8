import type { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { type HttpRequest, type Outcome, type RequestRuntime, sendOnce, type TimeLimits } from "./request.ts";

/** The last outcome of a request, and the number of attempts. */
export interface SendResult {
  readonly outcome: Outcome;
  readonly attempts: number;
}

/** The end of a message about a request that was sent several times; empty after a single attempt. */
export function attemptsSuffix(attempts: number): string {
  return attempts === 1 ? "" : ` (${attempts} attempts)`;
}

/** How {@linkcode HttpClient.send} sends a request. */
interface SendOptions {
  readonly limits: TimeLimits;
  /**
   * Called after each attempt: returns the delay before the next one in milliseconds, or `undefined` to stop.
   *
   * @param retries The number of retries so far: 0 after the first attempt.
   */
  readonly nextDelayMs: (outcome: Outcome, retries: number) => number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends requests, with retries.
 *
 * A server may close a keep-alive connection while a request is sent. The request is then sent again without delay,
 * once, and both together count as one attempt.
 */
export class HttpClient {
  readonly #runtime: RequestRuntime & Pick<Runtime, "sleep">;
  #mayReuseConnection = false;

  constructor(runtime: RequestRuntime & Pick<Runtime, "sleep">) {
    this.#runtime = runtime;
  }

  /**
   * @param request The request, or a function that creates it for each attempt.
   * @throws The caller's abort reason.
   */
  async send(
    request: HttpRequest | (() => Promise<HttpRequest>),
    { limits, nextDelayMs, signal }: SendOptions,
  ): Promise<SendResult> {
    const newRequest = typeof request === "function" ? request : () => request;
    for (let retries = 0;; retries++) {
      const outcome = await this.#attempt(await newRequest(), limits, signal);
      const delayMs = nextDelayMs(outcome, retries);
      if (delayMs === undefined) return { outcome, attempts: retries + 1 };
      await this.#runtime.sleep(delayMs, signal);
    }
  }

  async #attempt(request: HttpRequest, limits: TimeLimits, signal: AbortSignal | undefined): Promise<Outcome> {
    let outcome = await sendOnce(request, limits, this.#runtime, signal);
    if (this.#mayReuseConnection && outcome.kind === "unreachable" && outcome.wasReset) {
      outcome = await sendOnce(request, limits, this.#runtime, signal);
    }
    this.#mayReuseConnection = outcome.kind === "response";
    return outcome;
  }
}

/** Whether the same request may succeed later, by its status: request timeout, throttling, server error. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status <= 599);
}

/** How many times a request is sent again, and the delays before that. */
export interface RetryPolicy {
  /** Requests after the first. */
  readonly maxRetries: number;
  /**
   * The upper limit of the first delay in milliseconds. It doubles with each retry, up to 1000. `Retry-After` is added
   * to the delay.
   */
  readonly baseMs: number;
  /** Replaces the delays; a negative or non-finite result stops. */
  readonly customBackoff?: ((retryCount: number, error: CredentialsProviderError) => number) | undefined;
}

const MAX_DELAY_MS = 1_000;
const MAX_RETRY_AFTER_SECONDS = 5;

/**
 * The delay before the next retry: random, or from `customBackoff`, plus the time of the `Retry-After` header.
 *
 * @param retries The number of retries so far.
 * @param makeError Creates the error for `customBackoff`.
 * @returns Milliseconds, or `undefined` to stop.
 */
export function retryDelayMs(
  retries: number,
  retryAfter: string | null,
  random: number,
  { maxRetries, baseMs, customBackoff }: RetryPolicy,
  makeError: () => CredentialsProviderError,
): number | undefined {
  if (retries >= maxRetries) return undefined;
  const backoffMs = customBackoff?.(retries, makeError()) ?? Math.min(random * 2 ** retries * baseMs, MAX_DELAY_MS);
  return Number.isFinite(backoffMs) && backoffMs >= 0 ? backoffMs + retryAfterMs(retryAfter) : undefined;
}

/**
 * The time that a `Retry-After` header in whole seconds demands, in milliseconds: at most 5000; 0 for any other form.
 */
export function retryAfterMs(header: string | null): number {
  return /^\d+$/.test(header ?? "") ? Math.min(Number(header), MAX_RETRY_AFTER_SECONDS) * 1_000 : 0;
}
