import type { Credentials, CredentialsSource, ForeignProvider, Logger, RetrieveOptions } from "../credentials.ts";
import { type CacheEvent, Reporter } from "./events.ts";
import { isBackingOff, nextAttemptAt } from "./refresh.ts";
import { dateOf, Refresher } from "./refresher.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { checkOptions, FRACTION, FUNCTION, NUMBER, type Rules, SECONDS_OR_ZERO, validSource } from "../validate.ts";

/** Options of {@linkcode CredentialsCache}. */
export interface CacheOptions {
  /**
   * For sources with static stability: how long before their expiration credentials are refreshed by one caller while
   * the others are served, in milliseconds. Up to 0 stands for the default: 5 minutes for a lifetime of up to 20
   * minutes, 60 minutes for one of 90 minutes and more, else 15 minutes.
   */
  readonly advisoryWindow?: number | undefined;
  /** Starts the windows later, at random, by up to this part of their length; from 0 to 1. @default {0} */
  readonly advisoryWindowJitter?: number | undefined;
  /**
   * How long before their expiration `expired` and `needsRefresh()` count credentials as expired, in seconds. Sources
   * without static stability are retrieved from again at that time; those with it have the advisory window.
   * @default {0}, and 15 in `needsRefresh()`
   */
  readonly expiryWindowSeconds?: number | undefined;
  /** Called with everything that happens, for metrics. What it throws or rejects with is ignored. */
  readonly onEvent?: ((event: CacheEvent) => void) | undefined;
  /**
   * Where diagnostics go. Without a logger only this is printed, with `console.warn`: that credentials are served
   * although their refresh failed or they were retrieved expired. `null` turns that off, too.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime, such as the clock. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** How the options are checked, except those of every provider. */
export const CACHE_RULES: Rules = {
  advisoryWindow: NUMBER,
  advisoryWindowJitter: FRACTION,
  expiryWindowSeconds: SECONDS_OR_ZERO,
  onEvent: FUNCTION,
};

const V2_EXPIRY_WINDOW_MS = 15_000;

/**
 * Keeps one set of credentials fresh. All callers share one retrieval, and while a source is unavailable they get what
 * is cached.
 *
 * Sources with static stability (an instance role) are refreshed ahead of their expiration `E`:
 *
 * ```text
 *            success            E - A              E - M                E
 *   empty ──────────────> fresh ───────> advisory ───────> mandatory ──────> expired
 *   all wait              served         one refreshes,    all wait for      all wait for
 *                                        others served     one refresh       one refresh
 *
 *   a refresh fails:                what is cached is served, expired or not; no retrieval for 5 to 10 minutes
 *   with `recoverable: false`:      the error is thrown, unless fresh; no retrieval for 1 to 5 seconds
 *   invalidate():                   as mandatory from now on, whatever the time
 * ```
 *
 * `A` is 5 minutes for a lifetime of up to 20 minutes, 60 minutes for one of 90 minutes and more, else 15 minutes; `M`
 * is one minute. Other sources (a process, a function of yours) are retrieved from again when their credentials expire,
 * and callers get their errors. There are no timers: everything happens inside a call.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html}
 * @example Any async function can be cached
 * ```ts
 * import { CredentialsCache } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * let calls = 0;
 * const cache = new CredentialsCache(async () => {
 *   calls++;
 *   return { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" };
 * });
 * await Promise.all([cache.get(), cache.get()]);
 * await cache.get();
 * assertEquals(calls, 1);
 * assertEquals(cache.peek()?.accessKeyId, "AKIAEXAMPLE");
 * ```
 */
export class CredentialsCache {
  readonly #expiryWindowSeconds: number | undefined;
  readonly #runtime: Runtime;
  #refresher: Refresher;

