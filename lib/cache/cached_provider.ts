import { type CacheOptions, CredentialsCache } from "./cache.ts";
import type { Credentials, CredentialsProvider, CredentialsSource } from "../credentials.ts";

/**
 * A function that returns credentials from a cache. AWS SDK v3 clients take it as `credentials` and, seeing `memoized`,
 * put no cache of their own in front.
 */
export interface CachedProvider extends CredentialsProvider {
  /** Tells AWS SDK v3 that every call may come here. */
  readonly memoized: true;
  /** Reports credentials that AWS refused, see {@linkcode CredentialsCache.invalidate}. */
  invalidate(rejected?: Pick<Credentials, "accessKeyId">): void;
  /** Forgets everything, see {@linkcode CredentialsCache.clear}. */
  clear(): void;
  /** What is held, for people and metrics. */
  readonly cache: CredentialsCache;
}

/** Puts a cache in front of a source. */
export function cachedProvider(source: CredentialsSource, options: CacheOptions): CachedProvider {
  const cache = new CredentialsCache(source, options);
  const provider: CredentialsProvider = (options) => cache.get(options);
  return Object.assign(provider, {
    memoized: true as const,
    invalidate: (rejected?: Pick<Credentials, "accessKeyId">) => cache.invalidate(rejected),
    clear: () => cache.clear(),
    cache,
  });
}
