/** Limits requests to a number per second on average, and to `burst` at the same time (the token bucket algorithm). */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #updatedAt = 0;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether a request at `now`, in epoch milliseconds, is allowed. */
  allows(now: number): boolean {
    const refill = Math.max(now - this.#updatedAt, 0) / 1_000 * this.#perSecond;
    this.#tokens = Math.min(this.#tokens + refill, this.#burst);
    this.#updatedAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
