import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { parseImdsCredentials } from "../parse/document.ts";
import { isRoleName, parseRoleList } from "../parse/role_list.ts";
import { adjustedExpiry, capExpiry, extendedExpiry } from "../policy/expiry.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { type ImdsOptions, resolveRoleName } from "../settings/imds.ts";
import { resolveOnce } from "../settings/resolve_once.ts";
import { checkOptions, integer, OBJECT, oneOf, ROLE_NAME } from "../settings/rules.ts";
import { loadSources } from "../settings/sources.ts";
import { ImdsClient, type MetadataReader } from "./client.ts";

/** Options of {@linkcode InstanceMetadataProvider}: those of the client, and which credentials to read. */
export interface InstanceMetadataProviderOptions extends ImdsOptions {
  /** The role to use, without asking IMDS for its name. */
  readonly ec2InstanceProfileName?: string;
  /**
   * Which paths to read: the ones every instance serves, or first the extended ones, which add the account id and which
   * AWS has documented but not deployed.
   * @default {"legacy"}
   */
  readonly imdsPaths?: "legacy" | "auto";
  /** Says that credentials end after this many seconds at the latest, as the Go SDK does (3600). An integer >= 1. */
  readonly capExpiry?: number;
  /** Reads the metadata in place of a client of its own; its options are then ignored here. */
  readonly client?: MetadataReader;
  /** What {@linkcode InstanceMetadataProvider.providerSources} returns. @default {["IMDS"]} */
  readonly providerSources?: readonly string[];
}

type Generation = "extended" | "legacy";

const PATHS: Readonly<Record<Generation, string>> = {
  extended: "/latest/meta-data/iam/security-credentials-extended/",
  legacy: "/latest/meta-data/iam/security-credentials/",
};

const LEGACY: readonly Generation[] = ["legacy"];
const BOTH: readonly Generation[] = ["extended", "legacy"];
const NO_ROLE_HINT = "Attach an IAM role to the instance (an instance profile); it works within seconds.";
const WRONG_NAME_HINT = "Correct ec2InstanceProfileName, or remove it to use the role attached to the instance.";

/**
 * Retrieves the credentials of the role attached to the EC2 instance. Each call asks IMDS: one request once the session
 * token and the role name are known. Put a {@linkcode CredentialsCache} in front, or use
 * {@linkcode fromInstanceMetadata}, which does.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html}
 * @example Usage
 * ```ts
 * import { InstanceMetadataProvider } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { fetch } = new ImdsEmulator({ role: "web-server" }); // leave it out on EC2
 * const provider = new InstanceMetadataProvider({ runtime: { fetch } });
 * const credentials = await provider.retrieve();
 * assertEquals(credentials.source, "EC2RoleProvider");
 * assertEquals(provider.roleName, "web-server");
 * ```
 */
export class InstanceMetadataProvider implements CredentialsSource {
  /** Credentials of an instance role are refreshed early and outlive an outage of IMDS. */
  readonly staticStability = true;
  readonly #options: InstanceMetadataProviderOptions;
  readonly #runtime: Runtime;
  readonly #client: MetadataReader & { session?(): MetadataReader };
  readonly #configuredName: () => Promise<string | undefined>;
  #roleName: string | undefined;
  #generation: Generation | undefined;

  /**
   * Creates a provider. Nothing is read or sent yet.
   *
   * @param options See {@linkcode InstanceMetadataProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
   */
  constructor(options: InstanceMetadataProviderOptions = {}) {
    checkOptions("instance metadata provider", options, {
      ec2InstanceProfileName: ROLE_NAME,
      imdsPaths: oneOf("legacy", "auto"),
      capExpiry: integer(1),
      client: OBJECT,
      providerSources: OBJECT,
    });
    this.#options = options;
    this.#runtime = detectRuntime(options.runtime);
    this.#client = options.client ?? new ImdsClient(options);
    this.#configuredName = resolveOnce(() => this.#resolveName());
  }

  /** The role the last credentials belong to; `undefined` before the first retrieval. */
  get roleName(): string | undefined {
    return this.#roleName;
  }

