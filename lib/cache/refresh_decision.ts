import type { Credentials } from "../credentials.ts";
import { isRecoverable } from "../errors.ts";

/** The state of a cache. The doc of {@linkcode CredentialsCache} shows what follows from it and the time. */
export type CacheState =
  | { readonly kind: "empty"; readonly cachedError?: CachedError }
  | (Entry & { readonly kind: "cached"; readonly cachedError?: CachedError });

/** Cached credentials with the times at which they change state, in epoch milliseconds. */
export interface Entry {
  readonly credentials: Credentials;
  /** When they expire; `Infinity` for credentials that do not expire. */
  readonly expiresAt: number;
  /** When the expiry window begins; equal to `expiresAt` if there is none. */
  readonly expiryWindowAt: number;
  /** From this time on one caller refreshes; the others are served. */
  readonly advisoryAt: number;
  /** From this time on every caller waits for the refresh. */
  readonly mandatoryAt: number;
  /** No retrieval before this time. */
  readonly notBefore: number;
  /** Whether they are served while their source is unavailable. */
  readonly isStable: boolean;
  /** Whether AWS rejected them. If so, the first call that is not before `notBefore` refreshes. */
  readonly isRejected: boolean;
  /** How many refreshes failed with a recoverable error since credentials arrived that were not expired. */
  readonly failures: number;
}

/** An error that is not recoverable. Until `until` it is thrown again, without a retrieval. */
interface CachedError {
  readonly error: unknown;
  readonly until: number;
}

/** What a call does: return the cached credentials, throw the cached error, or wait for a new or pending refresh. */
export type Step = "serve" | "throw" | "retrieve";

/** The windows that the caller set; if one is absent, the default applies. */
export interface WindowOptions {
  readonly advisoryWindowMs?: number | undefined;
  readonly advisoryWindowJitter?: number | undefined;
  readonly expiryWindowMs?: number | undefined;
}

export const EMPTY: CacheState = { kind: "empty" };

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const MANDATORY_WINDOW_MS = MINUTE_MS;
const MIN_BACKOFF_MS = 300 * SECOND_MS;
const MAX_BACKOFF_MS = 600 * SECOND_MS;
const MIN_CACHED_ERROR_MS = SECOND_MS;
const MAX_CACHED_ERROR_MS = 5 * SECOND_MS;
/** The pauses after a refresh that returned the same credentials. */
const REPEAT_ADVISORY_MS = 30 * SECOND_MS;
const REPEAT_MANDATORY_MS = 5 * SECOND_MS;

/** Decides what a call does. It allocates nothing, because each call for cached credentials runs it. */
export function nextStep(state: CacheState, now: number, isRefreshPending: boolean, isForced: boolean): Step {
  if (state.kind === "empty") return hasCachedError(state, now) ? "throw" : "retrieve";
  if (!isForced && !state.isRejected && now < state.advisoryAt) return "serve";
  if (isBackingOff(state, now)) return "serve";
  if (hasCachedError(state, now)) return "throw";
  if (isRefreshPending && !isForced && isAdvisory(state, now)) return "serve";
  return "retrieve";
}

/** Whether it is the advisory window: one caller refreshes, the others do not wait. */
export function isAdvisory(state: CacheState, now: number): state is CacheState & Entry {
  return state.kind === "cached" && !state.isRejected && now >= state.advisoryAt && now < state.mandatoryAt;
}

/** The earliest time at which a call that is not forced retrieves, see {@linkcode nextStep}; `Infinity` for never. */
export function nextAttemptAt(state: CacheState, now: number): number {
  const retryableAt = hasCachedError(state, now) ? state.cachedError.until : now;
  if (state.kind === "empty") return retryableAt;
  const dueAt = state.isRejected ? now : state.advisoryAt;
  return Math.max(dueAt, isBackingOff(state, now) ? state.notBefore : now, retryableAt);
}

/**
 * Whether no call may retrieve, because of `notBefore`. If it is later than the longest pause allows, the clock was set
 * back, and it is ignored.
 */
export function isBackingOff({ notBefore }: Entry, now: number): boolean {
  return now < notBefore && notBefore - now <= MAX_BACKOFF_MS;
}

/**
 * The state with new credentials. They may be expired, see {@linkcode isReplacement}; this does not count as a success,
 * so `failures` stays.
 */
export function afterSuccess(
  state: CacheState,
  credentials: Credentials,
  isStable: boolean,
  now: number,
  random: number,
  options: WindowOptions,
): CacheState & Entry {
  const expiresAt = expirationOf(credentials);
  const isExpired = expiresAt <= now;
  const entry: Entry = {
    credentials,
    expiresAt,
    ...windows(expiresAt, isStable, now, random, options),
    notBefore: isStable && isExpired ? now + backoffMs(random) : 0,
    isStable,
    isRejected: false,
    failures: isExpired && state.kind === "cached" ? state.failures : 0,
  };
  return { kind: "cached", ...(isStable ? withRepeatPause(state, entry, now) : entry) };
}

/**
 * Whether retrieved credentials replace what is cached. Expired credentials may be valid: if the clock is ahead, all
 * look expired. They are taken only from a source with static stability. Then the cache must be empty; or the cached
 * credentials must be rejected or expired, and the new ones must also have another access key id or a later expiration.
 */
