/** The reason of a {@linkcode CredentialsProviderError}. Only a major version renames or removes a code. */
export type CredentialsErrorCode =
  | "ImdsDisabled"
  | "ImdsUnreachable"
  | "ImdsTokenTimeout"
  | "ImdsNoRole"
  | "InstanceMetadataV1FallbackError"
  | "ImdsProxyError"
  | "ImdsTokenError"
  | "ImdsHttpError"
  | "ImdsInvalidProfile"
  | "ImdsInvalidResponse"
  | "ProcessProviderExecutionError"
  | "ProcessProviderParseError"
  | "ProcessProviderVersionError"
  | "ProcessProviderRequiredError"
  | "ConfigurationError"
  | "ConfigParseError"
  | "ConfigReadError"
  | "ProfileNotFoundError"
  | "NoCredentialProcess"
  | "UnsupportedSource"
  | "SsoConfigurationError"
  | "SsoTokenError"
  | "SsoError"
  | "LoginError"
  | "NoCredentials"
  | "ContainerConfigurationError"
  | "ContainerHttpError"
  | "ContainerInvalidResponse"
  | "ContainerUnreachable"
  | "ContainerProxyError"
  | "TokenFileError"
  | "WebIdentityTokenError"
  | "StsError"
  | "StsInvalidResponse"
  | "StsUnreachable"
  | "AssumeRoleConfigurationError"
  | "AssumeRoleCycle"
  | "MfaCodeError"
  | "ExpiredCredentialsError"
  | "InvalidCredentials";

/** Whether a later attempt may succeed, and whether a chain may continue, unless the details of an error set it. */
interface Classification {
  readonly recoverable: boolean;
  readonly tryNextLink: boolean;
}

/** The source is not available now; a chain continues. */
const UNAVAILABLE: Classification = { recoverable: true, tryNextLink: true };
/** The source is not set up here; a chain continues. */
const ABSENT: Classification = { recoverable: false, tryNextLink: true };
/** The source is set up and failed; it may succeed later. */
const BROKEN: Classification = { recoverable: true, tryNextLink: false };
/** The source is set up, and something must be corrected. */
const WRONG: Classification = { recoverable: false, tryNextLink: false };

const CLASSIFICATION: Readonly<Record<CredentialsErrorCode, Classification>> = {
  ImdsDisabled: ABSENT,
  ImdsUnreachable: UNAVAILABLE,
  ImdsTokenTimeout: UNAVAILABLE,
  ImdsNoRole: UNAVAILABLE,
  InstanceMetadataV1FallbackError: UNAVAILABLE,
  ImdsProxyError: BROKEN,
  ImdsTokenError: BROKEN,
  ImdsHttpError: BROKEN,
  ImdsInvalidProfile: BROKEN,
  ImdsInvalidResponse: BROKEN,
  ProcessProviderExecutionError: BROKEN,
  ProcessProviderParseError: BROKEN,
  ProcessProviderVersionError: BROKEN,
  ProcessProviderRequiredError: BROKEN,
  ConfigurationError: WRONG,
  ConfigParseError: WRONG,
  ConfigReadError: BROKEN,
  ProfileNotFoundError: WRONG,
  NoCredentialProcess: ABSENT,
  UnsupportedSource: WRONG,
  SsoConfigurationError: WRONG,
  SsoTokenError: WRONG,
  SsoError: BROKEN,
  LoginError: BROKEN,
  NoCredentials: ABSENT,
  ContainerConfigurationError: WRONG,
  ContainerHttpError: BROKEN,
  ContainerInvalidResponse: BROKEN,
  ContainerUnreachable: BROKEN,
  ContainerProxyError: BROKEN,
  TokenFileError: BROKEN,
  WebIdentityTokenError: BROKEN,
  StsError: BROKEN,
  StsInvalidResponse: BROKEN,
  StsUnreachable: BROKEN,
  AssumeRoleConfigurationError: WRONG,
  AssumeRoleCycle: WRONG,
  MfaCodeError: WRONG,
  ExpiredCredentialsError: BROKEN,
  InvalidCredentials: BROKEN,
};

