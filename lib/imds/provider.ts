import type { CacheOptions } from "../cache/cache.ts";
import { cached, type CachedProvider } from "../cache/cached_provider.ts";
import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { parseImdsCredentials } from "./document.ts";
import { isRoleName, parseRoleList } from "./document.ts";
import { adjustedExpiration, cappedExpiration, extendedExpiration } from "./expiration.ts";
import type { Runtime } from "../runtime.ts";
import { IMDS_PROVIDER_RULES, IMDS_RULES, type ImdsOptions, resolveRoleName } from "./settings.ts";
import { SHARED_CONFIG_RULES } from "../config/files.ts";
import { checkProviderOptions } from "../config/options.ts";
import { loadSources, resolveOnce } from "../config/settings.ts";
import type { MetadataReader } from "./client.ts";
import { ImdsConnection, type Retrieval } from "./connection.ts";
import { NOT_EC2_HINT } from "./errors.ts";

/** Options of {@linkcode InstanceMetadataProvider}: those of the client, and which credentials to read. */
export interface InstanceMetadataProviderOptions extends ImdsOptions {
  /**
   * The name of the role to use, in place of the one that IMDS lists. (AWS named the setting after the instance
   * profile.) Also `AWS_EC2_INSTANCE_PROFILE_NAME`, `ec2_instance_profile_name`.
   */
  readonly ec2InstanceProfileName?: string | undefined;
  /**
   * Which paths to read. "legacy": those that IMDS serves today. "auto": first the extended ones, which add the account
   * id, then the legacy ones. AWS has documented the extended paths, but does not serve them yet.
   * @default {"legacy"}
   */
  readonly imdsPaths?: "legacy" | "auto" | undefined;
  /** Limits the lifetime of credentials to this many seconds, as the Go SDK does (3600). An integer >= 1. */
  readonly capExpirySeconds?: number | undefined;
  /**
   * Reads the metadata. If it is given, the settings for IMDS in these options (`disabled`, `endpoint`, `timeout`, …)
   * are ignored: it has its own.
   */
  readonly client?: MetadataReader | undefined;
  /** What {@linkcode InstanceMetadataProvider.providerSources} returns. @default {["IMDS"]} */
  readonly providerSources?: readonly string[] | undefined;
}

type PathKind = "extended" | "legacy";

const PATHS: Readonly<Record<PathKind, string>> = {
  extended: "/latest/meta-data/iam/security-credentials-extended/",
  legacy: "/latest/meta-data/iam/security-credentials/",
};

const LEGACY: readonly PathKind[] = ["legacy"];
const BOTH: readonly PathKind[] = ["extended", "legacy"];
const NO_ROLE_HINT =
  "Attach an IAM role to the instance (an instance profile): its credentials are available within seconds.";
const REPLACED_ROLE_HINT =
  "The role may have been removed or replaced a moment ago: check the instance profile, then try again.";
const WRONG_NAME_HINT = "Correct ec2InstanceProfileName, or remove it to use the role attached to the instance.";

