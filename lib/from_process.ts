import type { CacheOptions } from "./cache.ts";
import { type CachedProvider, cachedProvider } from "./cached_provider.ts";
import { ProcessProvider } from "./process/provider.ts";
import type { ProcessProviderOptions } from "./settings/process.ts";

/** Options of {@linkcode fromProcess}. */
export interface ProcessOptions extends ProcessProviderOptions, CacheOptions {}

/**
 * The credentials that a process prints, as `credential_process` does, kept until they expire; without an `Expiration`,
 * for good.
 *
 * Creating the provider runs nothing. However many callers wait, they share one run. It may ask a person for an MFA
 * code, so it never runs ahead of time, unless `expiryWindow` says so.
 *
 * @param options See {@linkcode ProcessOptions}.
 * @returns A function for AWS SDK v3's `credentials`, or to await yourself. It throws what
 * {@linkcode ProcessProvider.retrieve} throws, unless `expiryWindow` began and the held credentials are still valid.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html}
 * @example Usage
 * ```ts
 * import { fromProcess } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const document = '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}';
 * const provider = fromProcess({ command: `echo '${document}'` }); // a line for the shell
 * const { accessKeyId } = await provider();
 * assertEquals(accessKeyId, "AKIAEXAMPLE");
 * ```
 */
export function fromProcess(options: ProcessOptions = {}): CachedProvider {
  return cachedProvider(new ProcessProvider(options), options);
}
