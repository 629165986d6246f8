import type { Credentials } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printableMessage } from "../printable.ts";

/** One result of {@linkcode diagnose}. It holds no secret, and no control characters from outside. */
export interface Finding {
  /**
   * What was checked; stable under semver. In this order: `runtime`, `permissions` (Deno), `options` (only for an
   * unknown option), `variables`, `proxy`, `config`, `config.profile`; the providers of the default chain,
   * `environment`, `profile`, `webIdentity`, `container` and `imds`, each preceded by the checks of its steps, or
   * replaced by that of the step that failed; with `online` the check `sts`; and last `credentials`. A check may have
   * several findings.
   */
  readonly check: string;
  /**
   * `skipped`: not configured, not needed here, or not known. `warning`: works, but needs attention. `failure`: does
   * not work.
   */
  readonly status: "ok" | "skipped" | "warning" | "failure";
  /** One sentence, without a final period. */
  readonly message: string;
  /** The fix, where there is something to fix. */
  readonly hint?: string;
}

/** Access key ids of AWS have 20 characters, secret access keys 40. */
const MAX_KEY_ID_CHARACTERS = 32;

/** The finding for an error of a provider. One that lets a chain continue with the next provider needs no fix. */
export function errorFinding(check: string, error: unknown): Finding {
  if (!(error instanceof CredentialsProviderError)) {
    const name = error instanceof Error ? error.name : typeof error;
    return { check, status: "failure", message: `It failed with ${name}, which this library did not throw` };
  }
  return error.tryNextLink ? { check, status: "skipped", message: error.message } : failureFinding(check, error);
}

/** The finding for an error that needs a fix. */
export function failureFinding(check: string, { code, message, hint }: CredentialsProviderError): Finding {
  return { check, status: "failure", message: `${code}: ${message}`, ...(hint === undefined ? {} : { hint }) };
}

/** A finding as it may be printed: what came from outside cannot change what a terminal shows. */
export function printableFinding({ check, status, message, hint }: Finding): Finding {
  const text = printableMessage(message);
  return { check, status, message: text, ...(hint === undefined ? {} : { hint: printableMessage(hint) }) };
}

/**
 * The access key id as it may be shown. Of one that is too long only the length is returned: it may be a secret access
 * key.
 */
export function shownKeyId({ accessKeyId }: Pick<Credentials, "accessKeyId">): string {
  const { length } = accessKeyId;
  return length > MAX_KEY_ID_CHARACTERS ? `an access key id of ${length} characters` : accessKeyId;
}

/**
 * A phrase for the time of an expiration relative to `now`: `expires in 5 h 59 min`, `expired 3 min ago`.
 */
export function expiry(expiresAt: number, now: number): string {
  const minutes = Math.floor(Math.abs(expiresAt - now) / 60_000);
  const time = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return expiresAt > now ? `expires in ${time}` : `expired ${time} ago`;
}
