import type { Credentials, CredentialsSource, ForeignProvider, Logger, RetrieveOptions } from "../credentials.ts";
import { type CacheEvent, Reporter } from "./events.ts";
import { isBackingOff, nextAttemptAt } from "./refresh_decision.ts";
import { dateOf, RefreshRunner } from "./refresh_runner.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { checkOptions, FRACTION, FUNCTION, NUMBER, type Rules, SECONDS_OR_ZERO, validSource } from "../validate.ts";

/** Options of {@linkcode CredentialsCache}. */
export interface CacheOptions {
  /**
   * For sources with static stability: how many milliseconds before the expiration the advisory window begins. In it
   * one caller refreshes and the others are served. 0 or less means the default: 5 minutes for a lifetime of up to 20
   * minutes, 15 minutes for one below 90 minutes, else 60 minutes.
   */
  readonly advisoryWindow?: number | undefined;
  /**
   * Makes the advisory window and the expiry window shorter by a random part of their length, at most by this fraction;
   * from 0 to 1.
   *
   * @default {0}
   */
  readonly advisoryWindowJitter?: number | undefined;
  /**
   * How many seconds before the expiration the expiry window begins. In it `expired` and `needsRefresh()` are true. A
   * source without static stability is called again when it begins; for other sources the advisory window decides.
   *
   * @default {0}; `needsRefresh()` uses 15 if this is not given
   */
  readonly expiryWindowSeconds?: number | undefined;
  /** Called with each event, for metrics. Errors that it throws are ignored, also those of an async function. */
  readonly onEvent?: ((event: CacheEvent) => void) | undefined;
  /**
   * Receives diagnostics. If it is not given, two warnings go to `console.warn`: credentials of a source with static
   * stability are served although their refresh failed, or although they were expired when they were retrieved. `null`
   * turns these warnings off.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime, such as the clock. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** The rules of these options, except `logger` and `runtime`, which have theirs in {@linkcode COMMON_RULES}. */
export const CACHE_RULES: Rules = {
  advisoryWindow: NUMBER,
  advisoryWindowJitter: FRACTION,
  expiryWindowSeconds: SECONDS_OR_ZERO,
  onEvent: FUNCTION,
};

const SDK_V2_EXPIRY_WINDOW_MS = 15_000;

/**
 * Caches one set of credentials and refreshes it. All callers share one retrieval.
 *
 * A source with static stability (an instance role) is called before the credentials expire; while it is unavailable,
 * callers get the cached credentials. `E` is the expiration, `A` the advisory window, `M` the mandatory window:
 *
 * ```text
 *            success            E - A              E - M                E
 *   empty ──────────────> fresh ───────> advisory ───────> mandatory ──────> expired
 *   all wait              served         one refreshes,    all wait for      all wait for
 *                                        others served     one refresh       one refresh
 *
 *   a refresh fails:                what is cached is served, expired or not; no retrieval for 5 to 10 minutes
 *   with `recoverable: false`:      the error is thrown, except by `get()` while fresh; no retrieval for 1 to 5 seconds
 *   invalidate():                   as in the mandatory window, until the source returns other credentials
 * ```
 *
 * `A` is 5 minutes for a lifetime of up to 20 minutes, 15 minutes for one below 90 minutes, else 60 minutes; `M` is one
 * minute, but not longer than `A`.
 *
 * Any other source (a process, a function of yours) is called again when the credentials expire, or when the expiry
 * window begins. If the call fails in the expiry window, the cached credentials are served; later, callers get the
 * error.
 *
 * No timer starts a refresh: each is started by a call.
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
  #runner: RefreshRunner;

  /**
   * Puts a cache in front of a provider. Nothing is retrieved yet.
   *
   * @param provider A function that returns credentials, or an object with `retrieve()`. If it is a
   * {@linkcode CachedProvider}, its source is used, so that credentials are not cached twice.
   * @param options See {@linkcode CacheOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
   */
  constructor(provider: CredentialsSource | ForeignProvider, options: CacheOptions = {}) {
    checkOptions("credentials cache", options, CACHE_RULES);
    const { advisoryWindow, advisoryWindowJitter, expiryWindowSeconds, onEvent, logger } = options;
    this.#expiryWindowSeconds = expiryWindowSeconds;
    this.#runtime = detectRuntime(options.runtime);
    this.#runner = new RefreshRunner({
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
   * @throws What the source throws, if no cached credentials may be served; the reason of an aborted signal. In the
   * advisory window a caller that aborts while it waits gets the cached credentials instead.
   */
  get(options?: RetrieveOptions): Promise<Credentials> {
    return this.#runner.get(options);
  }

  /**
   * Retrieves now, with two exceptions for a source with static stability: until `backingOffUntil` it returns the
   * cached credentials, and for 1 to 5 seconds after an error with `recoverable: false` it throws that error again.
   */
  refresh(options?: RetrieveOptions): Promise<Credentials> {
    return this.get({ ...options, forceRefresh: true });
  }

  /** A copy of the cached credentials, expired or not, without a retrieval; `undefined` if none are cached. */
  peek(): Credentials | undefined {
    return this.#runner.peek();
  }

  /**
   * The `needsRefresh()` of AWS SDK v2: whether no credentials are cached, AWS rejected them, or the expiry window has
   * begun. The window is 15 seconds if `expiryWindowSeconds` is not given.
   */
  needsRefresh(): boolean {
    const { state } = this.#runner;
    if (state.kind === "empty" || this.expired) return true;
    return this.#expiryWindowSeconds === undefined && this.#runtime.now() + SDK_V2_EXPIRY_WINDOW_MS > state.expiresAt;
  }

  /**
   * Reports that AWS rejected credentials (`ExpiredToken`, `InvalidToken`, `ExpiredTokenException`; never
   * `AccessDenied`): the next call retrieves new ones, or, until `backingOffUntil`, still returns the cached ones.
   *
   * @param rejected The rejected credentials. Only their `accessKeyId` is compared: if other credentials are cached by
   * now, nothing happens. If `rejected` is absent, the cached credentials count as rejected.
   */
  invalidate(rejected?: Pick<Credentials, "accessKeyId">): void {
    this.#runner.invalidate(rejected);
  }

  /**
   * Forgets everything. A pending retrieval continues, and only the callers that wait for it get its result. The next
   * retrieval waits until that one has ended, at most a minute.
   */
  clear(): void {
    this.#runner = this.#runner.replacement();
  }

  /**
   * When the cached credentials expire, after `adjustExpiresBy` of the source if it has one; `null` if none are cached
   * or they do not expire.
   */
  get expireTime(): Date | null {
    const { state } = this.#runner;
    return (state.kind === "cached" && dateOf(state.expiresAt)) || null;
  }

  /**
   * Whether the cached credentials expire within `expiryWindowSeconds`, or AWS rejected them; true if none are cached.
   */
  get expired(): boolean {
    const { state } = this.#runner;
    return state.kind === "empty" || state.isRejected || this.#runtime.now() >= state.expiryWindowAt;
  }

  /**
   * The earliest time at which a call without `forceRefresh` retrieves, never in the past; `undefined` if the cached
   * credentials do not expire and AWS did not reject them.
   */
  get nextRefresh(): Date | undefined {
    return dateOf(nextAttemptAt(this.#runner.state, this.#runtime.now()));
  }

  /**
   * The end of the pause after a refresh that failed with a recoverable error, or that returned the same or expired
   * credentials; `undefined` if there is no pause. Before it no call retrieves.
   */
  get backingOffUntil(): Date | undefined {
    const { state } = this.#runner;
    return state.kind === "cached" && isBackingOff(state, this.#runtime.now()) ? dateOf(state.notBefore) : undefined;
  }
}
