import type { Credentials } from "../credentials.ts";
import { isRecoverable } from "../errors.ts";

/**
 * The state of a cache. The doc of {@linkcode CredentialsCache} shows the states (fresh, advisory, …) that follow from
 * this value and the time.
 */
export type CacheState =
  | { readonly kind: "empty"; readonly failure?: Failure }
  | (Entry & { readonly kind: "cached"; readonly failure?: Failure });

/** Cached credentials with the times at which they change state, in epoch milliseconds. */
export interface Entry {
  readonly credentials: Credentials;
  /** When AWS stops accepting them; `Infinity` for credentials that do not expire. */
  readonly expiresAt: number;
  /** When the expiry window begins; equal to `expiresAt` if there is none. */
  readonly expiryWindowAt: number;
  /** From this time on one caller refreshes; the others are served. */
  readonly advisoryAt: number;
  /** From here every caller waits for the refresh. */
  readonly mandatoryAt: number;
  /** No retrieval before this time. */
  readonly notBefore: number;
  /** Whether they are served while their source is unavailable. */
  readonly stable: boolean;
  /** Whether AWS rejected them; the next call then refreshes. */
  readonly rejected: boolean;
  /** How many refreshes failed with a recoverable error since credentials that were not expired arrived. */
  readonly failures: number;
}

/** An error that is not recoverable: it is thrown again, without a retrieval, until `until`. */
interface Failure {
  readonly error: unknown;
  readonly until: number;
}

/**
 * What a call does: return the cached credentials, throw the cached error, or start a refresh or wait for the pending
 * one.
 */
export type Step = "serve" | "throw" | "retrieve";

/** The windows that the caller set; the defaults apply to the others. */
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
const MIN_FAILURE_MS = SECOND_MS;
const MAX_FAILURE_MS = 5 * SECOND_MS;
const REPEAT_ADVISORY_MS = 30 * SECOND_MS;
const REPEAT_MANDATORY_MS = 5 * SECOND_MS;

/**
 * Decides what a call does. It allocates nothing, because it runs at each call: this and the copy of the credentials
 * are all that a call costs while they are cached.
 */
export function nextStep(state: CacheState, now: number, refreshPending: boolean, forced: boolean): Step {
  if (state.kind === "empty") return hasCachedError(state, now) ? "throw" : "retrieve";
  if (!forced && !state.rejected && now < state.advisoryAt) return "serve";
  if (isBackingOff(state, now)) return "serve";
  if (hasCachedError(state, now)) return "throw";
  if (refreshPending && !forced && isAdvisory(state, now)) return "serve";
  return "retrieve";
}

/** Whether one caller refreshes and the others need not wait. */
export function isAdvisory(state: CacheState, now: number): state is CacheState & Entry {
  return state.kind === "cached" && !state.rejected && now >= state.advisoryAt && now < state.mandatoryAt;
}

/** The earliest time at which {@linkcode nextStep} returns `retrieve` without `forced`; `Infinity` for never. */
export function nextAttemptAt(state: CacheState, now: number): number {
  const retryableAt = hasCachedError(state, now) ? state.failure.until : now;
  if (state.kind === "empty") return retryableAt;
  const dueAt = state.rejected ? now : state.advisoryAt;
  return Math.max(dueAt, isBackingOff(state, now) ? state.notBefore : now, retryableAt);
}

/**
 * Whether the pause after a refresh is not over. If more than the longest possible pause is left, the clock was set
 * back, and the pause counts as over.
 */
export function isBackingOff({ notBefore }: Entry, now: number): boolean {
  return now < notBefore && notBefore - now <= MAX_BACKOFF_MS;
}

/**
 * The state with new credentials. Expired ones do not count as a success: `failures` stays. Whether they replace what
 * is cached is decided before, by {@linkcode isReplacement}.
 */
export function afterSuccess(
  state: CacheState,
  credentials: Credentials,
  stable: boolean,
  now: number,
  random: number,
  options: WindowOptions,
): CacheState & Entry {
  const expiresAt = expirationOf(credentials);
  const isExpired = expiresAt <= now;
  const entry: Entry = {
    credentials,
    expiresAt,
    ...windows(expiresAt, stable, now, random, options),
    notBefore: stable && isExpired ? now + backoffMs(random) : 0,
    stable,
    rejected: false,
    failures: isExpired && state.kind === "cached" ? state.failures : 0,
  };
  return { kind: "cached", ...(stable ? withRepeatPause(state, entry, now) : entry) };
}

/**
 * Whether retrieved credentials replace what is cached. Expired ones do so only if the source has static stability, and
 * the cache is empty, or its credentials are rejected or expired and the new ones have another key or a later
 * expiration. They may be valid: if the clock is ahead, all credentials look expired.
 */
