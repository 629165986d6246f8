import type { Credentials, CredentialsProvider, CredentialsSource, ForeignProvider } from "../credentials.ts";
import { validSource } from "../validate.ts";
import { type CacheOptions, CredentialsCache } from "./cache.ts";

/**
 * A function that returns credentials from a cache. AWS SDK v3 clients take it as `credentials`. Because of `memoized`
 * they do not cache the result a second time.
 *
 * It is also a source: `retrieve()` does not use the cache. A chain or another cache calls `retrieve()`, so that
 * credentials are cached once, in the outermost cache and with its options.
 */
export interface CachedProvider extends CredentialsProvider, CredentialsSource {
  /** AWS SDK v3 reads it: the result is cached already. */
  readonly memoized: true;
  /** Reports credentials that AWS rejected, see {@linkcode CredentialsCache.invalidate}. */
  invalidate(rejected?: Pick<Credentials, "accessKeyId">): void;
  /** Forgets everything, see {@linkcode CredentialsCache.clear}. */
  clear(): void;
  /** The cache, to inspect its state. */
  readonly cache: CredentialsCache;
}

/**
 * Puts a cache in front of a provider, as `fromEnv()`, `fromInstanceMetadata()` and the other `from…()` functions do.
 *
 * @param provider A function that returns credentials, or an object with `retrieve()`. If it is a
 * {@linkcode CachedProvider}, its source is used, so that credentials are not cached twice.
 * @param options See {@linkcode CacheOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @example A source of your own: its credentials are refreshed before they expire, and served while it is unavailable
 * ```ts
 * import { cached } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const provider = cached({
 *   staticStability: true,
 *   async retrieve() {
 *     const expiration = new Date(Date.now() + 3_600_000);
 *     return { accessKeyId: "ASIAEXAMPLE", secretAccessKey: "secret", sessionToken: "token", expiration };
 *   },
 * }, { onEvent: (event) => console.log(event.type) });
 * const credentials = await provider(); // prints "retrieved"
 * assertEquals(credentials.accessKeyId, "ASIAEXAMPLE");
 * provider.invalidate(credentials); // AWS said ExpiredToken: the next call retrieves
 * ```
 */
export function cached(provider: CredentialsSource | ForeignProvider, options: CacheOptions = {}): CachedProvider {
  const source = validSource("cached provider", provider);
  const cache = new CredentialsCache(source, options);
  const get: CredentialsProvider = (retrieveOptions) => cache.get(retrieveOptions);
  const cachedProvider = Object.assign(get, {
    memoized: true as const,
    invalidate: (rejected?: Pick<Credentials, "accessKeyId">) => cache.invalidate(rejected),
    clear: () => cache.clear(),
    cache,
  });
  // Object.assign() would read `staticStability` once, but a source may change it
  return Object.defineProperties(cachedProvider as typeof cachedProvider & CredentialsSource, {
    retrieve: { value: source.retrieve.bind(source) },
    staticStability: { get: () => source.staticStability === true },
    handleFailToRefresh: { value: source.handleFailToRefresh?.bind(source) },
    adjustExpiresBy: { value: source.adjustExpiresBy?.bind(source) },
    providerSources: { value: source.providerSources?.bind(source) },
  });
}
