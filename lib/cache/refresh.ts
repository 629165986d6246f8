import type { Credentials } from "../credentials.ts";

/** What a cache holds. {@linkcode CredentialsCache} draws the states that follow from it and the time. */
export type CacheState =
  | { readonly kind: "empty"; readonly failure?: Failure }
  | (Held & { readonly kind: "held"; readonly failure?: Failure });

/** Credentials with the moments at which they change state, in epoch milliseconds. */
export interface Held {
  readonly credentials: Credentials;
  /** When AWS stops accepting them; `Infinity` for credentials without an end. */
  readonly expiresAt: number;
  /** From here one caller refreshes, the others are served. */
  readonly advisoryAt: number;
  /** From here every caller waits for the refresh. */
  readonly mandatoryAt: number;
  /** Before this nobody asks. */
  readonly notBefore: number;
  /** Whether they outlive their source. */
  readonly stable: boolean;
  /** Whether AWS refused them: replace them at once. */
  readonly rejected: boolean;
  /** Refreshes that failed since they arrived. */
  readonly failures: number;
}

/** An error that is not worth another attempt for a moment. */
interface Failure {
  readonly error: unknown;
  readonly until: number;
}

/** What a call does: take what is held, take the cached error, or start or join the one retrieval. */
export type Step = "serve" | "throw" | "retrieve";

/** How far ahead of the expiration to refresh, where the caller wants other windows. */
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
const SAME_SET_ADVISORY_MS = 30 * SECOND_MS;
const SAME_SET_MANDATORY_MS = 5 * SECOND_MS;

/** Decides a call. It allocates nothing: this is the whole cost of cached credentials, beside their copy. */
export function nextStep(state: CacheState, now: number, flying: boolean, forced: boolean): Step {
  if (state.kind === "empty") return hasFailed(state, now) ? "throw" : "retrieve";
  if (!forced && !state.rejected && now < state.advisoryAt) return "serve";
  if (isBackingOff(state, now)) return "serve";
  if (hasFailed(state, now)) return "throw";
  if (flying && !forced && isAdvisory(state, now)) return "serve";
  return "retrieve";
}

/** Whether a caller need not wait for the refresh. */
export function isAdvisory(state: CacheState, now: number): state is CacheState & Held {
  return state.kind === "held" && !state.rejected && now >= state.advisoryAt && now < state.mandatoryAt;
}

/** From when on an unforced call may ask the source, as {@linkcode nextStep} decides; `Infinity` if none ever will. */
export function nextAttemptAt(state: CacheState, now: number): number {
  const failureEnds = hasFailed(state, now) ? state.failure.until : now;
  if (state.kind === "empty") return failureEnds;
  const dueAt = state.rejected ? now : state.advisoryAt;
  return Math.max(dueAt, isBackingOff(state, now) ? state.notBefore : now, failureEnds);
}

/** A backoff that ends later than any can means that the clock was set back: it counts as over. */
export function isBackingOff({ notBefore }: Held, now: number): boolean {
  return now < notBefore && notBefore - now <= MAX_BACKOFF_MS;
}

/** How long before the expiration to refresh: a large part of a short life, an hour of a long one. */
export function advisoryWindowMs(lifetimeMs: number): number {
  if (lifetimeMs <= 20 * MINUTE_MS) return 5 * MINUTE_MS;
  return lifetimeMs < 90 * MINUTE_MS ? 15 * MINUTE_MS : 60 * MINUTE_MS;
}

/** New credentials. They may be expired already, where the source is trusted to know better than the clock. */
export function afterSuccess(
  state: CacheState,
  credentials: Credentials,
  stable: boolean,
  now: number,
  random: number,
  options: WindowOptions,
): CacheState & Held {
  const expiresAt = credentials.expiration?.getTime() ?? Infinity;
  const held: Held = {
    credentials,
    expiresAt,
    ...windows(expiresAt, stable, now, random, options),
    notBefore: stable && expiresAt <= now ? now + backoffMs(random) : 0,
    stable,
    rejected: false,
    failures: 0,
  };
  return { kind: "held", ...(stable ? guardSameSet(state, held, now) : held) };
}

