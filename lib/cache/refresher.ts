import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import { redacted } from "../redaction.ts";
import type { Runtime } from "../runtime.ts";
import { untilAborted } from "../until_aborted.ts";
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
  isReplacement,
  isSameCredentials,
  isServedAfterFailure,
  nextAttemptAt,
  nextStep,
  type WindowOptions,
} from "./refresh.ts";

/** What a refresher works with. */
interface RefresherParts {
  readonly source: CredentialsSource;
  readonly windows: WindowOptions;
  readonly runtime: Pick<Runtime, "now" | "random" | "sleep">;
  readonly reporter: Reporter;
}

/** How long to wait for a retrieval that started before `clear()`: the default time limit of a credential process. */
const PREVIOUS_REFRESH_LIMIT_MS = 60_000;

/** What a {@linkcode CredentialsCache} works with until `clear()` replaces it: the state and the pending refresh. */
export class Refresher {
  readonly #parts: RefresherParts;
  #state: CacheState = EMPTY;
  #pendingRefresh: Promise<Entry> | undefined;
  #previousRefresh: Promise<unknown> | undefined;
  #isReplaced = false;

  constructor(parts: RefresherParts, previousRefresh?: Promise<unknown>) {
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
    if (step === "throw") return Promise.reject(state.failure?.error);
    return this.#wait(now, options ?? {});
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
   * Returns an empty refresher that replaces this one. A pending refresh continues for its callers; its events are not
   * reported, except `servedStale`.
   */
  replacement(): Refresher {
    this.#isReplaced = true;
    return new Refresher(this.#parts, this.#pendingRefresh ?? this.#previousRefresh);
  }

  async #wait(now: number, { signal, forceRefresh = false }: RetrieveOptions): Promise<Credentials> {
    signal?.throwIfAborted();
    const state = this.#state;
    const isRejected = state.kind === "cached" && state.rejected;
    this.#pendingRefresh ??= this.#refresh(forceRefresh || isRejected);
    const { runtime } = this.#parts;
    try {
      return this.#serve(await untilAborted(this.#pendingRefresh, signal), runtime.now());
    } catch (error) {
      // In the advisory window a caller that stops waiting gets the cached credentials.
      if (!signal?.aborted || !isAdvisory(state, now)) throw error;
      return this.#serve(state, runtime.now());
    }
  }

  #refresh(forceRefresh: boolean): Promise<Entry> {
    return this.#retrieve(forceRefresh)
      .then((credentials) => this.#afterRetrieval(credentials), (error) => this.#afterError(error))
      .finally(() => this.#pendingRefresh = undefined);
  }

  /**
   * The signal of a caller is not passed to the source: if one caller aborts, the retrieval continues for the others.
   */
  async #retrieve(forceRefresh: boolean): Promise<Credentials> {
    const { source, runtime } = this.#parts;
    const previous = this.#previousRefresh;
    this.#previousRefresh = undefined;
    if (previous !== undefined) await settled(previous, PREVIOUS_REFRESH_LIMIT_MS, runtime);
    return validCredentials(await source.retrieve(forceRefresh ? { forceRefresh } : undefined));
  }

  #afterRetrieval(credentials: Credentials): Entry {
    const now = this.#parts.runtime.now();
    const before = this.#state;
    if (!isReplacement(before, credentials, this.#isStable(), now)) return this.#afterError(expiredError());
    const entry = this.#store(credentials, now);
    const expired = now >= entry.expiresAt;
    const names = namesOf(credentials);
    if (!isSameCredentials(before, entry)) {
      const [expiration, nextAttempt] = [dateOf(entry.expiresAt), dateOf(nextAttemptAt(entry, now))];
      this.#report({ type: "retrieved", ...names, expiration, expired, nextAttempt });
    }
    const failures = before.kind === "cached" ? before.failures : 0;
    if (failures > 0 && !expired) this.#report({ type: "recovered", source: names.source, failures });
    return entry;
  }

  /** Returns the credentials that callers get after a failure, or throws the error if they get none. */
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

  /** What is served after a failure. Stores the credentials that `handleFailToRefresh` returns. */
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
    const earlyMs = expiryWindowMs * (1 - advisoryWindowJitter * random);
    // A source with `adjustExpiresBy` moves the expiration itself; the cache then has no expiry window.
    const adjusted = isStable || earlyMs === 0 ? undefined : source.adjustExpiresBy?.(credentials, -earlyMs);
    return this.#state = afterSuccess(this.#state, adjusted ?? credentials, isStable, now, random, {
      ...windows,
      expiryWindowMs: adjusted === undefined ? earlyMs : 0,
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
 * A copy. If the next attempt is later than the expiration, the copy has the time of the attempt as its expiration: a
 * program that checks the expiration then works also during an outage.
 */
function copyOf({ credentials, expiresAt, notBefore }: Entry): Credentials {
  if (expiresAt >= notBefore) return redacted(credentials);
  return redacted(credentials, new Date(notBefore), new Date(expiresAt));
}

/** Resolves when the work has ended, or after `ms`. The timer stops when the work ends. */
async function settled(work: Promise<unknown>, ms: number, { sleep }: Pick<Runtime, "sleep">): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  work.then(end, end);
  await sleep(ms, ended.signal).catch(() => {/* the work has ended */});
}

/** The time as a `Date`; `undefined` for `Infinity`. */
export function dateOf(at: number): Date | undefined {
  return at === Infinity ? undefined : new Date(at);
}
