import { abortable } from "../abortable.ts";
import type { Credentials, CredentialsSource, ForeignCredentials, Logger, RetrieveOptions } from "../credentials.ts";
import { type CacheEvent, Reporter } from "./events.ts";
import {
  afterFailure,
  afterInvalidate,
  afterSuccess,
  type CacheState,
  EMPTY,
  type Held,
  isAdvisory,
  isBackingOff,
  isSameSet,
  nextAttemptAt,
  nextStep,
  survives,
} from "./refresh.ts";
import { redacted } from "../redaction.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { checkOptions, FRACTION, FUNCTION, NUMBER, SECONDS_OR_ZERO } from "../validate.ts";
import { expiredError, validCredentials } from "../validate.ts";

/** Options of {@linkcode CredentialsCache}. */
export interface CacheOptions {
  /**
   * How long before their expiration credentials are refreshed by one caller while the others are served, in
   * milliseconds; <= 0 for the default: 5 minutes for a life of up to 20, 60 for one from 90 minutes, else 15.
   */
  readonly advisoryWindow?: number;
  /** Starts the advisory window up to this part of it later, at random; from 0 to 1. @default {0} */
  readonly advisoryWindowJitter?: number;
  /**
   * For sources without static stability: how long before their expiration credentials are replaced, in seconds.
   * @default {0}
   */
  readonly expiryWindow?: number;
  /** Called with everything that happens, for metrics. What it throws or rejects with is dropped. */
  readonly onEvent?: (event: CacheEvent) => void;
  /**
   * Where diagnostics go. Without one, the only thing printed (`console.warn`) is that credentials are used although
   * their refresh failed or they arrived expired; `null` silences that, too.
   */
  readonly logger?: Logger | null;
  /** Replaces parts of the detected runtime, such as the clock. */
  readonly runtime?: Partial<Runtime>;
}

const V2_EXPIRY_WINDOW_MS = 15_000;

/** What is held, and the retrieval under way for it. */
interface Slot {
  state: CacheState;
  flight: Promise<Held> | undefined;
}

/**
 * Keeps one set of credentials fresh: everyone shares one retrieval, and a source that is away does not take away what
 * is held.
 *
 * Sources with static stability (an instance role) are refreshed ahead of their expiration `E`:
 *
 * ```text
 *            success            E - A              E - M                E
 *   empty ──────────────> fresh ───────> advisory ───────> mandatory ──────> expired
 *   all wait              served         one refreshes,    all wait for      all wait for
 *                                        others served     one refresh       one refresh
 *
 *   a refresh fails:     what is held stays in use, expired or not; nobody asks for 5 to 10 minutes
 *   it fails for good:   `recoverable: false` is thrown, unless fresh; nobody asks for 1 to 5 seconds
 *   invalidate():        as mandatory from now on, whatever the time
 * ```
 *
 * `A` is 5 minutes for a life of up to 20 minutes, 60 for one of 90 and more, else 15; `M` is one minute. Other sources
 * (a process, a function of yours) are asked again when their credentials expire, and their failure is the caller's.
 * There are no timers: everything happens inside a call.
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
 * ```
 */
export class CredentialsCache {
  readonly #source: CredentialsSource;
  readonly #options: CacheOptions;
  readonly #runtime: Runtime;
  readonly #reporter: Reporter;
  #slot: Slot = { state: EMPTY, flight: undefined };
  #departed: Promise<void> | undefined;

  /**
   * Puts a cache in front of a provider. Nothing is asked yet.
   *
   * @param provider An object that retrieves, or a function that returns credentials.
   * @param options See {@linkcode CacheOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
   */
  constructor(
    provider: CredentialsSource | ((options?: RetrieveOptions) => Promise<ForeignCredentials>),
    options: CacheOptions = {},
  ) {
    checkOptions("credentials cache", options, {
      advisoryWindow: NUMBER,
      advisoryWindowJitter: FRACTION,
      expiryWindow: SECONDS_OR_ZERO,
      onEvent: FUNCTION,
    });
    this.#source = "retrieve" in provider ? provider : { retrieve: provider };
    this.#options = options;
    this.#runtime = detectRuntime(options.runtime);
    this.#reporter = new Reporter(options, this.#runtime);
  }

