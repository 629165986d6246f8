import type { CacheOptions } from "./cache.ts";
import { type CachedProvider, cachedProvider } from "./cached_provider.ts";
import { InstanceMetadataProvider, type InstanceMetadataProviderOptions } from "./imds/provider.ts";

/** Options of {@linkcode fromInstanceMetadata}. */
export interface InstanceMetadataOptions extends InstanceMetadataProviderOptions, CacheOptions {}

/**
 * The credentials of the role attached to this EC2 instance, cached and refreshed ahead of time.
 *
 * Creating the provider reads and sends nothing. The first call takes three requests to IMDS, a refresh takes one, and
 * however many callers wait, they share them.
 *
 * @param options See {@linkcode InstanceMetadataOptions}.
 * @returns A function for AWS SDK v3's `credentials`, or to await yourself. It throws what
 * {@linkcode InstanceMetadataProvider.retrieve} throws, unless it holds credentials to go on with.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html}
 * @example Usage
 * ```ts
 * import { fromInstanceMetadata } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new ImdsEmulator(); // leave it out on EC2
 * const provider = fromInstanceMetadata({ runtime: { fetch: emulator.fetch } });
 * const { accessKeyId, secretAccessKey, sessionToken } = await provider();
 * assertEquals(emulator.requests.length, 3);
 * ```
 */
export function fromInstanceMetadata(options: InstanceMetadataOptions = {}): CachedProvider {
  return cachedProvider(new InstanceMetadataProvider(options), options);
}