/** What a {@linkcode CredentialsProviderError} may have besides its code and message. */
export interface CredentialsErrorDetails {
  /** One sentence that names the fix. */
  readonly hint?: string | undefined;
  /** The HTTP status of the response that ended the attempt. */
  readonly statusCode?: number | undefined;
  /** The `Code` field of an IMDS role document that reports a failure. */
  readonly imdsCode?: string | undefined;
  /** The code that a container endpoint reports. */
  readonly containerCode?: string | undefined;
  /** The code that STS reports, without the word `Exception` at its end. */
  readonly stsCode?: string | undefined;
  /** The id under which AWS logged the request. */
  readonly requestId?: string | undefined;
  /** The profiles from the selected one along `source_profile`, in order; the last one is the one that occurs twice. */
  readonly chain?: readonly string[] | undefined;
  /** The error code of the SSO services, such as `UnauthorizedException`. */
  readonly ssoCode?: string | undefined;
  /** The error code of the sign-in service, such as `TOKEN_EXPIRED`. */
  readonly loginCode?: string | undefined;
  /** The command that a person must run, such as `aws sso login --sso-session dev`. */
  readonly command?: string | undefined;
  /** The exit code of a credential process that failed. */
  readonly exitCode?: number | undefined;
  /** The signal that killed a credential process, such as `SIGKILL`. */
  readonly signal?: string | undefined;
  /** The last KiB that a credential process wrote to stderr, with `stderr: "pipe"`. */
  readonly stderr?: string | undefined;
  /** The path of the file that cannot be read or parsed, with `~` expanded. */
  readonly path?: string | undefined;
  /** The line of that file, counted from 1. */
  readonly line?: number | undefined;
  /** The error of each provider of a chain, in order. */
  readonly errors?: readonly unknown[] | undefined;
  /** Whether a later attempt may succeed; by default the code decides. */
  readonly recoverable?: boolean;
  /** Whether a chain may continue with its next provider; by default the code decides. */
  readonly tryNextLink?: boolean;
  /** The underlying error. An error of this library does not quote a secret. */
  readonly cause?: unknown;
}

/**
 * The error that this library throws if it cannot return credentials: no role, no response, a wrong setting. A call
 * whose signal aborts rejects with the signal's reason; the error of a function of yours is passed on unchanged.
 *
 * Branch on {@linkcode CredentialsProviderError.code}. AWS SDK v3 chains read `tryNextLink`. The library puts no secret
 * into the message or a property. `stderr`, and errors in `cause` and `errors` that are not from this library, are
 * passed on unchanged.
 *
 * @since 0.1.0
 * @example Usage
 * ```ts
 * import { CredentialsProviderError, fromInstanceMetadata } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const provider = fromInstanceMetadata({ disabled: true });
 * const error = await provider().catch((error: unknown) => error);
 * if (error instanceof CredentialsProviderError) assertEquals(error.code, "ImdsDisabled");
 * ```
 */
