/**
 * Everything the library may do to the world. An adapter implements it for each runtime; hand in pieces of it to test,
 * or to run where no adapter fits.
 */
export interface Runtime {
  /** Sends one request directly, through no proxy. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The wall clock, in epoch milliseconds. */
  readonly now: () => number;
  /** A random number in [0, 1). */
  readonly random: () => number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A signal that aborts after `ms` milliseconds with a `TimeoutError`, without keeping the process alive. */
  readonly timeout: (ms: number) => AbortSignal;
  /** An environment variable; `undefined` also when it may not be read. */
  readonly env: (name: string) => string | undefined;
  /** A UTF-8 file's text; `undefined` when there is no such file or it may not be read; rejects on anything else. */
  readonly readTextFile: (path: string) => Promise<string | undefined>;
  /** Where warnings go that must be seen without a logger. */
  readonly warn: (message: string) => void;
}
