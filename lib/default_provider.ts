import type { CacheOptions } from "./cache/cache.ts";
import { type CachedProvider, cachedProvider } from "./cache/cached_provider.ts";
import { chain } from "./chain.ts";
import type { CredentialsSource } from "./credentials.ts";
import { EnvironmentProvider } from "./environment.ts";
import { CredentialsProviderError } from "./errors.ts";
import { InstanceMetadataProvider } from "./imds/provider.ts";
import { ProfileProvider, type ProfileProviderOptions } from "./profile/provider.ts";
import type { Runtime } from "./runtime.ts";
import { detectRuntime } from "./runtime/detect.ts";

/** Options of {@linkcode defaultProvider}. */
export interface DefaultProviderOptions extends ProfileProviderOptions, CacheOptions {}

/**
 * The credentials that AWS tools would find: in the environment, in the selected profile, from the instance role, in
 * this order. The first that is there is taken; one that is there but broken is an error.
 *
 * A profile named in code passes the environment over. Where the environment asks for web identity or container
 * credentials, which this library does not do yet, the chain stops there: it never goes on to the role of the host.
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
  const { env } = detectRuntime(options.runtime);
  const { imds, process: _process, ...common } = options;
  const links: readonly CredentialsSource[] = [
    ...(options.profile === undefined ? [environment(options, env)] : []),
    new ProfileProvider({ ...options, imds: { failFast: true, ...imds } }),
    hostRole(new InstanceMetadataProvider({ ...common, failFast: true, ...imds }), env),
  ];
  return cachedProvider(chain(...links), options);
}

function environment(options: DefaultProviderOptions, env: Runtime["env"]): CredentialsSource {
  const provider = new EnvironmentProvider(options);
  return {
    async retrieve() {
      const credentials = await provider.retrieve();
      if (isSet(env, "AWS_PROFILE")) {
        options.logger?.warn?.("AWS_PROFILE is passed over: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set, too");
      }
      return credentials;
    },
    providerSources: () => provider.providerSources(),
  };
}

/** Web identity and containers have their place before the host's role: a task must never borrow that. */
function hostRole(provider: InstanceMetadataProvider, env: Runtime["env"]): CredentialsSource {
  return {
    staticStability: provider.staticStability,
    async retrieve(options) {
      const variable = unsupportedVariable(env);
      if (variable !== undefined) throw unsupported(variable);
      return await provider.retrieve(options);
    },
    providerSources: () => provider.providerSources(),
  };
}

function unsupportedVariable(env: Runtime["env"]): string | undefined {
  if (isSet(env, "AWS_WEB_IDENTITY_TOKEN_FILE") && isSet(env, "AWS_ROLE_ARN")) return "AWS_WEB_IDENTITY_TOKEN_FILE";
  return ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    .find((name) => isSet(env, name));
}

function unsupported(variable: string): CredentialsProviderError {
  return new CredentialsProviderError(
    "UnsupportedSource",
    `Cannot get credentials: ${variable} asks for a source that this library does not have yet`,
    { hint: `Unset ${variable} to use the role of the instance, or take a provider of AWS SDK v3.` },
  );
}

function isSet(env: Runtime["env"], name: string): boolean {
  return (env(name) ?? "").trim() !== "";
}