/**
 * Retrieves the credentials of the role attached to the EC2 instance. Each call sends one request to IMDS once the
 * IMDSv2 token and the role name are known. Nothing is cached here: for that use {@linkcode fromInstanceMetadata}.
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
  readonly #connection: ImdsConnection;
  readonly #configuredName: () => Promise<string | undefined>;
  #roleName: string | undefined;
  #pathKind: PathKind | undefined;

  /**
   * Creates a provider. Nothing is read or sent yet.
   *
   * @param options See {@linkcode InstanceMetadataProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
   */
  constructor(options: InstanceMetadataProviderOptions = {}) {
    const sets = [IMDS_PROVIDER_RULES, IMDS_RULES, SHARED_CONFIG_RULES];
    this.#runtime = checkProviderOptions("instance metadata provider", options, ...sets);
    this.#options = options;
    this.#connection = new ImdsConnection(options, this.#runtime);
    this.#configuredName = resolveOnce(() => this.#resolveName());
  }

  /**
   * The role name that the last successful request used; `undefined` before the first one, and, if IMDS listed the
   * name, after IMDS returned 404 for it.
   */
  get roleName(): string | undefined {
    return this.#roleName;
  }

  /**
   * Requests the credentials of the role. They may be expired: during an outage IMDS serves expired credentials, and
   * AWS may still accept them.
   *
   * @throws {CredentialsProviderError} `ImdsNoRole`, `ImdsInvalidProfile`, `ImdsInvalidResponse`, and what
   * `ImdsClient.get` throws.
   */
  async retrieve(options: RetrieveOptions = {}): Promise<Credentials> {
    options.signal?.throwIfAborted();
    const configured = await this.#configuredName();
    const read = this.#reader(options);
    const document = configured === undefined
      ? await this.#readDiscovered(read)
      : await this.#readConfigured(configured, read);
    return cappedExpiration(parseImdsCredentials(document), this.#options.capExpirySeconds, this.#runtime.now());
  }

  /**
   * For other caches than `CredentialsCache`, which does not call it, because `staticStability` is true. Returns the
   * credentials to serve after a failed refresh, as the Go SDK does: the previous ones, unchanged while they have more
   * than five minutes left. Otherwise their expiration is set to 5 to 15 minutes from now, and a warning is logged.
   *
   * @throws The given error, if there are no previous credentials or they cannot expire.
   */
  handleFailToRefresh(previous: Credentials | undefined, error: unknown): Credentials {
    const now = this.#runtime.now();
    const extended = extendedExpiration(previous, now, this.#runtime.random());
    if (extended?.expiration === undefined) throw error;
    if (extended !== previous) {
      const minutes = Math.floor((extended.expiration.getTime() - now) / 60_000);
      this.#options.logger?.warn?.(
        `Cannot refresh credentials: the cached ones are served for ${minutes} minutes`,
      );
    }
    return extended;
  }

  /**
   * Not called by `CredentialsCache`, because `staticStability` is true. What the Go SDK does for an early refresh:
   * moves the expiration by `ms` (negative: earlier), unless less than 15 minutes are left.
   */
  adjustExpiresBy(credentials: Credentials, ms: number): Credentials {
    return adjustedExpiration(credentials, ms, this.#runtime.now());
  }

  /** The names of the providers that this one retrieves from, for reports. */
  providerSources(): readonly string[] {
    return this.#options.providerSources ?? ["IMDS"];
  }

  async #resolveName(): Promise<string | undefined> {
    const { ec2InstanceProfileName, client } = this.#options;
    const sources = client === undefined
      ? (await this.#connection.settings()).sources
      : () => loadSources(this.#options, this.#runtime);
    return await resolveRoleName(ec2InstanceProfileName, this.#runtime.env, sources);
  }

  #reader(options: RetrieveOptions): Read {
    const { client } = this.#options;
    const retrieval: Retrieval = {};
    const get = (path: string) => client?.get(path, options) ?? this.#connection.get(path, retrieval, options.signal);
    return (path) => get(path).catch(undefinedIfMissing);
  }

  async #readConfigured(name: string, read: Read): Promise<string> {
    const document = await this.#readAny(name, read);
    if (document === undefined) throw notFound("ImdsInvalidProfile", `IMDS has no role named ${name}`, WRONG_NAME_HINT);
    this.#roleName = name;
    return document;
  }

  /**
   * The role may be replaced while the instance runs: if IMDS returns 404 for the remembered role name, the name is
   * requested again, once.
   */
  async #readDiscovered(read: Read): Promise<string> {
    for (const remembered of [this.#roleName, undefined]) {
      const name = remembered ?? await this.#discover(read);
      const document = await read(PATHS[this.#pathKind ?? "legacy"] + name);
      this.#roleName = document === undefined ? undefined : name;
      if (document !== undefined) return document;
    }
    throw notFound("ImdsNoRole", "IMDS lists a role but has no document for it", REPLACED_ROLE_HINT);
  }

  async #discover(read: Read): Promise<string> {
    const list = await this.#readAny("", read);
    if (list === undefined) {
      throw notFound("ImdsNoRole", "IMDS returned 404, no EC2 IMDS role found", NO_ROLE_HINT);
    }
    const [name, ...others] = parseRoleList(list);
    if (name === undefined) throw unusableList("the list is empty");
    if (!isRoleName(name)) throw unusableList("the list does not hold a role name");
    if (others.length > 0) this.#options.logger?.debug?.(`IMDS lists ${others.length + 1} roles; ${name} is used`);
    return name;
  }

  /** Reads from the first kind of path that does not return 404, and remembers that kind. */
  async #readAny(suffix: string, read: Read): Promise<string | undefined> {
    const isLegacyOnly = this.#options.imdsPaths !== "auto" || this.#pathKind === "legacy";
    for (const pathKind of isLegacyOnly ? LEGACY : BOTH) {
      const text = await read(PATHS[pathKind] + suffix);
      if (text === undefined) continue;
      this.#pathKind = pathKind;
      return text;
    }
    return undefined;
  }
}

/** Reads one path; `undefined` where there is no such item. */
type Read = (path: string) => Promise<string | undefined>;

function undefinedIfMissing(error: unknown): undefined {
  if ((error as { statusCode?: unknown } | null)?.statusCode !== 404) throw error;
}

function notFound(code: "ImdsNoRole" | "ImdsInvalidProfile", state: string, hint: string): CredentialsProviderError {
  return new CredentialsProviderError(code, `Cannot get credentials: ${state}`, { statusCode: 404, hint });
}

function unusableList(state: string): CredentialsProviderError {
  return new CredentialsProviderError("ImdsInvalidResponse", `Cannot read the role name: ${state}`, {
    hint: NOT_EC2_HINT,
  });
}

/** Options of {@linkcode fromInstanceMetadata}. */
export interface InstanceMetadataOptions extends InstanceMetadataProviderOptions, CacheOptions {}

/**
 * The credentials of the role attached to this EC2 instance, cached and refreshed ahead of time.
 *
 * Creating the provider reads and sends nothing. The first call takes three requests to IMDS, a refresh takes one, and
 * however many callers wait, they share them.
 *
 * @param options See {@linkcode InstanceMetadataOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws
 * what {@linkcode InstanceMetadataProvider.retrieve} throws, unless cached credentials may be served.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html}
 * @example Usage
 * ```ts
 * import { fromInstanceMetadata } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new ImdsEmulator(); // leave it out on EC2
 * const provider = fromInstanceMetadata({ runtime: { fetch: emulator.fetch } });
 * const { accessKeyId, secretAccessKey, sessionToken } = await provider();
 * assertEquals(emulator.requests.length, 3);
 * ```
 */
export function fromInstanceMetadata(options: InstanceMetadataOptions = {}): CachedProvider {
  return cached(new InstanceMetadataProvider(options), options);
}
