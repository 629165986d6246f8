import { CredentialsProviderError } from "../errors.ts";
import type { Outcome } from "../http/request.ts";
import { attemptsSuffix, isTransientStatus, retryAfterMs, type SendResult } from "../http/retry.ts";
import { parseStsFailure, type StsFailure } from "./response.ts";

/** What a code of STS means: whether the request may be repeated, and whether a later refresh may succeed. */
interface Meaning {
  readonly isRetryable?: boolean;
  readonly isRecoverable?: boolean;
  /** The maximum of the first delay, in milliseconds. */
  readonly baseMs?: number;
  readonly hint?: string;
}

const PARAMETER: Meaning = {
  isRecoverable: false,
  hint: "Check the session name and the duration: it must not be above the maximum of the role, and a role that is " +
    "assumed with the credentials of another role gets at most 3600 seconds.",
};
const SOURCE: Meaning = {
  hint:
    "Check the credentials that sign the request: they may be wrong or not active yet, or the region is not enabled.",
};
const POLICY: Meaning = { isRecoverable: false, hint: "Correct the session policy: it is malformed or too large." };
const BUSY: Meaning = { isRetryable: true };

/** @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html} */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  AccessDenied: {
    isRecoverable: false,
    hint: "Check the trust policy of the role: its principal, its conditions on sub, aud, external id and MFA, and " +
      "sts:TagSession where tags are passed.",
  },
  InvalidIdentityToken: {
    isRetryable: true,
    isRecoverable: false,
    baseMs: 1_000,
    hint: "Check that the account has an OIDC provider for the issuer of the token, with its audience and thumbprint.",
  },
  IDPCommunicationError: {
    isRetryable: true,
    baseMs: 1_000,
    hint: "Check that STS can reach the issuer of the token, and try again later.",
  },
  IDPRejectedClaim: { isRecoverable: false, hint: "The issuer rejected the token: get a new one." },
  ExpiredToken: {
    hint: "Check the clock, and that the token or the source credentials are refreshed before they expire.",
  },
  RegionDisabled: { isRecoverable: false, hint: "Activate STS for this region in the account, or set another region." },
  RequestExpired: { hint: "Check the clock of this machine." },
  MalformedPolicyDocument: POLICY,
  PackedPolicyTooLarge: POLICY,
  ValidationError: PARAMETER,
  InvalidParameterValue: PARAMETER,
  MissingParameter: PARAMETER,
  InvalidClientTokenId: SOURCE,
  UnrecognizedClient: SOURCE,
  SignatureDoesNotMatch: { hint: "Check the secret access key, and the clock of this machine." },
  RequestTimeout: BUSY,
  InternalFailure: BUSY,
  ServiceUnavailable: BUSY,
};

const THROTTLING_REGEXP =
  /^(Throttl|TooManyRequests|RequestThrottled|RequestLimitExceeded|SlowDown|BandwidthLimitExceeded|LimitExceeded|PriorRequestNotComplete|ProvisionedThroughputExceeded)/;
const THROTTLING: Meaning = {
  isRetryable: true,
  baseMs: 500,
  hint: "Too many requests to STS: create one provider, and use it for all requests.",
};
const SKEW_CODES: readonly (string | undefined)[] = ["RequestExpired", "SignatureDoesNotMatch", "RequestTimeTooSkewed"];

const DEFAULT_BASE_MS = 100;
const MAX_DELAY_MS = 5_000;

/**
 * The delay before the next retry: random, up to a maximum that doubles with each retry, plus the delay that the
 * response demands.
 *
 * @param retries How many retries there were.
 *
 * @returns Milliseconds, or `undefined` if the request is not sent again.
 */
export function stsDelayMs(outcome: Outcome, retries: number, maxRetries: number, random: number): number | undefined {
  if (retries >= maxRetries || outcome.kind === "notSent" || outcome.kind === "invalidBody") return undefined;
  if (outcome.kind !== "response") return backoffMs(retries, DEFAULT_BASE_MS, random);
  if (outcome.status >= 200 && outcome.status <= 299) return undefined;
  const failure = parseStsFailure(outcome.body);
  const { isRetryable = isTransientStatus(outcome.status), baseMs } = meaningOf(failure, outcome.status);
  if (!isRetryable) return undefined;
  return backoffMs(retries, baseMs ?? DEFAULT_BASE_MS, random) + demandedMs(outcome.headers);
}

/** Whether a failure may come from a wrong clock, by its code. */
export function mayBeClockSkew({ code }: StsFailure): boolean {
  return SKEW_CODES.includes(code);
}

/** Whether STS rejected the token or the credentials of a request because they have expired. */
export function isExpiredToken(error: unknown): boolean {
  return error instanceof CredentialsProviderError && error.stsCode === "ExpiredToken";
}

/** The error for an outcome other than 2xx. */
export function stsError(action: string, { outcome, attempts }: SendResult, url: string): CredentialsProviderError {
  const suffix = attemptsSuffix(attempts);
  const { host } = new URL(url);
  switch (outcome.kind) {
    case "response": {
      const failure = parseStsFailure(outcome.body);
      const { code, message, requestId } = failure;
      const { isRecoverable = true, hint } = meaningOf(failure, outcome.status);
      const said = [code, message].filter((part) => part !== undefined).join(", ");
      return new CredentialsProviderError(
        "StsError",
        `Cannot call ${action}: ${host} returned ${outcome.status}${said && `, ${said}`}${suffix}`,
        {
          statusCode: outcome.status,
          stsCode: code,
          requestId,
          recoverable: isRecoverable,
          hint: hint ?? "Look up the code in the API reference of STS.",
        },
      );
    }
    case "invalidBody":
      return new CredentialsProviderError("StsInvalidResponse", `Cannot use the response of STS: ${outcome.state}`, {
        statusCode: outcome.status,
        hint: "Something other than STS may be responding: check AWS_ENDPOINT_URL_STS and the proxy.",
      });
    case "notSent":
      return new CredentialsProviderError(
        outcome.error.reason === "unsupported" ? "ConfigurationError" : "StsUnreachable",
        `Cannot call ${action}: ${outcome.error.message}`,
        { hint: outcome.error.hint },
      );
    case "timeout":
    case "unreachable": {
      const state = outcome.kind === "timeout" ? "no complete response in time" : "the connection failed";
      return new CredentialsProviderError("StsUnreachable", `Cannot call ${action}: ${state} at ${host}${suffix}`, {
        cause: outcome.cause,
        hint: `Check the network, the region and the proxy; in Deno, grant --allow-net=${host}.`,
      });
    }
  }
}

function meaningOf({ code = "" }: StsFailure, status: number): Meaning {
  if (THROTTLING_REGEXP.test(code) || (status === 429 && !Object.hasOwn(MEANINGS, code))) return THROTTLING;
  return Object.hasOwn(MEANINGS, code) ? MEANINGS[code] ?? {} : {};
}

function backoffMs(retries: number, baseMs: number, random: number): number {
  return random * Math.min(2 ** retries * baseMs, MAX_DELAY_MS);
}

function demandedMs(headers: Headers): number {
  const milliseconds = headers.get("x-amz-retry-after") ?? "";
  return /^\d+$/.test(milliseconds)
    ? Math.min(Number(milliseconds), MAX_DELAY_MS)
    : retryAfterMs(headers.get("retry-after"));
}
