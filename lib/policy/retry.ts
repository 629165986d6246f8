import type { CredentialsProviderError } from "../errors.ts";

/** How often and how patiently one request is repeated. */
export interface RetryPolicy {
  /** Requests after the first. */
  readonly maxRetries: number;
  /** The first delay is up to this long; each further one up to twice the one before. */
  readonly baseMs: number;
  /** Replaces the delays; a negative or non-finite result gives up. */
  readonly customBackoff?: ((retryCount: number, error: CredentialsProviderError) => number) | undefined;
}

const MAX_DELAY_MS = 1_000;
const MAX_RETRY_AFTER_SECONDS = 5;

/** Statuses that say "busy": request timeout, throttled, server trouble. */
export function isBusy(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status <= 599);
}

/**
 * How long to wait before retry number `retries` (from 0).
 *
 * @returns Milliseconds, or `undefined` to give up.
 */
export function retryDelayMs(
  retries: number,
  error: CredentialsProviderError,
  retryAfter: string | null,
  random: number,
  { maxRetries, baseMs, customBackoff }: RetryPolicy,
): number | undefined {
  if (retries >= maxRetries) return undefined;
  const backoffMs = customBackoff?.(retries, error) ?? Math.min(random * 2 ** retries * baseMs, MAX_DELAY_MS);
  return Number.isFinite(backoffMs) && backoffMs >= 0 ? backoffMs + retryAfterMs(retryAfter) : undefined;
}

function retryAfterMs(header: string | null): number {
  return /^\d+$/.test(header ?? "") ? Math.min(Number(header), MAX_RETRY_AFTER_SECONDS) * 1_000 : 0;
}
