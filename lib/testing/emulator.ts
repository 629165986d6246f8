import { abortable } from "../abortable.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { type FaultScope, faultyAnswer, type ImdsFault } from "./faults.ts";
import { IMDS_VERSIONS, type ImdsItems, readItem, splitImdsPath } from "./imds_items.ts";

/** Options of {@linkcode ImdsEmulator}. */
export interface ImdsEmulatorOptions {
  /** The attached role; `null` for none. @default {"emulated-role"} */
  readonly role?: string | null;
  /**
   * Whether requests need a session token, may have one, or cannot get one: then token requests are answered with the
   * given status, as where only IMDSv1 exists.
   * @default {"required"}
   */
  readonly tokens?: "required" | "optional" | 403 | 404 | 405;
  /** Serves the extended paths, with the account id in the document. @default {false} */
  readonly extended?: boolean;
  /** The life of new credentials, in seconds. They are replaced five minutes before their end. @default {21600} */
  readonly lifetimeSeconds?: number;
  /** How far the instance's clock is ahead of the runtime's, in milliseconds. @default {0} */
  readonly skewMs?: number;
  /** The region it says it runs in. @default {"us-east-1"} */
  readonly region?: string;
  /** The account it says it belongs to. @default {"123456789012"} */
  readonly accountId?: string;
  /** The id it says it has. @default {"i-0123456789abcdef0"} */
  readonly instanceId?: string;
  /** Further items by path, such as `{ "/latest/meta-data/ami-id": "ami-1" }`; each version has them. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Replaces parts of the detected runtime, such as the clock. */
  readonly runtime?: Partial<Runtime>;
}

/** A role document, as IMDS sends it. */
export type RoleDocument = Readonly<Record<string, unknown>>;

/** One request the emulator got. */
export interface EmulatedRequest {
  /** The method. */
  readonly method: string;
  /** The path. */
  readonly path: string;
  /** The headers that tell how it was made, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The status of the answer; 0 while there is none. */
  readonly status: number;
}

interface Fault {
  readonly fault: ImdsFault;
  readonly on: FaultScope;
  left: number;
}

const ROLES_PATH = "meta-data/iam/security-credentials";
const ROLE_ITEM_REGEXP = /^meta-data\/iam\/security-credentials(?:-extended)?(\/.+)?$/;
const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER = "x-aws-ec2-metadata-token";
const MAX_TTL_SECONDS = 21_600;
const ROTATE_BEFORE_MS = 300_000;

