/** One set of credentials, times in seconds. */
interface ModelSet {
  readonly id: string;
  readonly endsAt: number;
  readonly advisory: number;
}

/** What a cache knows between two `clear()`s. */
interface Line {
  set?: ModelSet;
  rejected: boolean;
  notBefore: number;
  errorUntil: number;
  waiting: Waiter[] | undefined;
}

interface Waiter {
  readonly call: number;
  /** What it gets if it gives up: the set that was held when it asked ahead of time. */
  readonly consolation: string | undefined;
}

export type ModelAnswer = { readonly set: string; readonly lasts: number } | { readonly fail: "recoverable" | "final" };

const BACKOFF = 450;
const ERROR_CACHE = 3;

/**
 * Section 4 of the specification in the plainest form, for random 0.5: what each call gets, and when the source is
 * asked. A result is an access key id, "recoverable", "final" or "aborted"; a call that waits has none.
 */
export class CacheModel {
  now = 0;
  contacts = 0;
  readonly results = new Map<number, string>();
  readonly #stable: boolean;
  /** Flights in the order of their start; only the first one is in contact with the source. */
  readonly #flights: Line[] = [];
  #line = newLine();

  constructor(stable: boolean) {
    this.#stable = stable;
  }

  get heldId(): string | undefined {
    return this.#line.set?.id;
  }

  get pausing(): boolean {
    return this.now < this.#line.notBefore;
  }

  get asking(): boolean {
    return this.#flights.length > 0;
  }

  call(call: number, forced: boolean): void {
    const line = this.#line;
    const base = this.#base(line);
    const failed = this.now < line.errorUntil;
    if (base === "NONE") return failed ? this.#settle(call, "final") : this.#wait(line, call, undefined);
    const id = line.set?.id ?? "";
    if (base === "FRESH" && !forced) return this.#settle(call, id);
    if (this.pausing) return this.#settle(call, id);
    if (failed) return this.#settle(call, "final");
    if (base === "ADVISORY" && line.waiting !== undefined && !forced) return this.#settle(call, id);
    this.#wait(line, call, base === "ADVISORY" ? id : undefined);
  }

  abort(call: number): void {
    for (const line of this.#flights) {
      const waiter = line.waiting?.find((waiter) => waiter.call === call);
      if (waiter !== undefined) this.#settle(call, waiter.consolation ?? "aborted");
    }
  }

  invalidate(id: string): void {
    if (this.#line.set?.id === id) this.#line.rejected = true;
  }

  clear(): void {
    this.#line = newLine();
  }

  land(answer: ModelAnswer): void {
    const line = this.#flights.shift();
    if (line === undefined) return;
    if (this.#flights.length > 0) this.contacts++;
    const result = this.#outcome(line, answer);
    for (const { call } of line.waiting ?? []) this.#settle(call, result);
    line.waiting = undefined;
  }

  #base({ set, rejected }: Line): "NONE" | "FRESH" | "ADVISORY" | "MANDATORY" | "EXPIRED" {
    if (set === undefined) return "NONE";
    if (this.now >= set.endsAt) return "EXPIRED";
    if (rejected) return "MANDATORY";
    if (this.now < set.endsAt - set.advisory) return "FRESH";
    return this.now < set.endsAt - Math.min(60, set.advisory) ? "ADVISORY" : "MANDATORY";
  }

  #outcome(line: Line, answer: ModelAnswer): string {
    if ("fail" in answer) return this.#failed(line, answer.fail);
    const old = line.set;
    if (answer.lasts <= 0 && (!this.#stable || old !== undefined)) return this.#failed(line, "recoverable");
    const base = this.#base(line);
    const endsAt = this.now + answer.lasts;
    line.set = { id: answer.set, endsAt, advisory: this.#stable ? advisoryWindow(answer.lasts) : 0 };
    line.notBefore = answer.lasts <= 0 ? this.now + BACKOFF : 0;
    line.errorUntil = 0;
    const isSame = old?.id === answer.set && old.endsAt === endsAt;
    const isUrgent = line.rejected || base === "MANDATORY";
    if (this.#stable && isSame && base !== "FRESH") line.notBefore = this.now + (isUrgent ? 5 : 30);
    line.rejected &&= this.#stable && isSame;
    return answer.set;
  }

  #failed(line: Line, kind: "recoverable" | "final"): string {
    if (!this.#stable) return kind;
    if (kind === "final") line.errorUntil = this.now + ERROR_CACHE;
    if (kind === "final" || line.set === undefined) return kind;
    line.notBefore = this.now + BACKOFF;
    return line.set.id;
  }

  #wait(line: Line, call: number, consolation: string | undefined): void {
    if (line.waiting === undefined) {
      line.waiting = [];
      this.#flights.push(line);
      if (this.#flights.length === 1) this.contacts++;
    }
    line.waiting.push({ call, consolation });
  }

  #settle(call: number, result: string): void {
    if (!this.results.has(call)) this.results.set(call, result);
  }
}

function newLine(): Line {
  return { rejected: false, notBefore: 0, errorUntil: 0, waiting: undefined };
}

function advisoryWindow(lasts: number): number {
  return lasts <= 1_200 ? 300 : lasts < 5_400 ? 900 : 3_600;
}
