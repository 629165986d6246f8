import { nonBlank } from "./non_blank.ts";
import type { CacheOptions } from "./cache/cache.ts";
import { cached, type CachedProvider } from "./cache/cached_provider.ts";
import { ChainProvider } from "./chain.ts";
import { SHARED_CONFIG_RULES } from "./config/files.ts";
import { checkProviderOptions } from "./config/options.ts";
import { ContainerProvider } from "./container/provider.ts";
import type { CredentialsSource } from "./credentials.ts";
import { EnvironmentProvider, type EnvironmentProviderOptions } from "./environment.ts";
import { InstanceMetadataProvider } from "./imds/provider.ts";
import { ProfileProvider } from "./profile/provider.ts";
import { PROFILE_RULES, type ProfileProviderOptions } from "./profile/settings.ts";
import { detectRuntime } from "./runtime/detect.ts";
import { WebIdentityProvider } from "./sts/web_identity.ts";
import { COMMON_RULES, knownOptions, type Rules, unsupported } from "./validate.ts";

/** Options of {@linkcode defaultProvider}. */
export interface DefaultProviderOptions extends ProfileProviderOptions, CacheOptions {}

/**
 * Options of the default provider of AWS SDK v3 that this library does not have at the top level: they are errors here.
 * {@linkcode PROFILE_RULES} has more of them.
 */
const SDK_RULES: Rules = {
  timeout: unsupported("set imds.timeout"),
  maxRetries: unsupported("set imds.maxRetries"),
  ec2MetadataV1Disabled: unsupported("set imds.ec2MetadataV1Disabled"),
  awsContainerCredentialsRelativeUri: unsupported("set it in the option container"),
  awsContainerCredentialsFullUri: unsupported("set it in the option container"),
  awsContainerAuthorizationToken: unsupported("set it in the option container"),
  awsContainerAuthorizationTokenFile: unsupported("set it in the option container"),
  webIdentityTokenFile: unsupported("use fromTokenFile()"),
  roleArn: unsupported("use fromTokenFile()"),
  roleSessionName: unsupported("use fromTokenFile()"),
  ssoSession: unsupported("use a profile with sso_session"),
  ssoStartUrl: unsupported("use a profile with sso_start_url"),
  ssoAccountId: unsupported("use a profile with sso_account_id"),
  ssoRegion: unsupported("use a profile with sso_region"),
  ssoRoleName: unsupported("use a profile with sso_role_name"),
};

/**
 * The credentials that AWS tools would find: from the environment, the selected profile, a web identity token, the
 * container endpoint or the instance role, in this order. The first source that is configured is used. If it fails, the
 * call throws and no other source is tried, so that a container never uses the role of its host.
 *
 * If the option `profile` is given, the credentials in the environment are not used.
 *
 * @param options See {@linkcode DefaultProviderOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. If there are
 * no credentials it throws `NoCredentials` with every provider's error in `errors` and a line for each in its message.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html}
 * @example Usage
 * ```ts ignore
 * import { defaultProvider } from "@rolecreds/aws";
 *
 * const { accessKeyId } = await defaultProvider()();
 * ```
 */
export function defaultProvider(options: DefaultProviderOptions = {}): CachedProvider {
  return cached(new ChainProvider(defaultLinks(options).map(({ source }) => source)), options);
}

/** A source of the default chain, with its name. */
export interface ChainLink {
  readonly name: "environment" | "profile" | "webIdentity" | "container" | "imds";
  readonly source: CredentialsSource;
}

/**
 * The sources of the default chain, in their order.
 *
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 */
export function defaultLinks(options: DefaultProviderOptions): readonly ChainLink[] {
  checkProviderOptions("default provider", options, SDK_RULES, PROFILE_RULES, SHARED_CONFIG_RULES);
  const common = knownOptions(options, COMMON_RULES);
  const shared = knownOptions(options, SHARED_CONFIG_RULES, COMMON_RULES);
  const profile = knownOptions(options, PROFILE_RULES);
  const imds = { failFast: true, ...profile.imds };
  return [
    ...(options.profile === undefined ? [{ name: "environment" as const, source: environment(common) }] : []),
    { name: "profile", source: new ProfileProvider({ ...shared, ...profile, imds }) },
    { name: "webIdentity", source: new WebIdentityProvider({ ...shared, ...profile.sts, region: profile.region }) },
    { name: "container", source: new ContainerProvider({ ...common, ...profile.container }) },
    { name: "imds", source: new InstanceMetadataProvider({ ...shared, ...imds }) },
  ];
}

/**
 * The credentials in the environment, which are used even if `AWS_PROFILE` is set. That may be a mistake: a warning is
 * logged.
 */
function environment(options: EnvironmentProviderOptions): CredentialsSource {
  const provider = new EnvironmentProvider(options);
  const { env } = detectRuntime(options.runtime);
  return {
    async retrieve() {
      const credentials = await provider.retrieve();
      if (nonBlank(env("AWS_PROFILE")) !== undefined) {
        options.logger?.warn?.("AWS_PROFILE is ignored: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set, too");
      }
      return credentials;
    },
    providerSources: () => provider.providerSources(),
  };
}
