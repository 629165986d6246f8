import { isoSeconds } from "../timestamp.ts";
import { type EmulatedCredentials, type RoleDocument, RotatingCredentials } from "./credentials.ts";
import {
  type EmulatedRequest,
  Emulator,
  type EmulatorOptions,
  type FaultScope,
  type ReceivedRequest,
} from "./emulator.ts";
import type { Fault } from "./faults.ts";
import { IMDS_VERSIONS, type ImdsItems, readItem, splitImdsPath } from "./imds_items.ts";
import { type EmulatedResponse, jsonResponse, textResponse } from "./response.ts";

/** Options of {@linkcode ImdsEmulator}. */
export interface ImdsEmulatorOptions extends EmulatorOptions {
  /** The name of the attached role; `null` for none. @default {"emulated-role"} */
  readonly role?: string | null | undefined;
  /**
   * Whether requests need a token (`required`) or not (`optional`). With a status, every token request gets this
   * status, and other requests need no token, as where only IMDSv1 exists.
   * @default {"required"}
   */
  readonly tokens?: "required" | "optional" | 403 | 404 | 405 | undefined;
  /**
   * Also serves `/latest/meta-data/iam/security-credentials-extended/`, whose document has the account id.
   * @default {false}
   */
  readonly extended?: boolean | undefined;
  /**
   * The lifetime of new credentials, in seconds. They are replaced five minutes before they expire; with 300 or less,
   * each request gets new ones.
   * @default {21600}
   */
  readonly lifetimeSeconds?: number | undefined;
  /** The region of the instance. @default {"us-east-1"} */
  readonly region?: string | undefined;
  /** The account of the instance. @default {"123456789012"} */
  readonly accountId?: string | undefined;
  /** The id of the instance. @default {"i-0123456789abcdef0"} */
  readonly instanceId?: string | undefined;
  /** More items, by path with a version, such as `/latest/meta-data/ami-id`. Every version has them. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * The steps that faults can be limited to: requests for a token, for the role list, for the role document, and for
 * other items.
 */
export type ImdsStep = "token" | "list" | "document" | "item";

/** A fault of {@linkcode ImdsEmulator}. */
export type ImdsFault =
  | Fault
  /** The response of Azure's metadata service to a request for EC2 metadata. */
  | "azure"
  /** Token requests get no response, others do, as in a container where the hop limit is 1. `on` has no effect. */
  | "hopLimit";

const ROLES_PATH = "meta-data/iam/security-credentials";
const ROLE_ITEM_REGEXP = /^meta-data\/iam\/security-credentials(?:-extended)?(\/.+)?$/;
const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER = "x-aws-ec2-metadata-token";
const MAX_TTL_SECONDS = 21_600;
const AZURE: EmulatedResponse = jsonResponse({ error: "Bad request. Required metadata header not specified" }, 400);

/**
 * EC2's instance metadata service. It checks the protocol as IMDS does: 400 for a token request without a valid TTL,
 * 403 for one that a proxy forwarded, 401 for a request without a valid token, 404 for an unknown path, and 405 for a
 * wrong method. Directories are listed, other versions such as `/2021-03-23/` have the same items as `/latest/`, but no
 * `api/token`, and several slashes count as one.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html}
 * @example Usage
 * ```ts
 * import { fromInstanceMetadata } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new ImdsEmulator();
 * emulator.inject("reset", { on: "document", times: 2 });
 * const runtime = { fetch: emulator.fetch, sleep: () => Promise.resolve() };
 * await fromInstanceMetadata({ runtime })();
 * assertEquals(emulator.requests.map(({ status }) => status), [200, 200, 0, 0, 200]);
 * ```
 */
export class ImdsEmulator extends Emulator<ImdsStep> {
  /** The name of the attached role; can be changed, `null` detaches it. */
  role: string | null;
  /**
   * Fields that replace or add to those of the role document, for example an `Expiration` in the past; can be changed.
   */
  document: RoleDocument = {};
  readonly #options: ImdsEmulatorOptions;
  readonly #tokens = new Map<string, number>();
  readonly #credentials: RotatingCredentials;

  /**
   * Creates an emulated instance.
   *
   * @param options See {@linkcode ImdsEmulatorOptions}.
   */
  constructor(options: ImdsEmulatorOptions = {}) {
    super("", options);
    const { role = "emulated-role", lifetimeSeconds = 21_600 } = options;
    this.role = role;
    this.#options = options;
    this.#credentials = new RotatingCredentials(() => this.issue(lifetimeSeconds), () => this.now());
  }

