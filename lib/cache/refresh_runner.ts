import { untilAborted } from "../until_aborted.ts";
import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import { redacted } from "../redaction.ts";
import type { Runtime } from "../runtime.ts";
import { expiredError, validCredentials } from "../validate.ts";
import { type CacheEvent, namesOf, type Reporter } from "./events.ts";
import {
  afterFailure,
  afterInvalidate,
  afterSuccess,
  type CacheState,
  EMPTY,
  type Entry,
  isAdvisory,
  isCachedAlready,
  isReplacement,
  isServedAfterFailure,
  nextAttemptAt,
  nextStep,
  type WindowOptions,
} from "./refresh_decision.ts";

/** What a refresh runner works with. */
interface RefreshRunnerParts {
  readonly source: CredentialsSource;
  readonly windows: WindowOptions;
  readonly runtime: Pick<Runtime, "now" | "random" | "sleep">;
  readonly reporter: Reporter;
}

/** How long to wait for a retrieval from before `clear()`: the default time limit of a credential process. */
const PREVIOUS_REFRESH_LIMIT_MS = 60_000;

/**
 * What a {@linkcode CredentialsCache} works with until `clear()` replaces it: the state, and the pending refresh that
 * callers share.
 */
export class RefreshRunner {
  readonly #parts: RefreshRunnerParts;
  #state: CacheState = EMPTY;
  #pendingRefresh: Promise<Entry> | undefined;
  #previousRefresh: Promise<unknown> | undefined;
  #isReplaced = false;

  constructor(parts: RefreshRunnerParts, previousRefresh?: Promise<unknown>) {
    this.#parts = parts;
    this.#previousRefresh = previousRefresh;
  }

  get state(): CacheState {
    return this.#state;
  }

