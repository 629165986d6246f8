import type { CacheOptions } from "./cache/cache.ts";
import { type CachedProvider, cachedProvider } from "./cache/cached_provider.ts";
import { chain } from "./chain.ts";
import type { CredentialsSource } from "./credentials.ts";
import { EnvironmentProvider } from "./environment.ts";
import { ContainerProvider } from "./container/provider.ts";
import { InstanceMetadataProvider } from "./imds/provider.ts";
import { ProfileProvider } from "./profile/provider.ts";
import type { ProfileProviderOptions } from "./profile/settings.ts";
import { detectRuntime } from "./runtime/detect.ts";
import { WebIdentityProvider } from "./sts/web_identity.ts";

/** Options of {@linkcode defaultProvider}. */
export interface DefaultProviderOptions extends ProfileProviderOptions, CacheOptions {}

/**
 * The credentials that AWS tools would find: in the environment, in the selected profile, from the web identity in the
 * environment, from the container, from the instance role, in this order. The first source that is configured is used;
 * where it fails, that is an error: a container never uses the role of its host.
 *
 * A profile named in code skips the environment.
 *
 * @param options See {@linkcode DefaultProviderOptions}.
 * @returns A function for AWS SDK v3's `credentials`, or to await yourself. If there are no credentials it throws
 * `NoCredentials` with every provider's error in `errors` and a line for each in its message.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
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
  const { imds, container, process: _process, sts, sso: _sso, login: _login, onLoginRequired: _handler, ...others } =
    options;
  const { mfaCodeProvider: _mfa, mfaRefresh: _refresh, region, ...common } = others;
  const links: readonly CredentialsSource[] = [
    ...(options.profile === undefined ? [environment(options)] : []),
    new ProfileProvider({ ...options, imds: { failFast: true, ...imds } }),
    new WebIdentityProvider({ ...common, ...sts, region }),
    new ContainerProvider({ ...common, ...container }),
    new InstanceMetadataProvider({ ...common, failFast: true, ...imds }),
  ];
  return cachedProvider(chain(...links), options);
}

function environment(options: DefaultProviderOptions): CredentialsSource {
  const provider = new EnvironmentProvider(options);
  const { env } = detectRuntime(options.runtime);
  return {
    async retrieve() {
      const credentials = await provider.retrieve();
      if ((env("AWS_PROFILE") ?? "").trim() !== "") {
        options.logger?.warn?.("AWS_PROFILE is ignored: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set, too");
      }
      return credentials;
    },
    providerSources: () => provider.providerSources(),
  };
}