export function isReplacement(state: CacheState, credentials: Credentials, stable: boolean, now: number): boolean {
  const expiresAt = expirationOf(credentials);
  if (expiresAt > now) return true;
  if (!stable) return false;
  if (state.kind === "empty") return true;
  const isDue = state.rejected || now >= state.expiresAt;
  return isDue && (expiresAt > state.expiresAt || credentials.accessKeyId !== state.credentials.accessKeyId);
}

/**
 * The state after a failed refresh. Without static stability it does not change. With it, an error that is not
 * recoverable is cached for a few seconds; after any other error no call retrieves for 5 to 10 minutes if credentials
 * are cached.
 *
 * @param stable Whether the source has static stability. Read only if the cache is empty; else `state.stable` decides.
 */
export function afterFailure(
  state: CacheState,
  error: unknown,
  stable: boolean,
  now: number,
  random: number,
): CacheState {
  if (state.kind === "cached" ? !state.stable : !stable) return state;
  if (!isRecoverable(error)) return { ...state, failure: { error, until: now + failureMs(random) } };
  if (state.kind === "empty") return state;
  return { ...state, notBefore: now + backoffMs(random), failures: state.failures + 1 };
}

/** Whether callers get the cached credentials after this failure. */
export function isServedAfterFailure(state: CacheState, error: unknown, now: number): state is CacheState & Entry {
  if (state.kind === "empty") return false;
  if (state.stable) return isRecoverable(error);
  // Without static stability the advisory window is the expiry window: the credentials in it are still valid.
  return !state.rejected && now >= state.advisoryAt && now < state.expiresAt;
}

/** The state after AWS rejected credentials; unchanged if other credentials are cached by now. */
export function afterInvalidate(state: CacheState, rejected: Pick<Credentials, "accessKeyId"> | undefined): CacheState {
  if (state.kind === "empty" || state.rejected) return state;
  const isCached = rejected === undefined || rejected.accessKeyId === state.credentials.accessKeyId;
  return isCached ? { ...state, rejected: true } : state;
}

/** Whether a retrieval returned what is cached already: IMDS returns the same credentials until it rotates them. */
export function isSameCredentials(state: CacheState, { credentials, expiresAt }: Entry): state is CacheState & Entry {
  return state.kind === "cached" && state.expiresAt === expiresAt &&
    state.credentials.accessKeyId === credentials.accessKeyId;
}

function expirationOf({ expiration }: Credentials): number {
  return expiration?.getTime() ?? Infinity;
}

function windows(
  expiresAt: number,
  stable: boolean,
  now: number,
  random: number,
  { advisoryWindowMs = 0, advisoryWindowJitter = 0, expiryWindowMs = 0 }: WindowOptions,
): Pick<Entry, "expiryWindowAt" | "advisoryAt" | "mandatoryAt"> {
  const expiryWindowAt = expiresAt - expiryWindowMs;
  if (!stable) return { expiryWindowAt, advisoryAt: expiryWindowAt, mandatoryAt: expiryWindowAt };
  const fullMs = advisoryWindowMs > 0 ? advisoryWindowMs : defaultAdvisoryWindowMs(expiresAt - now);
  const advisoryMs = fullMs * (1 - advisoryWindowJitter * random);
  const mandatoryAt = expiresAt - Math.min(MANDATORY_WINDOW_MS, advisoryMs);
  return { expiryWindowAt, advisoryAt: expiresAt - advisoryMs, mandatoryAt };
}

/** The default length of the advisory window for a lifetime, see {@linkcode CacheOptions.advisoryWindow}. */
function defaultAdvisoryWindowMs(lifetimeMs: number): number {
  if (lifetimeMs <= 20 * MINUTE_MS) return 5 * MINUTE_MS;
  return lifetimeMs < 90 * MINUTE_MS ? 15 * MINUTE_MS : 60 * MINUTE_MS;
}

/**
 * Adds a pause if the source returned the same credentials when new ones were due: without it every call would
 * retrieve.
 */
function withRepeatPause(state: CacheState, entry: Entry, now: number): Entry {
  if (!isSameCredentials(state, entry) || (!state.rejected && now < state.advisoryAt)) return entry;
  const isUrgent = state.rejected || now >= state.mandatoryAt;
  const pauseMs = isUrgent ? REPEAT_MANDATORY_MS : REPEAT_ADVISORY_MS;
  return { ...entry, rejected: state.rejected, notBefore: now + pauseMs };
}

/** Whether an error is cached. If more than the longest possible time is left, the clock was set back: it is not. */
function hasCachedError(state: CacheState, now: number): state is CacheState & { readonly failure: Failure } {
  const { failure } = state;
  return failure !== undefined && now < failure.until && failure.until - now <= MAX_FAILURE_MS;
}

function backoffMs(random: number): number {
  return MIN_BACKOFF_MS + random * (MAX_BACKOFF_MS - MIN_BACKOFF_MS);
}

function failureMs(random: number): number {
  return MIN_FAILURE_MS + random * (MAX_FAILURE_MS - MIN_FAILURE_MS);
}
