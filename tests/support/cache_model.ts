/** One set of credentials, times in seconds. */
interface ModelSet {
  readonly id: string;
  readonly expiresAt: number;
  readonly advisory: number;
}

/** What a cache knows between two `clear()`s. */
interface Line {
  set?: ModelSet;
  rejected: boolean;
  notBefore: number;
  errorUntil: number;
  refresh: Refresh | undefined;
}

interface Refresh {
  readonly line: Line;
  readonly waiters: Waiter[];
  /** The refresh to wait for, and until when. */
  previous: Refresh | undefined;
  readonly waitsUntil: number;
}

interface Waiter {
  readonly call: number;
  /** What it gets if it gives up: the set that was cached when it refreshed ahead of time. */
  readonly fallback: string | undefined;
}

export type ModelResponse =
  | { readonly set: string; readonly lasts: number }
  | { readonly fail: "recoverable" | "final" };

const BACKOFF = 450;
const ERROR_CACHE = 3;
const PREVIOUS_REFRESH_LIMIT = 60;

/**
 * Section 4 of the specification in the plainest form, for random 0.5: what each call gets, and when the source is
 * contacted. A result is an access key id, "recoverable", "final" or "aborted"; a call that waits has none.
 */
export class CacheModel {
  now = 0;
  contacts = 0;
  readonly results = new Map<number, string>();
  readonly #stable: boolean;
  /** Refreshes that wait for the one before them. */
  readonly #queue: Refresh[] = [];
  /** Refreshes in contact with the source, in the order in which the contacts began. */
  readonly #contacting: Refresh[] = [];
  #line = newLine();
  #previous: Refresh | undefined;

  constructor(stable: boolean) {
    this.#stable = stable;
  }

  get cachedId(): string | undefined {
    return this.#line.set?.id;
  }

  get isBackingOff(): boolean {
    return this.now < this.#line.notBefore;
  }

  /** How many contacts are open. */
  get contacting(): number {
    return this.#contacting.length;
  }

  call(call: number, forced: boolean): void {
    const line = this.#line;
    const base = this.#base(line);
    const failed = this.now < line.errorUntil;
    if (base === "NONE") return failed ? this.#settle(call, "final") : this.#wait(call, undefined);
    const id = line.set?.id ?? "";
    if (base === "FRESH" && !forced) return this.#settle(call, id);
    if (this.isBackingOff) return this.#settle(call, id);
    if (failed) return this.#settle(call, "final");
    if (base === "ADVISORY" && line.refresh !== undefined && !forced) return this.#settle(call, id);
    this.#wait(call, base === "ADVISORY" ? id : undefined);
  }

  abort(call: number): void {
    for (const { waiters } of [...this.#contacting, ...this.#queue]) {
      const waiter = waiters.find((waiter) => waiter.call === call);
      if (waiter !== undefined) this.#settle(call, waiter.fallback ?? "aborted");
    }
  }

  advance(seconds: number): void {
    this.now += seconds;
    this.#contact(({ waitsUntil }) => this.now >= waitsUntil);
  }

  invalidate(id: string | undefined): void {
    if (this.#line.set !== undefined && (id === undefined || this.#line.set.id === id)) this.#line.rejected = true;
  }

  clear(): void {
    this.#previous = this.#line.refresh ?? this.#previous;
    this.#line = newLine();
  }

  land(response: ModelResponse): void {
    const landed = this.#contacting.shift();
    if (landed === undefined) return;
    const { line, waiters } = landed;
    const result = this.#outcome(line, response);
    for (const { call } of waiters) this.#settle(call, result);
    line.refresh = undefined;
    if (this.#previous === landed) this.#previous = undefined;
    this.#contact(({ previous }) => previous === landed);
  }

  #contact(isReady: (refresh: Refresh) => boolean): void {
    for (const refresh of this.#queue.filter(isReady)) {
      this.#queue.splice(this.#queue.indexOf(refresh), 1);
      this.#contacting.push(refresh);
      this.contacts++;
    }
  }

  #base({ set, rejected }: Line): "NONE" | "FRESH" | "ADVISORY" | "MANDATORY" | "EXPIRED" {
    if (set === undefined) return "NONE";
    if (this.now >= set.expiresAt) return "EXPIRED";
    if (rejected) return "MANDATORY";
    if (this.now < set.expiresAt - set.advisory) return "FRESH";
    return this.now < set.expiresAt - Math.min(60, set.advisory) ? "ADVISORY" : "MANDATORY";
  }

  #outcome(line: Line, response: ModelResponse): string {
    if ("fail" in response) return this.#failed(line, response.fail);
    const old = line.set;
    const base = this.#base(line);
    const expiresAt = this.now + response.lasts;
    const isExpired = response.lasts <= 0;
    if (isExpired) {
      const isDue = base === "NONE" || base === "EXPIRED" || line.rejected;
      const isBetter = old === undefined || old.id !== response.set || expiresAt > old.expiresAt;
      if (!this.#stable || !isDue || !isBetter) return this.#failed(line, "recoverable");
    }
    line.set = { id: response.set, expiresAt, advisory: this.#stable ? advisoryWindow(response.lasts) : 0 };
    line.notBefore = isExpired ? this.now + BACKOFF : 0;
    line.errorUntil = 0;
    const isSame = old?.id === response.set && old.expiresAt === expiresAt;
    const isUrgent = line.rejected || base === "MANDATORY";
    if (this.#stable && isSame && base !== "FRESH") line.notBefore = this.now + (isUrgent ? 5 : 30);
    line.rejected &&= this.#stable && isSame;
    return response.set;
  }

  #failed(line: Line, kind: "recoverable" | "final"): string {
    if (!this.#stable) return kind;
    if (kind === "final") line.errorUntil = this.now + ERROR_CACHE;
    if (kind === "final" || line.set === undefined) return kind;
    line.notBefore = this.now + BACKOFF;
    return line.set.id;
  }

  #wait(call: number, fallback: string | undefined): void {
    this.#line.refresh ??= this.#start();
    this.#line.refresh.waiters.push({ call, fallback });
  }

  #start(): Refresh {
    const previous = this.#previous;
    const waitsUntil = previous === undefined ? this.now : this.now + PREVIOUS_REFRESH_LIMIT;
    const refresh = { line: this.#line, waiters: [], previous, waitsUntil };
    this.#previous = undefined;
    this.#queue.push(refresh);
    this.#contact(({ waitsUntil }) => this.now >= waitsUntil);
    return refresh;
  }

  #settle(call: number, result: string): void {
    if (!this.results.has(call)) this.results.set(call, result);
  }
}

function newLine(): Line {
  return { rejected: false, notBefore: 0, errorUntil: 0, refresh: undefined };
}

function advisoryWindow(lasts: number): number {
  return lasts <= 1_200 ? 300 : lasts < 5_400 ? 900 : 3_600;
}