  /**
   * Injects a fault into the next requests of a step. Each fault applies to `times` requests; after that, the fault
   * that was injected next applies.
   *
   * @param fault The fault.
   * @param scope The requests that have it, and how many.
   */
  override inject(fault: ImdsFault, scope: FaultScope<ImdsStep> = {}): void {
    if (fault === "hopLimit") super.inject("hang", { ...scope, on: "token" });
    else super.inject(fault === "azure" ? AZURE : fault, scope);
  }

  /** Makes the next request get new credentials. */
  rotate(): void {
    this.#credentials.rotate();
  }

  /** Makes every IMDS token invalid, as after a move of the instance to another host. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** Returns the step of the protocol to which a request belongs. */
  protected override stepOf({ path }: ReceivedRequest): ImdsStep {
    const { version, item } = splitImdsPath(path);
    if (isToken(version, item)) return "token";
    const match = ROLE_ITEM_REGEXP.exec(item);
    if (match === null) return "item";
    return match[1] === undefined ? "list" : "document";
  }

  /** Responds as the service does. */
  protected override respond({ method, path, headers, step }: EmulatedRequest): EmulatedResponse {
    if (step === "token") return this.#issueToken(method, headers);
    if (method !== "GET") return { status: 405 };
    if (!this.#isAuthorized(headers[TOKEN_HEADER])) return { status: 401 };
    const { version, item } = splitImdsPath(path);
    const body = version === "" ? IMDS_VERSIONS.join("\n") : this.#read(version, item);
    return body === undefined ? { status: 404 } : textResponse(body);
  }

  #issueToken(method: string, headers: EmulatedRequest["headers"]): EmulatedResponse {
    const { tokens = "required" } = this.#options;
    if (typeof tokens === "number") return { status: tokens };
    if (method !== "PUT") return { status: 405 };
    if (headers["x-forwarded-for"] !== undefined) return { status: 403 };
    const ttl = headers[TTL_HEADER] ?? "";
    const seconds = /^\d+$/.test(ttl) ? Number(ttl) : 0;
    if (seconds < 1 || seconds > MAX_TTL_SECONDS) return { status: 400 };
    const token = `emulated-imds-token-${this.nextSerial()}`;
    this.#tokens.set(token, this.now() + seconds * 1_000);
    return { status: 200, headers: { [TTL_HEADER]: `${seconds}` }, body: token };
  }

  #isAuthorized(token: string | undefined): boolean {
    const { tokens = "required" } = this.#options;
    if (token === undefined) return tokens !== "required";
    return (this.#tokens.get(token) ?? -Infinity) > this.now();
  }

  #read(version: string, item: string): string | undefined {
    return IMDS_VERSIONS.includes(version) ? readItem(this.#items(), item) : undefined;
  }

  #items(): ImdsItems {
    const { region = "us-east-1", accountId = "123456789012", instanceId = "i-0123456789abcdef0" } = this.#options;
    const [availabilityZone, instanceType] = [`${region}a`, "t3.micro"];
    const identity = { accountId, availabilityZone, instanceId, instanceType, region, version: "2017-09-30" };
    const moreItems = Object.entries(this.#options.metadata ?? {}).map((
      [path, text],
    ) => [splitImdsPath(path).item, text]);
    return {
      "dynamic/instance-identity/document": JSON.stringify(identity),
      "meta-data/instance-id": instanceId,
      "meta-data/instance-type": instanceType,
      "meta-data/placement/availability-zone": availabilityZone,
      "meta-data/placement/region": region,
      "meta-data/services/domain": "amazonaws.com",
      "meta-data/services/partition": "aws",
      ...(this.role === null ? {} : this.#roleItems(this.role, accountId)),
      ...Object.fromEntries(moreItems),
    };
  }

  #roleItems(role: string, accountId: string): ImdsItems {
    const credentials = this.#credentials.current;
    const document = { ...roleDocument(credentials), ...this.document };
    const profile = {
      Code: "Success",
      LastUpdated: isoSeconds(credentials.issuedAt),
      InstanceProfileArn: `arn:aws:iam::${accountId}:instance-profile/${role}`,
      InstanceProfileId: "AIPAEMULATED000000001",
    };
    const extended = JSON.stringify({ ...document, AccountId: accountId });
    return {
      "meta-data/iam/info": JSON.stringify(profile),
      [`${ROLES_PATH}/${role}`]: JSON.stringify(document),
      ...(this.#options.extended === true ? { [`${ROLES_PATH}-extended/${role}`]: extended } : {}),
    };
  }
}

function isToken(version: string, item: string): boolean {
  return version === "latest" && item === "api/token";
}

function roleDocument(credentials: EmulatedCredentials): RoleDocument {
  return {
    Code: "Success",
    LastUpdated: isoSeconds(credentials.issuedAt),
    Type: "AWS-HMAC",
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    Token: credentials.sessionToken,
    Expiration: isoSeconds(credentials.expiresAt),
  };
}
