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
   * The length of the advisory window in milliseconds, for sources with static stability. It ends when the credentials
   * expire; in it one caller refreshes and the others are served. 0 or less means the default: 5 minutes for a lifetime
   * of up to 20 minutes, 15 minutes for one below 90 minutes, else 60 minutes.
   */
  readonly advisoryWindow?: number | undefined;
  /**
   * Makes the advisory window, or the expiry window of a source without static stability, shorter by a random part of
   * its length, at most by this fraction; from 0 to 1. @default {0}
   */
  readonly advisoryWindowJitter?: number | undefined;
  /**
   * How long before their expiration `expired` and `needsRefresh()` count credentials as expired, in seconds. A source
   * without static stability is called again at that time; for the others the advisory window decides.
   * @default {0}; `needsRefresh()` uses 15 if this is not given
   */
  readonly expiryWindowSeconds?: number | undefined;
  /** Called with each event, for metrics. What it throws is ignored, also if it is an async function. */
  readonly onEvent?: ((event: CacheEvent) => void) | undefined;
  /**
   * Receives diagnostics. If it is not given, these warnings go to `console.warn`: credentials of a source with static
   * stability are served although their refresh failed, or were expired when they were retrieved. `null` turns the
   * warnings off.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime, such as the clock. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** The rules of these options, except `logger` and `runtime`, see {@linkcode COMMON_RULES}. */
export const CACHE_RULES: Rules = {
  advisoryWindow: NUMBER,
  advisoryWindowJitter: FRACTION,
  expiryWindowSeconds: SECONDS_OR_ZERO,
  onEvent: FUNCTION,
};

const SDK_V2_EXPIRY_WINDOW_MS = 15_000;

/**
 * Keeps one set of credentials fresh. All callers share one retrieval, and while a source is unavailable they get what
 * is cached.
 *
 * Sources with static stability (an instance role) are refreshed ahead of their expiration. `E` is the expiration, `A`
 * the advisory window, `M` the mandatory window:
 *
 * ```text
 *            success            E - A              E - M                E
 *   empty ──────────────> fresh ───────> advisory ───────> mandatory ──────> expired
 *   all wait              served         one refreshes,    all wait for      all wait for
 *                                        others served     one refresh       one refresh
 *
 *   a refresh fails:                what is cached is served, expired or not; no retrieval for 5 to 10 minutes
 *   with `recoverable: false`:      the error is thrown, except by `get()` while fresh; no retrieval for 1 to 5 seconds
 *   invalidate():                   as in the mandatory window, until a refresh returns other credentials
 * ```
 *
 * `A` is 5 minutes for a lifetime of up to 20 minutes, 60 minutes for one of 90 minutes and more, else 15 minutes; `M`
 * is one minute, but never longer than `A`. Other sources (a process, a function of yours) are called again when their
 * credentials expire, or when the expiry window starts. If that fails in the expiry window, the cached credentials are
 * served; after it callers get the error. No timer starts a refresh: each is started by a call.
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
   * @param provider A function that returns credentials, or an object that retrieves. If it is a {@linkcode
   * CachedProvider}, its source is used, so that credentials are not cached twice.
   * @param options See {@linkcode CacheOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
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
   * The credentials to use now, as a new copy. Resolves without a retrieval if none is needed.
   *
   * @throws What the source throws, if no cached credentials may be served; the reason of an aborted signal, except in
   * the advisory window, where the cached credentials are returned if the signal aborts during the refresh.
   */
  get(options?: RetrieveOptions): Promise<Credentials> {
    return this.#refresher.get(options);
  }

  /**
   * Retrieves now, except in the pause after a refresh ({@linkcode backingOffUntil}): then it returns the cached
   * credentials. For 1 to 5 seconds after an error that is not recoverable it throws that error again.
   */
  refresh(options?: RetrieveOptions): Promise<Credentials> {
    return this.get({ ...options, forceRefresh: true });
  }

  /** A copy of the cached credentials, expired or not, without a retrieval; `undefined` while none are cached. */
  peek(): Credentials | undefined {
    return this.#refresher.peek();
  }

  /**
   * The `needsRefresh()` of AWS SDK v2: whether no credentials are cached, AWS rejected them, or they expire within the
   * expiry window. The window is 15 seconds if `expiryWindowSeconds` is not given.
   */
  needsRefresh(): boolean {
    const { state } = this.#refresher;
    if (state.kind === "empty" || this.expired) return true;
    return this.#expiryWindowSeconds === undefined && this.#runtime.now() + SDK_V2_EXPIRY_WINDOW_MS > state.expiresAt;
  }

  /**
   * Reports that AWS rejected credentials (`ExpiredToken`, `InvalidToken`, `ExpiredTokenException`; never
   * `AccessDenied`): the next call retrieves new ones.
   *
   * @param rejected The rejected credentials. Only their `accessKeyId` is compared: if other credentials are cached
   * already, nothing happens. Without it, the cached credentials count as rejected.
   */
  invalidate(rejected?: Pick<Credentials, "accessKeyId">): void {
    this.#refresher.invalidate(rejected);
  }

  /**
   * Forgets everything. A pending retrieval continues, and only the callers that wait for it get its result. The next
   * retrieval waits until that one has ended, at most a minute.
   */
  clear(): void {
    this.#refresher = this.#refresher.replacement();
  }

  /**
   * The expiration of the cached credentials, as `adjustExpiresBy` left it; `null` if none are cached or they do not
   * expire.
   */
  get expireTime(): Date | null {
    const { state } = this.#refresher;
    return (state.kind === "cached" && dateOf(state.expiresAt)) || null;
  }

  /**
   * Whether the cached credentials expire within `expiryWindowSeconds`, or AWS rejected them; true if none are cached.
   */
  get expired(): boolean {
    const { state } = this.#refresher;
    return state.kind === "empty" || state.rejected || this.#runtime.now() >= state.expiryWindowAt;
  }

  /**
   * The earliest time at which a call retrieves again, never in the past; `undefined` if the cached credentials do not
   * expire and AWS did not reject them.
   */
  get nextRefresh(): Date | undefined {
    return dateOf(nextAttemptAt(this.#refresher.state, this.#runtime.now()));
  }

  /**
   * The end of the pause after a refresh that failed with a recoverable error, or that returned the same or expired
   * credentials; else `undefined`. No call retrieves before it.
   */
  get backingOffUntil(): Date | undefined {
    const { state } = this.#refresher;
    return state.kind === "cached" && isBackingOff(state, this.#runtime.now()) ? dateOf(state.notBefore) : undefined;
  }
}