export function isReplacement(state: CacheState, credentials: Credentials, isStable: boolean, now: number): boolean {
  const expiresAt = expirationOf(credentials);
  if (expiresAt > now) return true;
  if (!isStable) return false;
  if (state.kind === "empty") return true;
  const isDue = state.isRejected || now >= state.expiresAt;
  return isDue && (expiresAt > state.expiresAt || credentials.accessKeyId !== state.credentials.accessKeyId);
}

/**
 * The state after a failed refresh. Without static stability it does not change. With it, an error that is not
 * recoverable is cached for a few seconds; after any other error cached credentials are kept, and no call retrieves for
 * 5 to 10 minutes.
 *
 * @param isSourceStable Whether the source has static stability. Not used if credentials are cached: then
 * `state.isStable` decides.
 */
export function afterFailure(
  state: CacheState,
  error: unknown,
  isSourceStable: boolean,
  now: number,
  random: number,
): CacheState {
  const isStable = state.kind === "cached" ? state.isStable : isSourceStable;
  if (!isStable) return state;
  if (!isRecoverable(error)) return { ...state, cachedError: { error, until: now + cachedErrorMs(random) } };
  if (state.kind === "empty") return state;
  return { ...state, notBefore: now + backoffMs(random), failures: state.failures + 1 };
}

/** Whether callers get the cached credentials after this failure. */
export function isServedAfterFailure(state: CacheState, error: unknown, now: number): state is CacheState & Entry {
  if (state.kind === "empty") return false;
  if (state.isStable) return isRecoverable(error);
  // without static stability: in the expiry window, which begins at advisoryAt, the credentials are still valid
  return !state.isRejected && now >= state.advisoryAt && now < state.expiresAt;
}

/** The state after AWS rejected credentials; unchanged if other credentials are cached by now. */
export function afterInvalidate(state: CacheState, rejected: Pick<Credentials, "accessKeyId"> | undefined): CacheState {
  if (state.kind === "empty" || state.isRejected) return state;
  const isCached = rejected === undefined || rejected.accessKeyId === state.credentials.accessKeyId;
  return isCached ? { ...state, isRejected: true } : state;
}

/** Whether a retrieval returned the cached credentials again: IMDS returns the same ones until it rotates them. */
export function isCachedAlready(state: CacheState, { credentials, expiresAt }: Entry): state is CacheState & Entry {
  return state.kind === "cached" && state.expiresAt === expiresAt &&
    state.credentials.accessKeyId === credentials.accessKeyId;
}

function expirationOf({ expiration }: Credentials): number {
  return expiration?.getTime() ?? Infinity;
}

function windows(
  expiresAt: number,
  isStable: boolean,
  now: number,
  random: number,
  { advisoryWindowMs = 0, advisoryWindowJitter = 0, expiryWindowMs = 0 }: WindowOptions,
): Pick<Entry, "expiryWindowAt" | "advisoryAt" | "mandatoryAt"> {
  const expiryWindowAt = expiresAt - expiryWindowMs;
  if (!isStable) return { expiryWindowAt, advisoryAt: expiryWindowAt, mandatoryAt: expiryWindowAt };
  const fullMs = advisoryWindowMs > 0 ? advisoryWindowMs : defaultAdvisoryWindowMs(expiresAt - now);
  const advisoryMs = fullMs * (1 - advisoryWindowJitter * random);
  const mandatoryAt = expiresAt - Math.min(MANDATORY_WINDOW_MS, advisoryMs);
  return { expiryWindowAt, advisoryAt: expiresAt - advisoryMs, mandatoryAt };
}

/** See {@linkcode CacheOptions.advisoryWindow}. */
function defaultAdvisoryWindowMs(lifetimeMs: number): number {
  if (lifetimeMs <= 20 * MINUTE_MS) return 5 * MINUTE_MS;
  return lifetimeMs < 90 * MINUTE_MS ? 15 * MINUTE_MS : 60 * MINUTE_MS;
}

/** Adds a pause if new credentials were due but the source returned the same: without it every call would retrieve. */
function withRepeatPause(state: CacheState, entry: Entry, now: number): Entry {
  if (!isCachedAlready(state, entry) || (!state.isRejected && now < state.advisoryAt)) return entry;
  const isUrgent = state.isRejected || now >= state.mandatoryAt;
  const pauseMs = isUrgent ? REPEAT_MANDATORY_MS : REPEAT_ADVISORY_MS;
  return { ...entry, isRejected: state.isRejected, notBefore: now + pauseMs };
}

/** Whether the cached error is thrown again. It is ignored if `until` is too far ahead: the clock was set back. */
function hasCachedError(state: CacheState, now: number): state is CacheState & { readonly cachedError: CachedError } {
  const { cachedError } = state;
  return cachedError !== undefined && now < cachedError.until && cachedError.until - now <= MAX_CACHED_ERROR_MS;
}

function backoffMs(random: number): number {
  return MIN_BACKOFF_MS + random * (MAX_BACKOFF_MS - MIN_BACKOFF_MS);
}

function cachedErrorMs(random: number): number {
  return MIN_CACHED_ERROR_MS + random * (MAX_CACHED_ERROR_MS - MIN_CACHED_ERROR_MS);
}