/**
 * A failed refresh: credentials that outlive their source back off; a final error is cached for a moment.
 *
 * @param stable Whether the source supports static stability, for a cache that holds nothing.
 */
export function afterFailure(
  state: CacheState,
  error: unknown,
  stable: boolean,
  now: number,
  random: number,
): CacheState {
  if (state.kind === "held" ? !state.stable : !stable) return state;
  if (!isRecoverable(error)) return { ...state, failure: { error, until: now + failureMs(random) } };
  if (state.kind === "empty") return state;
  return { ...state, notBefore: now + backoffMs(random), failures: state.failures + 1 };
}

/** Whether callers go on with the held credentials after this failure. */
export function survives(state: CacheState, error: unknown, now: number): state is CacheState & Held {
  if (state.kind === "empty") return false;
  if (state.stable) return isRecoverable(error);
  return !state.rejected && now >= state.advisoryAt && now < state.expiresAt;
}

/** Credentials that AWS refused; a refresh may have replaced them already, then nothing changes. */
export function afterInvalidate(state: CacheState, accessKeyId: string | undefined): CacheState {
  const isHeld = state.kind === "held" && !state.rejected && state.credentials.accessKeyId === accessKeyId;
  return isHeld ? { ...state, rejected: true } : state;
}

/** Whether a retrieval brought what is held already: IMDS hands out the same credentials until it rotates them. */
export function isSameSet(state: CacheState, { credentials, expiresAt }: Held): state is CacheState & Held {
  return state.kind === "held" && state.expiresAt === expiresAt &&
    state.credentials.accessKeyId === credentials.accessKeyId;
}

/** Everything is worth another attempt, unless the error says otherwise. */
export function isRecoverable(error: unknown): boolean {
  return (error as { recoverable?: unknown } | null | undefined)?.recoverable !== false;
}

function windows(
  expiresAt: number,
  stable: boolean,
  now: number,
  random: number,
  { advisoryWindowMs: given = 0, advisoryWindowJitter = 0, expiryWindowMs = 0 }: WindowOptions,
): Pick<Held, "advisoryAt" | "mandatoryAt"> {
  if (!stable) return { advisoryAt: expiresAt - expiryWindowMs, mandatoryAt: expiresAt - expiryWindowMs };
  const fullMs = given > 0 ? given : advisoryWindowMs(expiresAt - now);
  const advisoryMs = fullMs * (1 - advisoryWindowJitter * random);
  return { advisoryAt: expiresAt - advisoryMs, mandatoryAt: expiresAt - Math.min(MANDATORY_WINDOW_MS, advisoryMs) };
}

/** Without a pause after the same credentials, every call near their end would ask. */
function guardSameSet(state: CacheState, held: Held, now: number): Held {
  if (!isSameSet(state, held) || (!state.rejected && now < state.advisoryAt)) return held;
  const isUrgent = state.rejected || now >= state.mandatoryAt;
  const pauseMs = isUrgent ? SAME_SET_MANDATORY_MS : SAME_SET_ADVISORY_MS;
  return { ...held, rejected: state.rejected, notBefore: now + pauseMs };
}

function hasFailed(state: CacheState, now: number): state is CacheState & { readonly failure: Failure } {
  const { failure } = state;
  return failure !== undefined && now < failure.until && failure.until - now <= MAX_FAILURE_MS;
}

function backoffMs(random: number): number {
  return MIN_BACKOFF_MS + random * (MAX_BACKOFF_MS - MIN_BACKOFF_MS);
}

function failureMs(random: number): number {
  return MIN_FAILURE_MS + random * (MAX_FAILURE_MS - MIN_FAILURE_MS);
}
