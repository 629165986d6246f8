import { type RoleDocument, RotatingCredentials } from "./credentials.ts";
import type { ContainerStep } from "./ecs.ts";
import {
  type EmulatedRequest,
  Emulator,
  type EmulatorOptions,
  type FaultScope,
  type ReceivedRequest,
} from "./emulator.ts";
import type { Fault } from "./faults.ts";
import { RateLimit } from "./rate_limit.ts";
import { type EmulatedResponse, jsonResponse, textResponse } from "./response.ts";

/** Options of {@linkcode EksEmulator}. */
export interface EksEmulatorOptions extends EmulatorOptions {
  /** The valid service account tokens. @default {["emulated-service-account-token"]} */
  readonly tokens?: Iterable<string> | undefined;
  /** Whether a pod identity association exists. @default {true} */
  readonly isAssociated?: boolean | undefined;
  /** The account in the document. @default {"123456789012"} */
  readonly accountId?: string | undefined;
  /**
   * Refuses requests whose host is not one of the agent's two addresses. Do not set it for a served emulator, which has
   * another address.
   * @default {false}
   */
  readonly checkHost?: boolean | undefined;
  /**
   * The number of requests allowed per second; at most half of that number at the same time. Others get 429.
   * @default {1000}
   */
  readonly requestsPerSecond?: number | undefined;
  /**
   * The lifetime of new credentials, in seconds. They are replaced five minutes before they expire; with 300 or less,
   * each request gets new ones.
   * @default {21600}
   */
  readonly lifetimeSeconds?: number | undefined;
}

/** The errors of EKS that the agent passes on. */
export type EksErrorCode =
  | "AccessDeniedException"
  | "ExpiredTokenException"
  | "InternalServerException"
  | "InvalidParameterException"
  | "InvalidRequestException"
  | "InvalidTokenException"
  | "ResourceNotFoundException"
  | "ServiceUnavailableException"
  | "ThrottlingException";

/** A fault of {@linkcode EksEmulator}; an error code means: the agent's response with this code. */
export type EksFault = Fault | EksErrorCode;

const PATH = "/v1/credentials";
const HOSTNAMES: readonly string[] = ["169.254.170.23", "[fd00:ec2::23]"];

/** @see {@link https://docs.aws.amazon.com/eks/latest/APIReference/API_auth_AssumeRoleForPodIdentity.html} */
const ERRORS: Readonly<Record<EksErrorCode, readonly [status: number, message: string]>> = {
  AccessDeniedException: [400, "The role does not trust pods.eks.amazonaws.com"],
  ExpiredTokenException: [400, "The service account token has expired"],
  InternalServerException: [500, "Internal error"],
  InvalidParameterException: [400, "A parameter is wrong"],
  InvalidRequestException: [400, "The request is wrong"],
  InvalidTokenException: [400, "The service account token is not valid"],
  ResourceNotFoundException: [404, "There is no association for this service account"],
  ServiceUnavailableException: [503, "EKS is not available"],
  ThrottlingException: [429, "Too many requests to EKS"],
};

/**
 * The EKS Pod Identity agent. It responds with 400 without a valid service account token, 403 for a URL with another
 * host, if `checkHost` is set, and 429 for too many requests. Its errors are plain text; those that come from EKS have
 * the form `[id]: (Code): message, fault: client`, or `fault: server` with a status of 500 and above.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html}
 * @example Usage
 * ```ts
 * import { EksEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new EksEmulator({ tokens: ["first"] });
 * const get = (token: string) =>
 *   emulator.fetch("http://169.254.170.23/v1/credentials", { headers: { authorization: token } });
 * assertEquals((await get("first")).status, 200);
 *
 * emulator.tokens.delete("first");
 * emulator.tokens.add("second");
 * const refused = await get("first");
 * assertEquals(refused.status, 400);
 * assertEquals((await refused.text()).includes("(ExpiredTokenException)"), true);
 * assertEquals((await get("second")).status, 200);
 * ```
 */
