import { isoSeconds } from "../timestamp.ts";
import { type RoleDocument, RotatingCredentials } from "./credentials.ts";
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

/** Options of {@linkcode EcsEmulator}. */
export interface EcsEmulatorOptions extends EmulatorOptions {
  /** The id of the task's credentials, the last part of the URI. @default {"emulated-task"} */
  readonly id?: string | undefined;
  /** The name of the task's role; `null` for a task without a role. @default {"emulated-task-role"} */
  readonly role?: string | null | undefined;
  /** The account of the role. @default {"123456789012"} */
  readonly accountId?: string | undefined;
  /** What the `Authorization` header must be. The agent of ECS needs none; other servers with its protocol do. */
  readonly authorizationToken?: string | undefined;
  /**
   * How many of the first requests for credentials get 503 `CredentialsUninitialized`, as after a start of the agent.
   * @default {0}
   */
  readonly uninitializedRequests?: number | undefined;
  /**
   * The number of requests allowed per second; a burst may have 1.5 times that number. Others get 429.
   * @default {40}
   */
  readonly requestsPerSecond?: number | undefined;
  /**
   * The lifetime of new credentials, in seconds. They are replaced five minutes before they expire; with 300 or less,
   * each request gets new ones.
   * @default {21600}
   */
  readonly lifetimeSeconds?: number | undefined;
}

/** The steps that faults can be limited to: the requests for credentials, and all others. */
export type ContainerStep = "credentials" | "other";

/** The errors of the ECS agent. */
export type EcsErrorCode =
  | "NoIdInRequest"
  | "InvalidIdInRequest"
  | "NoCredentialsAssociated"
  | "CredentialsUninitialized"
  | "InternalServerError";

/**
 * A fault of {@linkcode EcsEmulator}; an error code means: the agent's response with this code.
 */
export type EcsFault = Fault | EcsErrorCode;

const BASE_PATH = "/v2/credentials";

const ERRORS: Readonly<Record<EcsErrorCode, readonly [status: number, message: string]>> = {
  NoIdInRequest: [400, "The request has no credentials id"],
  InvalidIdInRequest: [400, "There are no credentials with this id"],
  NoCredentialsAssociated: [400, "The task has no role"],
  CredentialsUninitialized: [503, "The agent has just started and has no credentials yet"],
  InternalServerError: [500, "Internal error"],
};

/**
 * The credentials endpoint of the ECS agent, and of servers with its protocol. It responds with 400 and a code for a
 * wrong id, 503 while it starts, 429 for too many requests, and 403 if `authorizationToken` is set and the
 * `Authorization` header is missing or different.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html}
 * @example Usage
 * ```ts
 * import { EcsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new EcsEmulator({ uninitializedRequests: 1 });
 * const url = `http://169.254.170.2${emulator.relativeUri}`;
 * assertEquals((await emulator.fetch(url)).status, 503);
 * const document = await (await emulator.fetch(url)).json();
 * assertEquals(document.RoleArn, "arn:aws:iam::123456789012:role/emulated-task-role");
 * ```
 * @example Over a socket, as AWS_CONTAINER_CREDENTIALS_FULL_URI
 * ```ts
 * import { EcsEmulator, serveEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new EcsEmulator({ authorizationToken: "token" });
 * const server = await serveEmulator(emulator);
 * const response = await fetch(server.endpoint + emulator.relativeUri, { headers: { authorization: "token" } });
 * assertEquals((await response.json()).AccessKeyId, "ASIAEMULATEDECS00001");
 * await server.close();
 * ```
 */
export class EcsEmulator extends Emulator<ContainerStep> {
  /** What `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` is in the task. */
  readonly relativeUri: string;
  /** The name of the role of the task; can be changed, `null` removes it. */
  role: string | null;
  /** The required value of the `Authorization` header; can be changed. */
  authorizationToken: string | undefined;
  /** Fields that replace or add to those of the document, for example an `Expiration` in the past; can be changed. */
  document: RoleDocument = {};
  readonly #accountId: string;
  readonly #credentials: RotatingCredentials;
  readonly #rateLimit: RateLimit;
  #uninitialized: number;

  /**
   * Creates an emulated agent with one task.
   *
   * @param options See {@linkcode EcsEmulatorOptions}.
   */
  constructor(options: EcsEmulatorOptions = {}) {
    super("ECS", options);
    const { id = "emulated-task", role = "emulated-task-role", accountId = "123456789012" } = options;
    const { requestsPerSecond = 40, lifetimeSeconds = 21_600, uninitializedRequests = 0 } = options;
    this.relativeUri = `${BASE_PATH}/${id}`;
    this.role = role;
    this.authorizationToken = options.authorizationToken;
    this.#accountId = accountId;
    this.#uninitialized = uninitializedRequests;
    this.#rateLimit = new RateLimit(requestsPerSecond, requestsPerSecond * 1.5);
    this.#credentials = new RotatingCredentials(() => this.issue(lifetimeSeconds), () => this.now());
  }

  /**
   * Injects a fault into the next requests of a step. Each fault applies to `times` requests; after that, the fault
   * that was injected next applies.
   *
   * @param fault The fault.
   * @param scope The requests that have it, and how many.
   */
  override inject(fault: EcsFault, scope: FaultScope<ContainerStep> = {}): void {
    super.inject(isErrorCode(fault) ? errorResponse(fault) : fault, scope);
  }

  /** Makes the next request get new credentials. */
  rotate(): void {
    this.#credentials.rotate();
  }

  /** Returns the step of the protocol to which a request belongs. */
  protected override stepOf({ path }: ReceivedRequest): ContainerStep {
    return path === BASE_PATH || path.startsWith(`${BASE_PATH}/`) ? "credentials" : "other";
  }

  /** Responds as the agent does. */
  protected override respond({ method, path, headers, step }: EmulatedRequest): EmulatedResponse {
    if (!this.#rateLimit.allows(this.now())) return textResponse("Too many requests", 429);
    if (step === "other") return textResponse("Not found", 404);
    if (method !== "GET") return textResponse("Use GET", 405);
    if (this.authorizationToken !== undefined && headers["authorization"] !== this.authorizationToken) {
      return jsonResponse({ Message: "The Authorization header does not have the expected value" }, 403);
    }
    if (path === BASE_PATH || path === `${BASE_PATH}/`) return errorResponse("NoIdInRequest");
    if (path !== this.relativeUri) return errorResponse("InvalidIdInRequest");
    if (this.#uninitialized > 0) {
      this.#uninitialized--;
      return errorResponse("CredentialsUninitialized");
    }
    return this.role === null ? errorResponse("NoCredentialsAssociated") : this.#documentOf(this.role);
  }

  #documentOf(role: string): EmulatedResponse {
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = this.#credentials.current;
    return jsonResponse({
      RoleArn: `arn:aws:iam::${this.#accountId}:role/${role}`,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: isoSeconds(expiresAt),
      ...this.document,
    });
  }
}

function isErrorCode(fault: EcsFault): fault is EcsErrorCode {
  return typeof fault === "string" && Object.hasOwn(ERRORS, fault);
}

function errorResponse(code: EcsErrorCode): EmulatedResponse {
  const [status, message] = ERRORS[code];
  return jsonResponse({ code, message, HTTPErrorCode: status }, status);
}
