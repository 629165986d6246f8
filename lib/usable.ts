import type { Credentials, ForeignCredentials } from "./credentials.ts";
import { CredentialsProviderError } from "./errors.ts";
import { redacted } from "./redaction.ts";

/**
 * A copy of the credentials from a provider that may be anybody's, with a source name.
 *
 * @throws {CredentialsProviderError} `InvalidCredentials` for anything that cannot sign a request.
 */
export function usable(credentials: ForeignCredentials): Credentials {
  const { accessKeyId, secretAccessKey, expiration } = (credentials ?? {}) as Partial<ForeignCredentials>;
  if (!isText(accessKeyId) || !isText(secretAccessKey)) throw invalid("accessKeyId or secretAccessKey is missing");
  if (expiration !== undefined && !(expiration instanceof Date && Number.isFinite(expiration.getTime()))) {
    throw invalid("expiration is not a valid Date");
  }
  return redacted({ ...credentials, source: credentials.source ?? "custom" });
}

/** The error for credentials that were past their expiration when they arrived. */
export function expiredError(): CredentialsProviderError {
  return new CredentialsProviderError(
    "ExpiredCredentialsError",
    "Cannot use the credentials: they were expired on arrival",
    { hint: "Check the clock of this machine, then what makes the credentials." },
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function invalid(state: string): CredentialsProviderError {
  return new CredentialsProviderError("InvalidCredentials", `Cannot use the credentials: ${state}`, {
    hint: "The provider must return accessKeyId and secretAccessKey, and a Date as expiration if there is one.",
  });
}
