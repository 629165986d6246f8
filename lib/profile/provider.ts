import type { CacheOptions } from "../cache/cache.ts";
import { type CachedProvider, cachedProvider } from "../cache/cached_provider.ts";
import type { Credentials, CredentialsSource, Logger, RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { InstanceMetadataProvider, type InstanceMetadataProviderOptions } from "../imds/provider.ts";
import { profileSource } from "./plan.ts";
import { ProcessProvider } from "../process/provider.ts";
import { redacted } from "../redaction.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import type { SharedConfigOptions } from "../config/locations.ts";
import type { ProcessProviderOptions } from "../process/settings.ts";
import { resolveOnce } from "../config/settings.ts";
import { checkOptions } from "../validate.ts";
import { loadSharedConfig, requireProfile, SHARED_CONFIG_RULES } from "../config/files.ts";
import { validCredentials } from "../validate.ts";

/** Options of {@linkcode ProfileProvider}. */
export interface ProfileProviderOptions extends SharedConfigOptions {
  /** How to ask IMDS, for a profile with `credential_source = Ec2InstanceMetadata`. */
  readonly imds?: InstanceMetadataProviderOptions;
  /** How to run the command, for a profile with `credential_process`. */
  readonly process?: Omit<ProcessProviderOptions, "command">;
  /** Where diagnostics go. */
  readonly logger?: Logger | null;
  /** Replaces parts of the detected runtime, such as the files. */
  readonly runtime?: Partial<Runtime>;
}

/**
 * Retrieves what a profile of the shared config files asks for: its static keys, else what its `credential_process`
 * prints, else the instance role for `credential_source = Ec2InstanceMetadata`.
 *
 * A profile that asks for anything else (a role, SSO, a login, a web identity) is an error that names its keys: it is
 * never replaced by another identity.
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
 * const provider = new ProfileProvider({ profile: "dev", sharedConfig: { config } }); // or leave it to ~/.aws
 * assertEquals((await provider.retrieve()).accessKeyId, "AKIAEXAMPLE");
 * ```
 */
export class ProfileProvider implements CredentialsSource {
  readonly #options: ProfileProviderOptions;
  readonly #runtime: Runtime;
  readonly #resolved: () => Promise<CredentialsSource>;
  #source: CredentialsSource | undefined;

  /**
   * Creates a provider. Nothing is read yet.
   *
   * @param options See {@linkcode ProfileProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
   */
  constructor(options: ProfileProviderOptions = {}) {
    checkOptions("profile provider", options, SHARED_CONFIG_RULES);
    this.#options = options;
    this.#runtime = detectRuntime(options.runtime);
    this.#resolved = resolveOnce(() => this.#resolve());
  }

  /** That of what the profile asks for; false before the first retrieval. */
  get staticStability(): boolean {
    return this.#source?.staticStability === true;
  }

  /**
   * Reads the profile at the first call, and asks what it names at each.
   *
   * @throws {CredentialsProviderError} `ProfileNotFoundError`, `ConfigParseError`, `ConfigurationError`,
   * `UnsupportedSource`, `NoCredentials`, and what the source throws.
   */
  async retrieve(options?: RetrieveOptions): Promise<Credentials> {
    this.#source = await this.#resolved();
    return validCredentials(await this.#source.retrieve(options));
  }

  /** The providers this one stands for. */
  providerSources(): readonly string[] {
    return ["Profile", ...(this.#source?.providerSources?.() ?? [])];
  }

  async #resolve(): Promise<CredentialsSource> {
    const { imds, process, ...common } = this.#options;
    const config = await loadSharedConfig(this.#options, this.#runtime, common.logger);
    const profile = requireProfile(config);
    const source = profileSource(profile);
    switch (source.kind) {
      case "static":
        if (profile.has("credential_process")) {
          common.logger?.debug?.(`Profile ${config.profileName} has static keys: its credential_process is ignored`);
        }
        return { retrieve: () => Promise.resolve(staticCredentials(profile)) };
      case "process":
        return new ProcessProvider({ ...common, ...process, profile: config.profileName });
      case "instanceMetadata":
        return new InstanceMetadataProvider({ ...common, ...imds });
      case "unsupported":
        throw unsupported(config.profileName, source.keys);
      case "contradiction":
        throw contradiction(config.profileName, source.state);
      case "nothing":
        throw nothing(config.profileName);
    }
  }
}

function staticCredentials(profile: ReadonlyMap<string, string>): Credentials {
  const text = (key: string) => profile.get(key)?.trim() ?? "";
  const [sessionToken, accountId] = [text("aws_session_token"), text("aws_account_id")];
  return redacted({
    accessKeyId: text("aws_access_key_id"),
    secretAccessKey: text("aws_secret_access_key"),
    ...(sessionToken === "" ? {} : { sessionToken }),
    ...(accountId === "" ? {} : { accountId }),
    source: "ProfileProvider",
  });
}

function unsupported(profile: string, keys: readonly string[]): CredentialsProviderError {
  return new CredentialsProviderError(
    "UnsupportedSource",
    `Cannot use profile ${profile}: it asks for ${keys.join(", ")}, which this library does not do`,
    {
      hint: "Let the AWS CLI do it: put `aws configure export-credentials --profile … --format process` into a " +
        "profile's credential_process, or take a provider of AWS SDK v3.",
    },
  );
}

function contradiction(profile: string, state: string): CredentialsProviderError {
  return new CredentialsProviderError("ConfigurationError", `Cannot use profile ${profile}: ${state}`, {
    hint: "Correct the profile in the shared config files.",
  });
}

function nothing(profile: string): CredentialsProviderError {
  return new CredentialsProviderError(
    "NoCredentials",
    `Cannot get credentials from profile ${profile}: it has no keys, no credential_process and no credential_source`,
    { hint: "Add one of them to the profile, or name another profile in AWS_PROFILE." },
  );
}

/** Options of {@linkcode fromProfile}. */
export interface ProfileOptions extends ProfileProviderOptions, CacheOptions {}

/**
 * The credentials that a profile of the shared config files asks for, see {@linkcode ProfileProvider}.
 *
 * @param options See {@linkcode ProfileOptions}.
 * @returns A function for AWS SDK v3's `credentials`, or to await yourself. It throws what
 * {@linkcode ProfileProvider.retrieve} throws.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
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
  return cachedProvider(new ProfileProvider(options), options);
}