export class EksEmulator extends Emulator<ContainerStep> {
  /** The valid service account tokens. A token that was used and then deleted here gets `ExpiredTokenException`. */
  readonly tokens: Set<string>;
  /** Whether a pod identity association exists; can be changed. */
  isAssociated: boolean;
  /** Fields that replace or add to those of the document, for example an `Expiration` in the past; can be changed. */
  document: RoleDocument = {};
  readonly #accountId: string;
  readonly #checkHost: boolean;
  readonly #usedTokens = new Set<string>();
  readonly #credentials: RotatingCredentials;
  readonly #rateLimit: RateLimit;

  /**
   * Creates an emulated agent.
   *
   * @param options See {@linkcode EksEmulatorOptions}.
   */
  constructor(options: EksEmulatorOptions = {}) {
    super("EKS", options);
    const { tokens = ["emulated-service-account-token"], accountId = "123456789012", isAssociated = true } = options;
    const { checkHost = false, requestsPerSecond = 1_000, lifetimeSeconds = 21_600 } = options;
    this.tokens = new Set(tokens);
    this.isAssociated = isAssociated;
    this.#accountId = accountId;
    this.#checkHost = checkHost;
    this.#rateLimit = new RateLimit(requestsPerSecond, requestsPerSecond / 2);
    this.#credentials = new RotatingCredentials(() => this.issue(lifetimeSeconds), () => this.now());
  }

  /**
   * Injects a fault into the next requests of a step. Each fault applies to `times` requests; after that, the fault
   * that was injected next applies.
   *
   * @param fault The fault.
   * @param scope The requests that have it, and how many.
   */
  override inject(fault: EksFault, scope: FaultScope<ContainerStep> = {}): void {
    super.inject(isErrorCode(fault) ? this.#errorResponse(fault) : fault, scope);
  }

  /** Makes the next request get new credentials. */
  rotate(): void {
    this.#credentials.rotate();
  }

  /** Returns the step of the protocol to which a request belongs. */
  protected override stepOf({ path }: ReceivedRequest): ContainerStep {
    return path === PATH ? "credentials" : "other";
  }

  /** Responds as the agent does. */
  protected override respond({ method, url, headers, step }: EmulatedRequest): EmulatedResponse {
    if (step === "other") return textResponse("Not found\n", 404);
    if (!this.#rateLimit.allows(this.now())) return textResponse("Too many requests\n", 429);
    if (method !== "GET") return textResponse("Use GET\n", 405);
    if (this.#checkHost && !HOSTNAMES.includes(new URL(url).hostname)) {
      return textResponse("Access denied: the request was sent to an address that is not the agent's\n", 403);
    }
    const token = headers["authorization"] ?? "";
    if (token === "") return textResponse("The service account token is empty\n", 400);
    if (!this.tokens.has(token)) {
      return this.#errorResponse(this.#usedTokens.has(token) ? "ExpiredTokenException" : "InvalidTokenException");
    }
    this.#usedTokens.add(token);
    return this.isAssociated ? this.#documentResponse() : this.#errorResponse("ResourceNotFoundException");
  }

  #documentResponse(): EmulatedResponse {
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = this.#credentials.current;
    return jsonResponse({
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      AccountId: this.#accountId,
      Expiration: isoNanoseconds(expiresAt),
      ...this.document,
    });
  }

  #errorResponse(code: EksErrorCode): EmulatedResponse {
    const [status, message] = ERRORS[code];
    const fault = status >= 500 ? "server" : "client";
    return textResponse(`[emulated-request-${this.nextSerial()}]: (${code}): ${message}, fault: ${fault}\n`, status);
  }
}

function isErrorCode(fault: EksFault): fault is EksErrorCode {
  return typeof fault === "string" && Object.hasOwn(ERRORS, fault);
}

/** A time in the form of the agent: RFC 3339 with nine digits after the second. */
function isoNanoseconds(at: number): string {
  return new Date(at).toISOString().replace("Z", "000001Z");
}