  /**
   * Asks IMDS for the role's credentials. They may be expired already: IMDS serves such during an outage, and AWS may
   * still accept them.
   *
   * @throws {CredentialsProviderError} `ImdsNoRole`, `ImdsInvalidProfile`, `ImdsInvalidResponse`, and what
   * {@linkcode ImdsClient.get} throws.
   */
  async retrieve(options: RetrieveOptions = {}): Promise<Credentials> {
    const metadata = this.#client.session?.() ?? this.#client;
    const configured = await this.#configuredName();
    const read = (path: string) => find(metadata, path, options);
    const document = configured === undefined
      ? await this.#readDiscovered(read)
      : await this.#readConfigured(configured, read);
    return capExpiry(parseImdsCredentials(document), this.#options.capExpiry, this.#runtime.now());
  }

  /**
   * What the Go SDK does with a failed refresh: the previous credentials, unchanged while they have more than five
   * minutes left, else extended by 5 to 15 minutes from now with a warning.
   *
   * @throws The given error, if there are no previous credentials or they cannot expire.
   */
  handleFailToRefresh(previous: Credentials | undefined, error: unknown): Credentials {
    const now = this.#runtime.now();
    const extended = extendedExpiry(previous, now, this.#runtime.random());
    if (extended?.expiration === undefined) throw error;
    if (extended !== previous) {
      const minutes = Math.floor((extended.expiration.getTime() - now) / 60_000);
      this.#options.logger?.warn?.(`Cannot refresh credentials: going on with the held ones for ${minutes} minutes`);
    }
    return extended;
  }

  /**
   * What the Go SDK does for an early refresh: moves the expiration by `ms` (negative: earlier), unless less than 15
   * minutes are left.
   */
  adjustExpiresBy(credentials: Credentials, ms: number): Credentials {
    return adjustedExpiry(credentials, ms, this.#runtime.now());
  }

  /** The providers this one stands for. */
  providerSources(): readonly string[] {
    return this.#options.providerSources ?? ["IMDS"];
  }

  async #resolveName(): Promise<string | undefined> {
    const { ec2InstanceProfileName, client, logger = null } = this.#options;
    // A client of its own reads the same files, and says what there is to say about them.
    const options = { ...this.#options, logger: client === undefined ? null : logger };
    return resolveRoleName(ec2InstanceProfileName, await loadSources(options, this.#runtime));
  }

  async #readConfigured(name: string, read: Read): Promise<string> {
    const document = await this.#readAny(name, read);
    if (document === undefined) throw notFound("ImdsInvalidProfile", `IMDS knows no role ${name}`, WRONG_NAME_HINT);
    this.#roleName = name;
    return document;
  }

  /** A role may be swapped while the instance runs: a name that is gone is looked up once more. */
  async #readDiscovered(read: Read): Promise<string> {
    for (const remembered of [this.#roleName, undefined]) {
      const name = remembered ?? await this.#discover(read);
      const document = await read(PATHS[this.#generation ?? "legacy"] + name);
      this.#roleName = document === undefined ? undefined : name;
      if (document !== undefined) return document;
    }
    throw notFound("ImdsNoRole", "IMDS lists a role but has no document for it", NO_ROLE_HINT);
  }

  async #discover(read: Read): Promise<string> {
    const list = await this.#readAny("", read);
    if (list === undefined) throw notFound("ImdsNoRole", "IMDS returned 404, no EC2 IMDS role found", NO_ROLE_HINT);
    const [name, ...others] = parseRoleList(list);
    if (name === undefined) throw unusableList("the list is empty");
    if (!isRoleName(name)) throw unusableList("the list does not hold a role name");
    if (others.length > 0) this.#options.logger?.debug?.(`IMDS lists ${others.length + 1} roles; taking ${name}`);
    return name;
  }

  /** Reads from the first generation that does not answer 404, and remembers it. */
  async #readAny(suffix: string, read: Read): Promise<string | undefined> {
    const isSettled = this.#options.imdsPaths !== "auto" || this.#generation === "legacy";
    for (const generation of isSettled ? LEGACY : BOTH) {
      const text = await read(PATHS[generation] + suffix);
      if (text === undefined) continue;
      this.#generation = generation;
      return text;
    }
    return undefined;
  }
}

/** Reads one path; `undefined` where there is no such item. */
type Read = (path: string) => Promise<string | undefined>;

async function find(metadata: MetadataReader, path: string, options: RetrieveOptions): Promise<string | undefined> {
  try {
    return await metadata.get(path, options);
  } catch (error) {
    if ((error as { statusCode?: unknown } | null)?.statusCode === 404) return undefined;
    throw error;
  }
}

function notFound(code: "ImdsNoRole" | "ImdsInvalidProfile", state: string, hint: string): CredentialsProviderError {
  return new CredentialsProviderError(code, `Cannot get credentials: ${state}`, { statusCode: 404, hint });
}

function unusableList(state: string): CredentialsProviderError {
  return new CredentialsProviderError("ImdsInvalidResponse", `Cannot read the role name: ${state}`, {
    hint: "Something other than EC2's metadata service may be answering at this address.",
  });
}