export class CredentialsProviderError extends Error {
  /** The code, with `Error` appended unless the code ends with `Error`. */
  override readonly name: string;
  /** Why it failed. */
  readonly code: CredentialsErrorCode;
  /**
   * Whether a later attempt may succeed without a change of settings. If true, cached credentials of a source with
   * static stability are still served.
   */
  readonly recoverable: boolean;
  /**
   * Whether a chain may continue with its next provider: true for "not available here", false for "available but
   * broken".
   */
  readonly tryNextLink: boolean;
  /** One sentence that names the fix, if a person can act. */
  declare readonly hint?: string;
  /** The HTTP status of the response that ended the attempt. */
  declare readonly statusCode?: number;
  /** The `Code` field of an IMDS role document that reports a failure. */
  declare readonly imdsCode?: string;
  /** The code that a container endpoint reports, such as `NoCredentialsAssociated`. */
  declare readonly containerCode?: string;
  /** The code that STS reports, without the word `Exception` at its end, such as `AccessDenied`. */
  declare readonly stsCode?: string;
  /** The id under which AWS logged the request. */
  declare readonly requestId?: string;
  /** The profiles from the selected one along `source_profile`, in order; the last one is the one that occurs twice. */
  declare readonly chain?: readonly string[];
  /** The error code of the SSO services, such as `UnauthorizedException`. */
  declare readonly ssoCode?: string;
  /** The error code of the sign-in service, such as `TOKEN_EXPIRED`. */
  declare readonly loginCode?: string;
  /**
   * The command that a person must run, such as `aws sso login --sso-session dev`. Set only if a new sign-in is the
   * only fix.
   */
  declare readonly command?: string;
  /** The exit code of a credential process that failed. */
  declare readonly exitCode?: number;
  /** The signal that killed a credential process, such as `SIGKILL`. */
  declare readonly signal?: string;
  /**
   * The last KiB that a credential process wrote to stderr, with `stderr: "pipe"`. It is not part of
   * the message, and is not changed: it may contain control characters, and secrets that the process printed.
   */
  declare readonly stderr?: string;
  /** The path of the file that cannot be read or parsed, with `~` expanded. */
  declare readonly path?: string;
  /** The line of that file, counted from 1. */
  declare readonly line?: number;
  /** The error of each provider of a chain, in order. */
  declare readonly errors?: readonly unknown[];

  /**
   * Creates the error. The code decides `recoverable` and `tryNextLink`, unless the details set them.
   *
   * @param code Why it failed.
   * @param message What was tried and what came back, without a secret.
   * @param details The other properties of the error.
   */
  constructor(code: CredentialsErrorCode, message: string, details: CredentialsErrorDetails = {}) {
    const { cause, recoverable, tryNextLink, ...shown } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.name = code.endsWith("Error") ? code : `${code}Error`;
    this.code = code;
    this.recoverable = recoverable ?? CLASSIFICATION[code].recoverable;
    this.tryNextLink = tryNextLink ?? CLASSIFICATION[code].tryNextLink;
    // JavaScriptCore gives every error a `line`: the line of the source code that created it.
    delete (this as { line?: number }).line;
    for (const [key, value] of Object.entries(shown)) {
      if (value !== undefined) Object.defineProperty(this, key, { value, enumerable: true });
    }
  }
}

/**
 * Whether a later attempt may succeed without a change of settings: the `recoverable` of the error, else that of its
 * first cause that has it, else true.
 */
export function isRecoverable(error: unknown): boolean {
  const seen = new Set<unknown>();
  let current = error;
  while (typeof current === "object" && current !== null && !seen.has(current)) {
    const { recoverable, cause } = current as { readonly recoverable?: unknown; readonly cause?: unknown };
    if (typeof recoverable === "boolean") return recoverable;
    seen.add(current);
    current = cause;
  }
  return true;
}

/**
 * The error of a runtime adapter that does not send a request. Nothing was sent. The provider replaces it with a
 * {@linkcode CredentialsProviderError}.
 */
export class RequestNotSentError extends Error {
  override readonly name = "RequestNotSentError";
  /**
   * `proxy`: a proxy would see the request. `permission`: one is missing. `unsupported`: this runtime cannot send
   * requests.
   */
  readonly reason: "proxy" | "permission" | "unsupported";
  /** One sentence that names the fix. */
  readonly hint: string;

  /** Creates the error. `state` follows the colon of a message, such as "Cannot refresh the SSO token: …". */
  constructor(reason: RequestNotSentError["reason"], state: string, hint: string) {
    super(state);
    this.reason = reason;
    this.hint = hint;
  }
}