/**
 * EC2's instance metadata service, strict about the protocol: 400 for a token request without a valid TTL, 403 for a
 * forwarded one, 401 without a valid token, 404 and 405 as the real one. Directories are listed, dated versions such as
 * `/2021-03-23/` work like `/latest/`, and several slashes count as one.
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
export class ImdsEmulator {
  /** The attached role; assign to switch or detach it. */
  role: string | null;
  /** Fields that replace those of the role document; assign to expire or break it. */
  document: RoleDocument = {};
  readonly #options: ImdsEmulatorOptions;
  readonly #runtime: Runtime;
  readonly #tokens = new Map<string, number>();
  readonly #faults: Fault[] = [];
  readonly #requests: { method: string; path: string; headers: Record<string, string>; status: number }[] = [];
  #issued = 0;
  #credentials: { readonly serial: number; readonly from: number; readonly until: number } | undefined;

  /**
   * Creates an emulated instance.
   *
   * @param options See {@linkcode ImdsEmulatorOptions}.
   */
  constructor(options: ImdsEmulatorOptions = {}) {
    this.role = options.role === undefined ? "emulated-role" : options.role;
    this.#options = options;
    this.#runtime = detectRuntime(options.runtime);
  }

  /** Every request so far, oldest first. */
  get requests(): readonly EmulatedRequest[] {
    return this.#requests;
  }

  /** Answers a request; rejects where the connection is lost. For a server of your own. */
  readonly handle = (request: Request): Promise<Response> => this.#answer(request, request.signal);

  /** Answers in memory, in place of a runtime's `fetch`. */
  readonly fetch = (url: string, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal ?? new AbortController().signal;
    return abortable(this.#answer(new Request(url, init), signal), signal);
  };

  /**
   * Makes the next `times` requests of a kind fail. Faults are used up in the order of their injection.
   *
   * @param fault What happens.
   * @param scope Which requests it hits (default: any), and how often (default: once; `Infinity` for ever).
   */
  inject(
    fault: ImdsFault,
    { on = "any", times = 1 }: { readonly on?: FaultScope; readonly times?: number } = {},
  ): void {
    this.#faults.push({ fault, on: fault === "hopLimit" ? "token" : on, left: times });
  }

  /** Ends all injected faults. */
  recover(): void {
    this.#faults.length = 0;
  }

  /** Replaces the credentials by new ones. */
  rotate(): void {
    this.#credentials = undefined;
  }

  /** Makes every session token invalid, as after a move to another host. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  async #answer(request: Request, signal: AbortSignal): Promise<Response> {
    const path = new URL(request.url).pathname;
    const entry = { method: request.method, path, headers: Object.fromEntries(request.headers), status: 0 };
    this.#requests.push(entry);
    const good = () => this.#route(request, path);
    const fault = this.#takeFault(scopeOf(path));
    const response = fault === undefined ? good() : await faultyAnswer(fault, good, this.#runtime.sleep, signal);
    entry.status = response.status;
    return response;
  }

  #takeFault(scope: FaultScope): Exclude<ImdsFault, "hopLimit"> | undefined {
    const hit = this.#faults.find(({ on, left }) => left > 0 && (on === "any" || on === scope));
    if (hit === undefined) return undefined;
    hit.left--;
    return hit.fault === "hopLimit" ? "hang" : hit.fault;
  }

  #now(): number {
    return this.#runtime.now() + (this.#options.skewMs ?? 0);
  }

  #route(request: Request, path: string): Response {
    const { version, item } = splitImdsPath(path);
    if (isToken(version, item)) return this.#tokenAnswer(request);
    if (request.method !== "GET") return status(405);
    const unauthorized = this.#checkToken(request.headers.get(TOKEN_HEADER));
    if (unauthorized !== undefined) return unauthorized;
    const body = version === "" ? IMDS_VERSIONS.join("\n") : this.#read(version, item);
    return body === undefined ? status(404) : new Response(body, { headers: { "content-type": "text/plain" } });
  }

  #tokenAnswer({ method, headers }: Request): Response {
    const { tokens = "required" } = this.#options;
    if (typeof tokens === "number") return status(tokens);
    if (method !== "PUT") return status(405);
    if (headers.has("x-forwarded-for")) return status(403);
    const ttl = headers.get(TTL_HEADER) ?? "";
    const seconds = /^\d+$/.test(ttl) ? Number(ttl) : 0;
    if (seconds < 1 || seconds > MAX_TTL_SECONDS) return status(400);
    const token = `emulated-imds-token-${++this.#issued}`;
    this.#tokens.set(token, this.#runtime.now() + seconds * 1_000);
    return new Response(token, { headers: { [TTL_HEADER]: `${seconds}` } });
  }

  #checkToken(token: string | null): Response | undefined {
    const { tokens = "required" } = this.#options;
    if (token === null) return tokens === "required" ? status(401) : undefined;
    return (this.#tokens.get(token) ?? -Infinity) > this.#runtime.now() ? undefined : status(401);
  }

  #read(version: string, item: string): string | undefined {
    return IMDS_VERSIONS.includes(version) ? readItem(this.#items(), item) : undefined;
  }

  #items(): ImdsItems {
    const { region = "us-east-1", accountId = "123456789012", instanceId = "i-0123456789abcdef0" } = this.#options;
    const [availabilityZone, instanceType] = [`${region}a`, "t3.micro"];
    const identity = { accountId, availabilityZone, instanceId, instanceType, region, version: "2017-09-30" };
    const added = Object.entries(this.#options.metadata ?? {}).map(([path, text]) => [splitImdsPath(path).item, text]);
    return {
      "dynamic/instance-identity/document": JSON.stringify(identity),
      "meta-data/instance-id": instanceId,
      "meta-data/instance-type": instanceType,
      "meta-data/placement/availability-zone": availabilityZone,
      "meta-data/placement/region": region,
      "meta-data/services/domain": "amazonaws.com",
      "meta-data/services/partition": "aws",
      ...(this.role === null ? {} : this.#roleItems(this.role, accountId)),
      ...Object.fromEntries(added),
    };
  }

  #roleItems(role: string, accountId: string): ImdsItems {
    const document = this.#roleDocument();
    const profile = {
      Code: "Success",
      LastUpdated: document["LastUpdated"],
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

  #roleDocument(): RoleDocument {
    const now = this.#now();
    if (this.#credentials === undefined || now >= this.#credentials.until - ROTATE_BEFORE_MS) {
      const until = now + (this.#options.lifetimeSeconds ?? 21_600) * 1_000;
      this.#credentials = { serial: ++this.#issued, from: now, until };
    }
    const { serial, from, until } = this.#credentials;
    return {
      Code: "Success",
      LastUpdated: isoSeconds(from),
      Type: "AWS-HMAC",
      AccessKeyId: `ASIAEMULATED${`${serial}`.padStart(8, "0")}`,
      SecretAccessKey: `emulated-secret-access-key-${serial}`,
      Token: `emulated-session-token-${serial}`,
      Expiration: isoSeconds(until),
      ...this.document,
    };
  }
}

function isToken(version: string, item: string): boolean {
  return version === "latest" && item === "api/token";
}

function scopeOf(path: string): FaultScope {
  const { version, item } = splitImdsPath(path);
  if (isToken(version, item)) return "token";
  const match = ROLE_ITEM_REGEXP.exec(item);
  if (match === null) return "any";
  return match[1] === undefined ? "list" : "document";
}

function status(code: number): Response {
  return new Response(null, { status: code });
}

function isoSeconds(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
