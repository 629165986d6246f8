/**
 * Waits for work that other callers share, until this caller's signal aborts: the caller is rejected with the signal's
 * reason, the work continues. No listener is left behind.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    const waiters = waitersFor(signal);
    waiters.add(reject);
    work.finally(() => waiters.delete(reject)).then(resolve, reject);
  });
}

/** By signal. Made at the first use. */
let shared: WeakMap<AbortSignal, Waiters> | undefined;

function waitersFor(signal: AbortSignal): Waiters {
  shared ??= new WeakMap();
  const waiters = shared.get(signal) ?? new Waiters(signal);
  shared.set(signal, waiters);
  return waiters;
}

/** The callers that wait with one signal. They share a listener: runtimes warn of a leak from the eleventh one on. */
class Waiters {
  readonly #signal: AbortSignal;
  readonly #rejects = new Set<(reason: unknown) => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(reject: (reason: unknown) => void): void {
    this.#signal.addEventListener("abort", this.#abort, { once: true }); // has no effect where it is added already
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
