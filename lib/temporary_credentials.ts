import type { CacheOptions } from "./cache/cache.ts";
import { cached, type CachedProvider } from "./cache/cached_provider.ts";
import { SHARED_CONFIG_RULES } from "./config/files.ts";
import { defaultProvider } from "./default_provider.ts";
import { AssumeRoleProvider, type AssumeRoleProviderOptions } from "./sts/assume_role.ts";
import type { SourceCredentials } from "./sts/role_session.ts";
import { checkOptions, COMMON_RULES, knownOptions } from "./validate.ts";

/** Options of {@linkcode fromTemporaryCredentials}. */
export interface TemporaryCredentialsOptions
  extends Omit<AssumeRoleProviderOptions, "masterCredentials">, CacheOptions {
  /** The credentials that may assume the role. Defaults to {@linkcode defaultProvider}. */
  readonly masterCredentials?: SourceCredentials | undefined;
  /** The settings of the STS client, as AWS SDK v3 takes them. The options `region` and `endpoint` have precedence. */
  readonly clientConfig?: { readonly region?: string | undefined; readonly endpoint?: string | undefined } | undefined;
}

/**
 * The credentials of a role that is assumed with other credentials. They are cached and refreshed ahead of time.
 *
 * Creating the provider reads and sends nothing. All callers that wait share one AssumeRole call. `masterCredentials`
 * is called for each refresh: use a function with a cache, as the default has. With an MFA device a person must type a
 * code, so the credentials are refreshed only when they expire, or when the expiry window begins.
 *
 * @param options See {@linkcode TemporaryCredentialsOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws
 * what {@linkcode AssumeRoleProvider.retrieve} throws, unless cached credentials may be served.
 * @throws {CredentialsProviderError} `ConfigurationError` or `AssumeRoleConfigurationError`, naming the option and its
 * valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html}
 * @example Usage
 * ```ts ignore
 * import { fromTemporaryCredentials } from "@rolecreds/aws";
 *
 * const credentials = fromTemporaryCredentials({
 *   params: { RoleArn: "arn:aws:iam::123456789012:role/deploy", ExternalId: "customer-7" },
 *   clientConfig: { region: "eu-west-1" },
 * });
 * const { accessKeyId } = await credentials();
 * ```
 */
export function fromTemporaryCredentials(options: TemporaryCredentialsOptions): CachedProvider {
  // The options must be an object before they are destructured; AssumeRoleProvider checks the rest.
  checkOptions("assume role provider", options, {});
  const { clientConfig, masterCredentials, ...rest } = options;
  const region = rest.region ?? clientConfig?.region;
  const endpoint = rest.endpoint ?? clientConfig?.endpoint;
  const { timeout, maxRetries, mfaCodeProvider } = rest;
  const source = masterCredentials ?? defaultProvider({
    ...knownOptions(options, SHARED_CONFIG_RULES, COMMON_RULES),
    region,
    sts: { endpoint, timeout, maxRetries },
    mfaCodeProvider,
  });
  return cached(new AssumeRoleProvider({ ...rest, region, endpoint, masterCredentials: source }), options);
}
