import { CredentialsProviderError, type RequestNotSentError } from "../errors.ts";
import { attemptsSuffix, isTransientStatus, type SendResult } from "../http/retry.ts";

/** Says that something else may respond in place of IMDS. */
export const NOT_EC2_HINT = "Something other than EC2's metadata service may be responding at this address.";

/** The settings that messages quote. */
interface QuotedSettings {
  readonly endpoint: string;
  readonly timeoutMs: number;
}

const TOKEN_ACTION = "get an IMDSv2 token";
const HOP_LIMIT_HINT =
  "In a container on EC2, set the instance's HttpPutResponseHopLimit to 2 or use container credentials; " +
  "outside EC2 there is no IMDS: set AWS_EC2_METADATA_DISABLED=true.";
const UNREACHABLE_HINT =
  "On EC2, check that the metadata service is enabled for the instance; elsewhere there is none: " +
  "set AWS_EC2_METADATA_DISABLED=true.";
const BUSY_HINT =
  "IMDS is busy, and limits requests per instance: let programs share credentials, or raise maxRetries.";
const REDIRECT_HINT =
  "IMDS never redirects: a proxy or a captive portal may be responding. The redirect was not followed.";
const STATUS_HINTS: Readonly<Record<number, string>> = {
  401: "IMDS requires a token and does not accept this one: another instance, a proxy or a filter may be responding.",
  403: "IMDS is disabled for this instance (HttpEndpoint), or a filter blocks this path.",
  404: "The path does not exist on this instance.",
};

/** The error for a request without a valid response: its message says what happened, its hint what to do. */
export function failure(
  action: string,
  { outcome, attempts }: SendResult,
  settings: QuotedSettings,
): CredentialsProviderError {
  const suffix = attemptsSuffix(attempts);
  switch (outcome.kind) {
    case "response":
      return new CredentialsProviderError(
        "ImdsHttpError",
        `Cannot ${action}: IMDS returned ${outcome.status}${suffix}`,
        {
          statusCode: outcome.status,
          tryNextLink: outcome.status === 403,
          hint: statusHint(outcome.status),
        },
      );
    case "invalidBody":
      return new CredentialsProviderError("ImdsInvalidResponse", `Cannot use the response of IMDS: ${outcome.state}`, {
        statusCode: outcome.status,
        hint: NOT_EC2_HINT,
      });
    case "notSent":
      return notSentError(action, outcome.error);
    case "timeout":
    case "unreachable": {
      const state = outcome.kind === "timeout"
        ? `no complete response within ${settings.timeoutMs} ms`
        : "the connection failed";
      const where = new URL(settings.endpoint).host;
      return new CredentialsProviderError("ImdsUnreachable", `Cannot ${action}: ${state} at ${where}${suffix}`, {
        cause: outcome.cause,
        hint: UNREACHABLE_HINT,
      });
    }
  }
}

/**
 * The error for a token request. After a timeout it is not known whether there was a connection, so the hint names both
 * causes: outside EC2 there is no IMDS, and where the hop limit is 1 its response does not reach a container.
 */
export function tokenFailure(sent: SendResult, settings: QuotedSettings): CredentialsProviderError {
  const error = failure(TOKEN_ACTION, sent, settings);
  const { message, cause, hint, statusCode } = error;
  if (statusCode === 400) return new CredentialsProviderError("ImdsTokenError", message, { statusCode, hint });
  if (sent.outcome.kind !== "timeout") return error;
  return new CredentialsProviderError("ImdsTokenTimeout", message, { cause, hint: HOP_LIMIT_HINT });
}

export function unusableToken(): CredentialsProviderError {
  return new CredentialsProviderError("ImdsInvalidResponse", `Cannot ${TOKEN_ACTION}: the response is not a token`, {
    statusCode: 200,
    hint: NOT_EC2_HINT,
  });
}

/** The error when there is no token, and a setting forbids IMDSv1. */
export function fallbackError(blockedBy: string, cause: CredentialsProviderError): CredentialsProviderError {
  return new CredentialsProviderError(
    "InstanceMetadataV1FallbackError",
    `Cannot use IMDSv1: blocked by ${blockedBy}, and there is no IMDSv2 token`,
    { cause, hint: `Enable IMDSv2 for the instance, or remove ${blockedBy}.` },
  );
}

/** The token request got no response, and the instance does not allow IMDSv1 in its place. */
export function v1RejectedError(): CredentialsProviderError {
  const message = `Cannot ${TOKEN_ACTION}: no complete response to the token request, and IMDSv1 returned 401`;
  return new CredentialsProviderError("ImdsTokenTimeout", message, { statusCode: 401, hint: HOP_LIMIT_HINT });
}

export function disabledError(disabledBy: string): CredentialsProviderError {
  return new CredentialsProviderError("ImdsDisabled", `Cannot read instance metadata: disabled by ${disabledBy}`, {
    hint: `Remove ${disabledBy}, or set it to false.`,
  });
}

function notSentError(action: string, { reason, message, hint }: RequestNotSentError): CredentialsProviderError {
  const code = { proxy: "ImdsProxyError", permission: "ImdsUnreachable", unsupported: "ConfigurationError" } as const;
  return new CredentialsProviderError(code[reason], `Cannot ${action}: ${message}`, { hint });
}

function statusHint(status: number): string {
  if (isTransientStatus(status)) return BUSY_HINT;
  return STATUS_HINTS[status] ?? (status >= 300 && status <= 399 ? REDIRECT_HINT : NOT_EC2_HINT);
}
