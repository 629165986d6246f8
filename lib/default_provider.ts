import { trimmed } from "./blank.ts";
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
import { COMMON_RULES, knownOptions, refused, type Rules } from "./validate.ts";

/** Options of {@linkcode defaultProvider}. */
export interface DefaultProviderOptions extends ProfileProviderOptions, CacheOptions {}

/**
 * Options that AWS SDK v3 takes at the top level of its default provider, and this library does not: they are errors
 * here. More of them are in {@linkcode PROFILE_RULES}.
 */
const SDK_RULES: Rules = {
  timeout: refused("set imds.timeout"),
  maxRetries: refused("set imds.maxRetries"),
  ec2MetadataV1Disabled: refused("set imds.ec2MetadataV1Disabled"),
  awsContainerCredentialsRelativeUri: refused("set it in the option container"),
  awsContainerCredentialsFullUri: refused("set it in the option container"),
  awsContainerAuthorizationToken: refused("set it in the option container"),
  awsContainerAuthorizationTokenFile: refused("set it in the option container"),
  webIdentityTokenFile: refused("use fromTokenFile()"),
  roleArn: refused("use fromTokenFile()"),
  roleSessionName: refused("use fromTokenFile()"),
  ssoSession: refused("name a profile that has it"),
  ssoStartUrl: refused("name a profile that has it"),
  ssoAccountId: refused("name a profile that has it"),
  ssoRegion: refused("name a profile that has it"),
  ssoRoleName: refused("name a profile that has it"),
};

/**
 * The credentials that AWS tools would find: from the environment, the selected profile, a web identity token, the
 * container endpoint, or the instance role, in this order. The first source that is configured is used. If it fails,
 * the call throws; the next source is not tried. So a container never uses the role of its host.
 *
 * If the option `profile` is given, the access keys in the environment are not used.
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
 * The providers of the default chain, in their order.
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
 * The credentials in the environment, also if `AWS_PROFILE` is set. A warning is logged then, because that may be a
 * mistake.
 */
function environment(options: EnvironmentProviderOptions): CredentialsSource {
  const provider = new EnvironmentProvider(options);
  const { env } = detectRuntime(options.runtime);
  return {
    async retrieve() {
      const credentials = await provider.retrieve();
      if (trimmed(env("AWS_PROFILE")) !== undefined) {
        options.logger?.warn?.("AWS_PROFILE is ignored: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set, too");
      }
      return credentials;
    },
    providerSources: () => provider.providerSources(),
  };
}
