import type { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { attempt, type HttpRequest, type Outcome, type RequestRuntime, type TimeLimits } from "./request.ts";

/** The last outcome of a request, and how often it was sent. */
export interface Sent {
  readonly outcome: Outcome;
  readonly attempts: number;
}

/** How {@linkcode HttpClient.send} sends a request. */
interface SendOptions {
  readonly limits: TimeLimits;
  /**
   * Decides after each attempt: the milliseconds until the next one, or `undefined` if this outcome is the result.
   *
   * @param retries How many retries there were.
   */
  readonly nextDelayMs: (outcome: Outcome, retries: number) => number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends the requests of one client, with retries.
 *
 * A server may close a kept connection while a request is on its way. Such a request is sent once more at once, and
 * does not count as an attempt.
 */
export class HttpClient {
  readonly #runtime: RequestRuntime & Pick<Runtime, "sleep">;
  #mayReuse = false;

  constructor(runtime: RequestRuntime & Pick<Runtime, "sleep">) {
    this.#runtime = runtime;
  }

  /**
   * @param request The request, or a function that makes it anew for each attempt.
   * @throws The caller's abort reason.
   */
  async send(
    request: HttpRequest | (() => Promise<HttpRequest>),
    { limits, nextDelayMs, signal }: SendOptions,
  ): Promise<Sent> {
    const make = typeof request === "function" ? request : () => request;
    for (let retries = 0;; retries++) {
      const outcome = await this.#attempt(await make(), limits, signal);
      const delayMs = nextDelayMs(outcome, retries);
      if (delayMs === undefined) return { outcome, attempts: retries + 1 };
      await this.#runtime.sleep(delayMs, signal);
    }
  }

  async #attempt(request: HttpRequest, limits: TimeLimits, signal: AbortSignal | undefined): Promise<Outcome> {
    let outcome = await attempt(request, limits, this.#runtime, signal);
    if (this.#mayReuse && outcome.kind === "unreachable" && outcome.wasReset) {
      outcome = await attempt(request, limits, this.#runtime, signal);
    }
    this.#mayReuse = outcome.kind === "response";
    return outcome;
  }
}

/** Whether a status says that the server is busy: request timeout, throttling, server error. */
export function isBusy(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status <= 599);
}

/** How often a request is repeated, and how long it waits before that. */
export interface RetryPolicy {
  /** Requests after the first. */
  readonly maxRetries: number;
  /** The longest first delay in milliseconds; it doubles with each retry. */
  readonly baseMs: number;
  /** Replaces the delays; a negative or non-finite result stops. */
  readonly customBackoff?: ((retryCount: number, error: CredentialsProviderError) => number) | undefined;
}

const MAX_DELAY_MS = 1_000;
const MAX_RETRY_AFTER_SECONDS = 5;

/**
 * How long to wait before retry number `retries` (from 0).
 *
 * @param retryAfter The `Retry-After` header, which is added.
 * @param error Makes the error for `customBackoff`.
 * @returns Milliseconds, or `undefined` to stop.
 */
export function retryDelayMs(
  retries: number,
  retryAfter: string | null,
  random: number,
  { maxRetries, baseMs, customBackoff }: RetryPolicy,
  error: () => CredentialsProviderError,
): number | undefined {
  if (retries >= maxRetries) return undefined;
  const backoffMs = customBackoff?.(retries, error()) ?? Math.min(random * 2 ** retries * baseMs, MAX_DELAY_MS);
  return Number.isFinite(backoffMs) && backoffMs >= 0 ? backoffMs + retryAfterMs(retryAfter) : undefined;
}

/** The milliseconds that a `Retry-After` header demands: whole seconds, at most 5; 0 for any other form. */
export function retryAfterMs(header: string | null): number {
  return /^\d+$/.test(header ?? "") ? Math.min(Number(header), MAX_RETRY_AFTER_SECONDS) * 1_000 : 0;
}
