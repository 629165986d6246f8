import { isoSeconds } from "../timestamp.ts";
import {
  type EmulatedRequest,
  Emulator,
  type EmulatorOptions,
  type FaultScope,
  type ReceivedRequest,
} from "./emulator.ts";
import type { Fault } from "./faults.ts";
import type { EmulatedResponse } from "./response.ts";
import { type EmulatedAccessKey, verifySignature } from "./signature.ts";
import { actionOf, formParameters, parameterError, type StsAction } from "./sts_parameters.ts";
import { isStsErrorCode, type StsErrorCode, stsErrorResponse, stsResultResponse } from "./sts_response.ts";

/**
 * A role that {@linkcode StsEmulator} knows. Every known access key may assume it; if the role has an external id or
 * MFA, the request must send them. Every valid web identity token may assume a role without an external id.
 */
export interface EmulatedRole {
  /** The external id that `AssumeRole` must send. */
  readonly externalId?: string;
  /**
   * The serial number of the MFA device and its current code, which `AssumeRole` must send. Each code can be used once.
   */
  readonly mfa?: { readonly serial: string; readonly code: string };
  /** The longest session, in seconds. @default {3600} */
  readonly maxSessionSeconds?: number;
}

/** Options of {@linkcode StsEmulator}. */
export interface StsEmulatorOptions extends EmulatorOptions {
  /** The roles, by ARN. @default {{ "arn:aws:iam::123456789012:role/emulated-role": {} }} */
  readonly roles?: Readonly<Record<string, EmulatedRole>> | undefined;
  /**
   * The access keys that may sign requests, by id, in addition to those that this emulator issues.
   * @default {{ AKIAEMULATED00000001: { secretAccessKey: "emulated-secret-access-key" } }}
   */
  readonly accessKeys?: Readonly<Record<string, EmulatedAccessKey>> | undefined;
  /** Emulators whose credentials may sign requests, too, such as an `ImdsEmulator`. @default {[]} */
  readonly credentialsFrom?: readonly Pick<Emulator, "issued">[] | undefined;
  /** The valid web identity tokens. @default {["emulated-web-identity-token"]} */
  readonly tokens?: Iterable<string> | undefined;
  /** Returns whether a web identity token that is not in `tokens` is valid. */
  readonly acceptToken?: ((token: string) => boolean) | undefined;
  /**
   * The region that signatures must be for. Defaults to the region in the host name; if that has none, any region is
   * valid.
   */
  readonly region?: string | undefined;
  /** How far the time of a signature may be from the clock of the emulator, in milliseconds. @default {900000} */
  readonly maxSkewMs?: number | undefined;
}

/** The steps that faults can be limited to: the three operations, and all other requests. */
export type StsStep = StsAction | "other";

/** A fault of {@linkcode StsEmulator}; an error code means: the response with this code. */
export type StsFault = Fault | StsErrorCode;

/** Why a request is refused. */
interface Refusal {
  readonly code: StsErrorCode;
  readonly message: string;
}

/** Who signed a request. */
type Signer = Pick<Extract<Awaited<ReturnType<typeof verifySignature>>, { kind: "signed" }>, "accessKeyId" | "key">;

