import type { CacheOptions } from "./cache.ts";
import { type CachedProvider, cachedProvider } from "./cached_provider.ts";
import { ProfileProvider, type ProfileProviderOptions } from "./profile/provider.ts";

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