  get(options: RetrieveOptions | undefined): Promise<Credentials> {
    const state = this.#state;
    const now = this.#parts.runtime.now();
    const step = nextStep(state, now, this.#pendingRefresh !== undefined, options?.forceRefresh === true);
    if (state.kind === "cached" && step === "serve") return Promise.resolve(this.#serve(state, now));
    if (step === "throw") return Promise.reject(state.cachedError?.error);
    return this.#waitForRefresh(now, options ?? {});
  }

  peek(): Credentials | undefined {
    return this.#state.kind === "cached" ? copyOf(this.#state) : undefined;
  }

  invalidate(rejected: Pick<Credentials, "accessKeyId"> | undefined): void {
    const before = this.#state;
    this.#state = afterInvalidate(before, rejected);
    if (this.#state === before || before.kind === "empty") return;
    this.#report({ type: "invalidated", ...namesOf(before.credentials) });
  }

  /**
   * Returns an empty runner that replaces this one. A pending refresh continues for its callers; of its events only
   * `servedStale` is still reported.
   */
  replacement(): RefreshRunner {
    this.#isReplaced = true;
    return new RefreshRunner(this.#parts, this.#pendingRefresh ?? this.#previousRefresh);
  }

  async #waitForRefresh(now: number, { signal, forceRefresh = false }: RetrieveOptions): Promise<Credentials> {
    signal?.throwIfAborted();
    const state = this.#state;
    const isRejected = state.kind === "cached" && state.isRejected;
    this.#pendingRefresh ??= this.#refresh(forceRefresh || isRejected);
    const { runtime } = this.#parts;
    try {
      return this.#serve(await untilAborted(this.#pendingRefresh, signal), runtime.now());
    } catch (error) {
      // a caller that aborts gets the credentials that were cached when it called, if that was in the advisory window
      if (signal?.aborted && isAdvisory(state, now)) return this.#serve(state, runtime.now());
      throw error;
    }
  }

  #refresh(forceRefresh: boolean): Promise<Entry> {
    return this.#retrieve(forceRefresh)
      .then((credentials) => this.#afterRetrieval(credentials), (error) => this.#afterError(error))
      .finally(() => this.#pendingRefresh = undefined);
  }

  /** The source does not get the signal of a caller: if one caller aborts, the retrieval continues for the others. */
  async #retrieve(forceRefresh: boolean): Promise<Credentials> {
    const { source, runtime } = this.#parts;
    const previous = this.#previousRefresh;
    this.#previousRefresh = undefined;
    if (previous !== undefined) await waitFor(previous, PREVIOUS_REFRESH_LIMIT_MS, runtime);
    return validCredentials(await source.retrieve(forceRefresh ? { forceRefresh } : undefined));
  }

  /** Caches the credentials. If they may not replace the cached ones, the refresh has failed: they are expired. */
  #afterRetrieval(credentials: Credentials): Entry {
    const now = this.#parts.runtime.now();
    const before = this.#state;
    if (!isReplacement(before, credentials, this.#isStable(), now)) return this.#afterError(expiredError());
    const entry = this.#store(credentials, now);
    const expired = now >= entry.expiresAt;
    const names = namesOf(credentials);
    if (!isCachedAlready(before, entry)) {
      const [expiration, nextAttempt] = [dateOf(entry.expiresAt), dateOf(nextAttemptAt(entry, now))];
      this.#report({ type: "retrieved", ...names, expiration, expired, nextAttempt });
    }
    const failures = before.kind === "cached" ? before.failures : 0;
    if (failures > 0 && !expired) this.#report({ type: "recovered", source: names.source, failures });
    return entry;
  }

  /** Returns what callers get after a failed refresh, or throws the error if they get no credentials. */
  #afterError(error: unknown): Entry {
    const { runtime } = this.#parts;
    const now = runtime.now();
    this.#state = afterFailure(this.#state, error, this.#isStable(), now, runtime.random());
    const entry = this.#fallback(error, now);
    this.#report({
      type: "refreshFailed",
      source: this.#state.kind === "cached" ? namesOf(this.#state.credentials).source : undefined,
      error,
      serving: entry !== undefined,
      expired: entry !== undefined && now >= entry.expiresAt,
      nextAttempt: dateOf(nextAttemptAt(this.#state, now)),
    });
    if (entry === undefined) throw error;
    return entry;
  }

  /** The credentials to serve after a failed refresh. Those that `handleFailToRefresh` returns are cached. */
  #fallback(error: unknown, now: number): Entry | undefined {
    const { source } = this.#parts;
    const state = this.#state;
    if (this.#isStable() || source.handleFailToRefresh === undefined) {
      return isServedAfterFailure(state, error, now) ? state : undefined;
    }
    try {
      const previous = state.kind === "cached" ? redacted(state.credentials) : undefined;
      return this.#store(validCredentials(source.handleFailToRefresh(previous, error)), now);
    } catch {
      return undefined; // handleFailToRefresh threw: callers get the error of the refresh
    }
  }

  #store(credentials: Credentials, now: number): CacheState & Entry {
    const { source, windows, runtime } = this.#parts;
    const { advisoryWindowJitter = 0, expiryWindowMs = 0 } = windows;
    const [isStable, random] = [this.#isStable(), runtime.random()];
    const windowMs = expiryWindowMs * (1 - advisoryWindowJitter * random);
    // a source with adjustExpiresBy makes the expiration earlier itself: the cache then has no expiry window
    const adjusted = isStable || windowMs === 0 ? undefined : source.adjustExpiresBy?.(credentials, -windowMs);
    return this.#state = afterSuccess(this.#state, adjusted ?? credentials, isStable, now, random, {
      ...windows,
      expiryWindowMs: adjusted === undefined ? windowMs : 0,
    });
  }

  #isStable(): boolean {
    return this.#parts.source.staticStability === true;
  }

  #report(event: CacheEvent): void {
    if (!this.#isReplaced) this.#parts.reporter.report(event, this.#isStable());
  }

  #serve(entry: Entry, now: number): Credentials {
    if (now >= entry.expiresAt) {
      const { source } = namesOf(entry.credentials);
      const event: CacheEvent = { type: "servedStale", source, expiration: new Date(entry.expiresAt) };
      this.#parts.reporter.report(event, this.#isStable());
    }
    return copyOf(entry);
  }
}

/**
 * A copy of the credentials. If the next attempt is later than their expiration, it becomes the expiration of the copy:
 * a program that checks the expiration then works also during an outage.
 */
function copyOf({ credentials, expiresAt, notBefore }: Entry): Credentials {
  if (expiresAt >= notBefore) return redacted(credentials);
  return redacted(credentials, new Date(notBefore), new Date(expiresAt));
}

/** Waits until the work has ended, at most `ms`. The timer stops when the work ends. */
async function waitFor(work: Promise<unknown>, ms: number, { sleep }: Pick<Runtime, "sleep">): Promise<void> {
  const timer = new AbortController();
  const stop = () => timer.abort();
  work.then(stop, stop);
  await sleep(ms, timer.signal).catch(() => {/* the work has ended */});
}

/** The time as a `Date`; `undefined` for `Infinity`. */
export function dateOf(at: number): Date | undefined {
  return at === Infinity ? undefined : new Date(at);
}