const VERSION = "2011-06-15";
/** The identity of keys without a session token that this emulator did not issue. */
const USER_ARN = "arn:aws:iam::123456789012:user/emulated-user";
/** The same for keys with a session token. */
const SESSION_ARN = "arn:aws:sts::123456789012:assumed-role/emulated-role/emulated-session";
const CHAINED_MAX_SECONDS = 3_600;
const DEFAULT_SECONDS = 3_600;
const HOST_REGEXP = /^sts(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\./;

/**
 * STS with `AssumeRole`, `AssumeRoleWithWebIdentity` and `GetCallerIdentity`. It validates each parameter, refuses
 * unknown ones, verifies signatures (scope, time, session token), and checks the role, the external id, the MFA code
 * and the duration, which is at most 3600 seconds if the request is signed with the credentials of a role (role
 * chaining). The credentials it issues can sign the next request.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html}
 * @example Web identity
 * ```ts
 * import { StsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new StsEmulator({ tokens: ["a-token"] });
 * const assumeRole = (token: string) =>
 *   emulator.fetch("https://sts.us-east-1.amazonaws.com/", {
 *     method: "POST",
 *     body: new URLSearchParams({
 *       Action: "AssumeRoleWithWebIdentity",
 *       Version: "2011-06-15",
 *       RoleArn: "arn:aws:iam::123456789012:role/emulated-role",
 *       RoleSessionName: "test",
 *       WebIdentityToken: token,
 *     }),
 *   });
 * assertEquals((await assumeRole("a-token")).status, 200);
 * assertEquals((await (await assumeRole("b-token")).text()).includes("<Code>InvalidIdentityToken</Code>"), true);
 * ```
 * @example Roles, keys and faults
 * ```ts
 * import { ImdsEmulator, StsEmulator } from "@rolecreds/aws/testing";
 *
 * const imds = new ImdsEmulator();
 * const sts = new StsEmulator({
 *   credentialsFrom: [imds],
 *   roles: { "arn:aws:iam::123456789012:role/deploy": { externalId: "an-id", maxSessionSeconds: 7_200 } },
 * });
 * sts.inject("Throttling", { on: "AssumeRole", times: 2 });
 * ```
 */
export class StsEmulator extends Emulator<StsStep> {
  /** The roles, by ARN; set or delete them as the test needs. */
  readonly roles: Map<string, EmulatedRole>;
  /** The access keys that may sign requests, by id. */
  readonly accessKeys: Map<string, EmulatedAccessKey>;
  /** The valid web identity tokens. A token that was used and then deleted here gets `ExpiredTokenException`. */
  readonly tokens: Set<string>;
  readonly #options: StsEmulatorOptions;
  readonly #usedTokens = new Set<string>();
  readonly #usedCodes = new Set<string>();
  /** The ARN of the identity of the issued credentials, by access key id. */
  readonly #sessionArns = new Map<string, string>();

  /**
   * Creates an emulated STS.
   *
   * @param options See {@linkcode StsEmulatorOptions}.
   */
  constructor(options: StsEmulatorOptions = {}) {
    super("STS", options);
    const { roles = { "arn:aws:iam::123456789012:role/emulated-role": {} } } = options;
    const { accessKeys = { AKIAEMULATED00000001: { secretAccessKey: "emulated-secret-access-key" } } } = options;
    this.roles = new Map(Object.entries(roles));
    this.accessKeys = new Map(Object.entries(accessKeys));
    this.tokens = new Set(options.tokens ?? ["emulated-web-identity-token"]);
    this.#options = options;
  }

  /**
   * Injects a fault into the next requests of a step. Each fault applies to `times` requests; after that, the fault
   * that was injected next applies.
   *
   * @param fault The fault.
   * @param scope The requests that have it, and how many.
   */
  override inject(fault: StsFault, scope: FaultScope<StsStep> = {}): void {
    const isCode = typeof fault === "string" && isStsErrorCode(fault);
    super.inject(isCode ? this.#refuse({ code: fault, message: `Injected: ${fault}` }) : fault, scope);
  }

  /** Returns the step of the protocol to which a request belongs. */
  protected override stepOf(request: ReceivedRequest): StsStep {
    return actionOf(formParameters(request)) ?? "other";
  }

  /** Responds as STS does. */
  protected override async respond(request: EmulatedRequest): Promise<EmulatedResponse> {
    const parameters = formParameters(request);
    const action = this.stepOf(request);
    if (action === "other" || parameters.get("Version") !== VERSION) {
      return this.#refuse({ code: "InvalidAction", message: "The request names no known operation and version" });
    }
    if (action === "AssumeRoleWithWebIdentity") return this.#assumeRoleWithWebIdentity(parameters);
    // Before the parameters are checked, as STS does: a caller without a valid signature gets no details about them.
    const signer = await this.#verify(request);
    if (signer.kind === "refused") return this.#refuse(signer);
    return action === "AssumeRole" ? this.#assumeRole(signer, parameters) : this.#callerIdentity(signer, parameters);
  }

  #verify(request: EmulatedRequest): ReturnType<typeof verifySignature> {
    const { region = HOST_REGEXP.exec(new URL(request.url).hostname)?.[1], maxSkewMs = 900_000 } = this.#options;
    const findKey = (accessKeyId: string) => this.#findKey(accessKeyId);
    return verifySignature(request, { findKey, service: "sts", region, now: this.now(), maxSkewMs });
  }

  #assumeRole({ key }: Signer, parameters: URLSearchParams): EmulatedResponse {
    const refusal = parameterRefusal("AssumeRole", parameters) ?? this.#trustRefusal(parameters) ??
      this.#durationRefusal(parameters, key.sessionToken !== undefined) ?? this.#mfaRefusal(parameters);
    return refusal === undefined ? this.#sessionResponse("AssumeRole", parameters, {}) : this.#refuse(refusal);
  }

  #callerIdentity({ accessKeyId, key }: Signer, parameters: URLSearchParams): EmulatedResponse {
    const action = "GetCallerIdentity";
    const refusal = parameterRefusal(action, parameters);
    if (refusal !== undefined) return this.#refuse(refusal);
    const arn = this.#sessionArns.get(accessKeyId) ?? (key.sessionToken === undefined ? USER_ARN : SESSION_ARN);
    const result = { Arn: arn, UserId: "AIDAEMULATED000000001", Account: arn.split(":")[4] ?? "" };
    return stsResultResponse(action, result, this.#requestId());
  }

  #assumeRoleWithWebIdentity(parameters: URLSearchParams): EmulatedResponse {
    const action = "AssumeRoleWithWebIdentity";
    const refusal = parameterRefusal(action, parameters) ?? this.#tokenRefusal(parameters) ??
      this.#trustRefusal(parameters) ?? this.#durationRefusal(parameters, false);
    if (refusal !== undefined) return this.#refuse(refusal);
    const identity = { SubjectFromWebIdentityToken: "emulated-subject", Audience: "sts.amazonaws.com" };
    return this.#sessionResponse(action, parameters, identity);
  }

  #findKey(accessKeyId: string): EmulatedAccessKey | undefined {
    const emulators = [this, ...(this.#options.credentialsFrom ?? [])];
    return this.accessKeys.get(accessKeyId) ??
      emulators.map(({ issued }) => issued.get(accessKeyId)).find((key) => key !== undefined);
  }

  #trustRefusal(parameters: URLSearchParams): Refusal | undefined {
    const role = this.roles.get(parameters.get("RoleArn") ?? "");
    const { externalId } = role ?? {};
    if (role !== undefined && (externalId === undefined || externalId === parameters.get("ExternalId"))) {
      return undefined;
    }
    return { code: "AccessDenied", message: `Not authorized to assume the role ${parameters.get("RoleArn")}` };
  }

  #tokenRefusal(parameters: URLSearchParams): Refusal | undefined {
    const token = parameters.get("WebIdentityToken") ?? "";
    if (this.tokens.has(token) || this.#options.acceptToken?.(token) === true) {
      this.#usedTokens.add(token);
      return undefined;
    }
    return this.#usedTokens.has(token)
      ? { code: "ExpiredTokenException", message: "The web identity token has expired" }
      : { code: "InvalidIdentityToken", message: "The web identity token is not accepted" };
  }

  #durationRefusal(parameters: URLSearchParams, isChained: boolean): Refusal | undefined {
    const seconds = Number(parameters.get("DurationSeconds") ?? DEFAULT_SECONDS);
    const { maxSessionSeconds = 3_600 } = this.roles.get(parameters.get("RoleArn") ?? "") ?? {};
    if (seconds > maxSessionSeconds) {
      return { code: "ValidationError", message: "DurationSeconds exceeds the maximum session duration of the role" };
    }
    if (!isChained || seconds <= CHAINED_MAX_SECONDS) return undefined;
    return { code: "ValidationError", message: "DurationSeconds exceeds the 1 hour that role chaining allows" };
  }

  #mfaRefusal(parameters: URLSearchParams): Refusal | undefined {
    const [serial, code] = [parameters.get("SerialNumber"), parameters.get("TokenCode")];
    const { mfa } = this.roles.get(parameters.get("RoleArn") ?? "") ?? {};
    if (mfa === undefined && serial === null && code === null) return undefined;
    const used = `${serial} ${code}`;
    if (mfa === undefined || mfa.serial !== serial || mfa.code !== code || this.#usedCodes.has(used)) {
      return { code: "AccessDenied", message: "MultiFactorAuthentication failed: wrong device or code" };
    }
    this.#usedCodes.add(used);
    return undefined;
  }

  #sessionResponse(
    action: StsAction,
    parameters: URLSearchParams,
    extraFields: Readonly<Record<string, string>>,
  ): EmulatedResponse {
    const seconds = Number(parameters.get("DurationSeconds") ?? DEFAULT_SECONDS);
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = this.issue(seconds);
    const [, partition = "", , , accountId = "", resource = ""] = (parameters.get("RoleArn") ?? "").split(":");
    const session = `${resource.split("/").at(-1)}/${parameters.get("RoleSessionName")}`;
    const arn = `arn:${partition}:sts::${accountId}:assumed-role/${session}`;
    this.#sessionArns.set(accessKeyId, arn);
    const result = {
      ...extraFields,
      AssumedRoleUser: {
        AssumedRoleId: `AROAEMULATED000000001:${parameters.get("RoleSessionName")}`,
        Arn: arn,
      },
      Credentials: {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: isoSeconds(expiresAt),
      },
    };
    return stsResultResponse(action, result, this.#requestId());
  }

  #refuse({ code, message }: Refusal): EmulatedResponse {
    return stsErrorResponse(code, message, this.#requestId());
  }

  #requestId(): string {
    return `00000000-0000-4000-8000-${`${this.nextSerial()}`.padStart(12, "0")}`;
  }
}

function parameterRefusal(action: StsAction, parameters: URLSearchParams): Refusal | undefined {
  const message = parameterError(action, parameters);
  if (message !== undefined) return { code: "ValidationError", message };
  const policy = parameters.get("Policy");
  if (policy === null || isJson(policy)) return undefined;
  return { code: "MalformedPolicyDocument", message: "The session policy is not JSON" };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the error would quote the text
  }
}
