import type { Credentials } from "../credentials.ts";
import { redacted } from "../redaction.ts";

const MINUTE_MS = 60_000;
const KEEP_UNCHANGED_MS = 5 * MINUTE_MS;
const MIN_LIFETIME_TO_ADJUST_MS = 15 * MINUTE_MS;

/** The credentials with an expiration at most `seconds` from now. */
export function cappedExpiration(credentials: Credentials, seconds: number | undefined, now: number): Credentials {
  const cap = now + (seconds ?? Infinity) * 1_000;
  return credentials.expiration !== undefined && credentials.expiration.getTime() > cap
    ? redacted(credentials, new Date(cap))
    : credentials;
}

/**
 * The credentials to serve after a failed refresh: unchanged while they have more than five minutes left, else
 * expiring 5 to 15 minutes from now. `undefined` where there is nothing to extend.
 */
export function extendedExpiration(
  previous: Credentials | undefined,
  now: number,
  random: number,
): Credentials | undefined {
  if (previous?.expiration === undefined) return undefined;
  if (previous.expiration.getTime() > now + KEEP_UNCHANGED_MS) return previous;
  return redacted(previous, new Date(now + (5 + random * 10) * MINUTE_MS));
}

/** The credentials with their expiration moved by `ms`, unless less than 15 minutes are left. */
export function adjustedExpiration(credentials: Credentials, ms: number, now: number): Credentials {
  const { expiration } = credentials;
  if (expiration === undefined || expiration.getTime() < now + MIN_LIFETIME_TO_ADJUST_MS) return credentials;
  return redacted(credentials, new Date(expiration.getTime() + ms));
}
