/**
 * The result of the work. If the signal aborts first, the promise rejects with the signal's reason; the work continues,
 * because other callers may share it. The listener is removed in both cases.
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason); // no return: a rejection of the work must still be handled
    const waiters = waitersFor(signal);
    waiters.add(reject);
    work.finally(() => waiters.delete(reject)).then(resolve, reject);
  });
}

/** The callers that wait, by signal. Created at the first use. */
let waitersBySignal: WeakMap<AbortSignal, Waiters> | undefined;

function waitersFor(signal: AbortSignal): Waiters {
  waitersBySignal ??= new WeakMap();
  const waiters = waitersBySignal.get(signal) ?? new Waiters(signal);
  waitersBySignal.set(signal, waiters);
  return waiters;
}

/** The callers that wait with one signal. They share one listener: runtimes warn of a leak above ten. */
class Waiters {
  readonly #signal: AbortSignal;
  readonly #rejects = new Set<(reason: unknown) => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(reject: (reason: unknown) => void): void {
    this.#signal.addEventListener("abort", this.#abort, { once: true }); // has no effect if it was added before
    this.#rejects.add(reject);
  }

  delete(reject: (reason: unknown) => void): void {
    this.#rejects.delete(reject);
    if (this.#rejects.size === 0) this.#signal.removeEventListener("abort", this.#abort);
  }

  readonly #abort = () => {
    for (const reject of this.#rejects) reject(this.#signal.reason);
    this.#rejects.clear();
  };
}
