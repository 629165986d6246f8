import type { CacheOptions } from "./cache.ts";
import { type CachedProvider, cachedProvider } from "./cached_provider.ts";
import { EnvironmentProvider, type EnvironmentProviderOptions } from "./environment/provider.ts";

/** Options of {@linkcode fromEnv}. */
export interface EnvOptions extends EnvironmentProviderOptions, CacheOptions {}

/**
 * The credentials in the environment, see {@linkcode EnvironmentProvider}. They are read once, and again when they
 * expire or after `clear()`.
 *
 * @param options See {@linkcode EnvOptions}.
 * @returns A function for AWS SDK v3's `credentials`, or to await yourself.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html}
 * @example Usage
 * ```ts ignore
 * import { fromEnv } from "@rolecreds/aws";
 *
 * const { accessKeyId } = await fromEnv()();
 * ```
 */
export function fromEnv(options: EnvOptions = {}): CachedProvider {
  return cachedProvider(new EnvironmentProvider(options), options);
}