  /**
   * The credentials to use now: a fresh copy, at once where nothing has to be asked.
   *
   * @throws What the source throws, where nothing is held that may be used instead; the reason of an aborted signal.
   */
  get(options?: RetrieveOptions): Promise<Credentials> {
    const { state, flight } = this.#slot;
    const now = this.#runtime.now();
    const step = nextStep(state, now, flight !== undefined, options?.forceRefresh === true);
    if (state.kind === "held" && step === "serve") return Promise.resolve(this.#handOut(state, now));
    if (step === "throw") return Promise.reject(state.failure?.error);
    return this.#join(this.#slot, now, options ?? {});
  }

  /** Asks the source now, unless a failed refresh backs off: then the held credentials are the answer. */
  refresh(options?: RetrieveOptions): Promise<Credentials> {
    return this.get({ ...options, forceRefresh: true });
  }

  /** Whether AWS SDK v2 would refresh now: nothing held, refused by AWS, or less than 15 seconds left. */
  needsRefresh(): boolean {
    const { state } = this.#slot;
    return state.kind === "empty" || state.rejected || this.#runtime.now() + V2_EXPIRY_WINDOW_MS > state.expiresAt;
  }

  /**
   * Reports that AWS refused credentials (`ExpiredToken`, `InvalidToken`, `ExpiredTokenException`; never
   * `AccessDenied`): the next call asks for new ones. Without effect if others are held by now.
   *
   * @param rejected The refused credentials; only their `accessKeyId` is compared.
   */
  invalidate(rejected?: Pick<Credentials, "accessKeyId">): void {
    const before = this.#slot.state;
    const after = afterInvalidate(before, rejected?.accessKeyId);
    if (after === before || before.kind === "empty") return;
    this.#slot.state = after;
    const { accessKeyId, source } = before.credentials;
    this.#reporter.report({ type: "invalidated", source, accessKeyId });
  }

  /** Forgets everything. A retrieval that is under way ends, and its result reaches only those who wait for it. */
  clear(): void {
    const forget = () => {/* those who wait have the result, and nothing else keeps it */};
    this.#departed = this.#slot.flight?.then(forget, forget) ?? this.#departed;
    this.#slot = { state: EMPTY, flight: undefined };
  }

  /** When AWS stops accepting the held credentials; `null` if none are held or they have no end. */
  get expireTime(): Date | null {
    return (this.#slot.state.kind === "held" && moment(this.#slot.state.expiresAt)) || null;
  }

  /** Whether the held credentials are past their expiration or refused by AWS; true if none are held. */
  get expired(): boolean {
    const { state } = this.#slot;
    return state.kind === "empty" || state.rejected || this.#runtime.now() >= state.expiresAt;
  }

  /** From when on a call asks the source: now or later; `undefined` if the held credentials have no end. */
  get nextRefresh(): Date | undefined {
    return moment(nextAttemptAt(this.#slot.state, this.#runtime.now()));
  }

  /** Until when nobody asks, because a refresh failed or brought nothing new; `undefined` while there is no such pause. */
  get backingOffUntil(): Date | undefined {
    const { state } = this.#slot;
    return state.kind === "held" && isBackingOff(state, this.#runtime.now()) ? moment(state.notBefore) : undefined;
  }

  async #join(slot: Slot, now: number, { signal, forceRefresh }: RetrieveOptions): Promise<Credentials> {
    signal?.throwIfAborted();
    const { state } = slot;
    const isRejected = state.kind === "held" && state.rejected;
    slot.flight ??= this.#fly(slot, forceRefresh === true || isRejected);
    try {
      return this.#handOut(await abortable(slot.flight, signal), this.#runtime.now());
    } catch (error) {
      if (!signal?.aborted || !isAdvisory(state, now)) throw error;
      return this.#handOut(state, this.#runtime.now());
    }
  }

  /** Nobody's signal reaches the source: whoever gives up leaves the retrieval to the others. */
  #fly(slot: Slot, forceRefresh: boolean): Promise<Held> {
    return this.#retrieve(forceRefresh)
      .then((credentials) => this.#arrived(slot, credentials), (error) => this.#failed(slot, error))
      .finally(() => slot.flight = undefined);
  }

  /** One retrieval at a time, also after clear(). */
  async #retrieve(forceRefresh: boolean): Promise<Credentials> {
    if (this.#departed !== undefined) await this.#departed;
    return validCredentials(await this.#source.retrieve(forceRefresh ? { forceRefresh } : undefined));
  }

  #arrived(slot: Slot, credentials: Credentials): Held {
    const now = this.#runtime.now();
    const before = slot.state;
    const expired = credentials.expiration !== undefined && credentials.expiration.getTime() <= now;
    if (expired && !(this.#isStable() && before.kind === "empty")) return this.#failed(slot, expiredError());
    const held = this.#store(slot, credentials, now);
    const { source, accessKeyId } = credentials;
    if (!isSameSet(before, held)) {
      const [expiration, nextAttempt] = [moment(held.expiresAt), moment(nextAttemptAt(held, now))];
      this.#report(slot, { type: "retrieved", source, accessKeyId, expiration, expired, nextAttempt });
    }
    const failures = before.kind === "held" ? before.failures : 0;
    if (failures > 0) this.#report(slot, { type: "recovered", source, failures });
    return held;
  }

  /** What to go on with after a failure; throws the error where there is nothing. */
  #failed(slot: Slot, error: unknown): Held {
    const now = this.#runtime.now();
    slot.state = afterFailure(slot.state, error, this.#isStable(), now, this.#runtime.random());
    const held = this.#fallback(slot, error, now);
    this.#report(slot, {
      type: "refreshFailed",
      source: slot.state.kind === "held" ? slot.state.credentials.source : undefined,
      error,
      serving: held !== undefined,
      expired: held !== undefined && now >= held.expiresAt,
      nextAttempt: moment(nextAttemptAt(slot.state, now)),
    });
    if (held === undefined) throw error;
    return held;
  }

  #fallback(slot: Slot, error: unknown, now: number): Held | undefined {
    const { state } = slot;
    if (this.#isStable() || this.#source.handleFailToRefresh === undefined) {
      return survives(state, error, now) ? state : undefined;
    }
    try {
      const previous = state.kind === "held" ? redacted(state.credentials) : undefined;
      return this.#store(slot, validCredentials(this.#source.handleFailToRefresh(previous, error)), now);
    } catch {
      return undefined; // the hook has nothing to go on with: the callers get the error itself
    }
  }

  #store(slot: Slot, credentials: Credentials, now: number): CacheState & Held {
    const { advisoryWindow, advisoryWindowJitter = 0, expiryWindow = 0 } = this.#options;
    const [stable, random] = [this.#isStable(), this.#runtime.random()];
    const earlyMs = expiryWindow * 1_000 * (1 - advisoryWindowJitter * random);
    const adjusted = stable || earlyMs === 0 ? undefined : this.#source.adjustExpiresBy?.(credentials, -earlyMs);
    return slot.state = afterSuccess(slot.state, adjusted ?? credentials, stable, now, random, {
      advisoryWindowMs: advisoryWindow,
      advisoryWindowJitter,
      expiryWindowMs: adjusted === undefined ? earlyMs : 0,
    });
  }

  #isStable(): boolean {
    return this.#source.staticStability === true;
  }

  /** After clear() nobody is told of what concerns only those who still wait. */
  #report(slot: Slot, event: CacheEvent): void {
    if (slot === this.#slot) this.#reporter.report(event, this.#isStable());
  }

  #handOut(held: Held, now: number): Credentials {
    const { credentials, expiresAt, notBefore } = held;
    if (now >= expiresAt) {
      this.#reporter.report({ type: "servedStale", source: credentials.source, expiration: new Date(expiresAt) });
    }
    if (expiresAt >= notBefore) return redacted(credentials);
    return redacted(credentials, new Date(notBefore), new Date(expiresAt));
  }
}

function moment(at: number): Date | undefined {
  return at === Infinity ? undefined : new Date(at);
}