  /**
   * Puts a cache in front of a provider. Nothing is retrieved yet.
   *
   * @param provider A function that returns credentials, or an object that retrieves. Of a {@linkcode CachedProvider}
   * its source is used: credentials are not cached twice.
   * @param options See {@linkcode CacheOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
   */
  constructor(provider: CredentialsSource | ForeignProvider, options: CacheOptions = {}) {
    checkOptions("credentials cache", options, CACHE_RULES);
    const { advisoryWindow, advisoryWindowJitter, expiryWindowSeconds, onEvent, logger } = options;
    this.#expiryWindowSeconds = expiryWindowSeconds;
    this.#runtime = detectRuntime(options.runtime);
    this.#refresher = new Refresher({
      source: validSource("credentials cache", provider),
      windows: {
        advisoryWindowMs: advisoryWindow,
        advisoryWindowJitter,
        expiryWindowMs: (expiryWindowSeconds ?? 0) * 1_000,
      },
      runtime: this.#runtime,
      reporter: new Reporter(onEvent, logger, this.#runtime),
    });
  }

  /**
   * The credentials to use now: a fresh copy, at once where nothing has to be retrieved.
   *
   * @throws What the source throws, where no cached credentials may be served; the reason of an aborted signal.
   */
  get(options?: RetrieveOptions): Promise<Credentials> {
    return this.#refresher.get(options);
  }

  /** Retrieves now. While a failed refresh backs off it returns the cached credentials instead. */
  refresh(options?: RetrieveOptions): Promise<Credentials> {
    return this.get({ ...options, forceRefresh: true });
  }

  /** A copy of the cached credentials, expired or not, without a retrieval; `undefined` while none are cached. */
  peek(): Credentials | undefined {
    return this.#refresher.peek();
  }

  /**
   * Whether AWS SDK v2 would refresh now: none cached, rejected by AWS, or less time left than the expiry window, which
   * is 15 seconds where `expiryWindowSeconds` is not given.
   */
  needsRefresh(): boolean {
    const { state } = this.#refresher;
    if (state.kind === "empty" || this.expired) return true;
    return this.#expiryWindowSeconds === undefined && this.#runtime.now() + V2_EXPIRY_WINDOW_MS > state.expiresAt;
  }

  /**
   * Reports that AWS rejected credentials (`ExpiredToken`, `InvalidToken`, `ExpiredTokenException`; never
   * `AccessDenied`): the next call retrieves new ones.
   *
   * @param rejected The rejected credentials; only their `accessKeyId` is compared, and where others are cached by now
   * nothing happens. Without it, whatever is cached counts as rejected.
   */
  invalidate(rejected?: Pick<Credentials, "accessKeyId">): void {
    this.#refresher.invalidate(rejected);
  }

  /**
   * Forgets everything. A pending retrieval continues, and only the callers that wait for it get its result. The next
   * one starts when it has ended, or after a minute.
   */
  clear(): void {
    this.#refresher = this.#refresher.replacement();
  }

  /** When AWS stops accepting the cached credentials; `null` if none are cached or they do not expire. */
  get expireTime(): Date | null {
    const { state } = this.#refresher;
    return (state.kind === "cached" && dateOf(state.expiresAt)) || null;
  }

  /**
   * Whether the cached credentials are expired, less `expiryWindowSeconds`, or rejected by AWS; true if none are
   * cached.
   */
  get expired(): boolean {
    const { state } = this.#refresher;
    return state.kind === "empty" || state.rejected || this.#runtime.now() >= state.expiryWindowAt;
  }

  /** When a call retrieves again, now or later; `undefined` if the cached credentials do not expire. */
  get nextRefresh(): Date | undefined {
    return dateOf(nextAttemptAt(this.#refresher.state, this.#runtime.now()));
  }

  /** Until when no call retrieves, because a refresh failed or returned the same credentials; else `undefined`. */
  get backingOffUntil(): Date | undefined {
    const { state } = this.#refresher;
    return state.kind === "cached" && isBackingOff(state, this.#runtime.now()) ? dateOf(state.notBefore) : undefined;
  }
}
