/** Limits requests to a number per second on average, and to `burst` at the same time (the token bucket algorithm). */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at = 0;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
  }

  /** Whether a request at `now`, in epoch milliseconds, is allowed. */
  allows(now: number): boolean {
    const regained = Math.max(now - this.#at, 0) / 1_000 * this.#perSecond;
    this.#left = Math.min(this.#left + regained, this.#burst);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
