import type { CacheOptions } from "../cache/cache.ts";
import { cached, type CachedProvider } from "../cache/cached_provider.ts";
import { loadSharedConfig, requireProfile, SHARED_CONFIG_RULES } from "../config/files.ts";
import { checkProviderOptions } from "../config/options.ts";
import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import type { Runtime } from "../runtime.ts";
import { validCredentials } from "../validate.ts";
import { planProfile } from "./plan.ts";
import { PROFILE_RULES, type ProfileProviderOptions } from "./settings.ts";
import { planSource } from "./sources.ts";

/**
 * Retrieves the credentials that a profile of the shared
 * config files names: static keys, a role, SSO, a login session, or the output of its `credential_process`.
 *
 * If the source that the profile names fails, the retrieval fails: no other identity is used in its place.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html}
 * @example Usage
 * ```ts
 * import { ProfileProvider } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const config = `
 * [profile dev]
 * aws_access_key_id = AKIAEXAMPLE
 * aws_secret_access_key = secret
 * `;
 * const provider = new ProfileProvider({ profile: "dev", sharedConfig: { config } }); // without it: the files in ~/.aws
 * assertEquals((await provider.retrieve()).accessKeyId, "AKIAEXAMPLE");
 * ```
 */
export class ProfileProvider implements CredentialsSource {
  readonly #options: ProfileProviderOptions;
  readonly #runtime: Runtime;
  #profiles: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map();
  #planned: { readonly plan: string; readonly source: CredentialsSource } | undefined;

  /**
   * Creates a provider. Nothing is read yet.
   *
   * @param options See {@linkcode ProfileProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
   */
  constructor(options: ProfileProviderOptions = {}) {
    this.#runtime = checkProviderOptions("profile provider", options, PROFILE_RULES, SHARED_CONFIG_RULES);
    this.#options = options;
  }

  /** The `staticStability` of the source that the profile names; false before the first retrieval. */
  get staticStability(): boolean {
    return this.#planned?.source.staticStability === true;
  }

  /**
   * Retrieves what the profile names. The files are read once per process, and again with `forceRefresh` or
   * `ignoreCache`.
   *
   * @throws {CredentialsProviderError} `ProfileNotFoundError`, `ConfigParseError`, `ConfigReadError`,
   * `ConfigurationError`, `AssumeRoleConfigurationError`, `AssumeRoleCycle`, `NoCredentials`, and what the source of
   * the profile throws.
   */
  async retrieve(options: RetrieveOptions = {}): Promise<Credentials> {
    options.signal?.throwIfAborted();
    const source = await this.#source(options.forceRefresh === true);
    return validCredentials(await source.retrieve(options));
  }

  /** The names of the providers that this one retrieves from, for reports. */
  providerSources(): readonly string[] {
    return ["Profile", ...(this.#planned?.source.providerSources?.() ?? [])];
  }

  /** While the plan is unchanged, its providers and what they have cached are kept. */
  async #source(rereads: boolean): Promise<CredentialsSource> {
    const options = rereads ? { ...this.#options, ignoreCache: true } : this.#options;
    const config = await loadSharedConfig(options, this.#runtime);
    requireProfile(config);
    this.#profiles = config.profiles;
    const plan = planProfile(config.profiles, config.profileName);
    const text = JSON.stringify(plan);
    if (this.#planned?.plan === text) return this.#planned.source;
    for (const warning of plan.warnings) this.#options.logger?.warn?.(warning);
    const readKeys = (profile: string) => this.#profiles.get(profile) ?? new Map();
    const source = planSource(plan, this.#options, this.#runtime, readKeys);
    this.#planned = { plan: text, source };
    return source;
  }
}

/** Options of {@linkcode fromProfile}. */
export interface ProfileOptions extends ProfileProviderOptions, CacheOptions {}

/**
 * The credentials that a profile of the shared config files names, see {@linkcode ProfileProvider}.
 *
 * @param options See {@linkcode ProfileOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws
 * what {@linkcode ProfileProvider.retrieve} throws, unless cached credentials can be served.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html}
 * @example Usage
 * ```ts ignore
 * import { fromProfile } from "@rolecreds/aws";
 *
 * const { accessKeyId } = await fromProfile({ profile: "dev" })();
 * ```
 */
export function fromProfile(options: ProfileOptions = {}): CachedProvider {
  return cached(new ProfileProvider(options), options);
}
