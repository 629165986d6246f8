/**
 * AWS credentials from the EC2 instance role (IMDS), from `credential_process` and from the shared config files, for Deno, Bun and Node, with zero
 * dependencies.
 *
 * ```ts ignore
 * import { fromInstanceMetadata } from "@rolecreds/aws";
 *
 * const credentials = fromInstanceMetadata();
 * const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
 * ```
 *
 * Hand the provider itself to AWS SDK v3 clients: `new S3Client({ credentials })`.
 *
 * @module
 */
export { fromInstanceMetadata, type InstanceMetadataOptions } from "./lib/from_instance_metadata.ts";
export { fromProcess, type ProcessOptions } from "./lib/from_process.ts";
export { fromProfile, type ProfileOptions } from "./lib/from_profile.ts";
export { type EnvOptions, fromEnv } from "./lib/from_env.ts";
export { defaultProvider, type DefaultProviderOptions } from "./lib/default_provider.ts";
export { chain, type ChainedProvider } from "./lib/chain.ts";
export type { CachedProvider } from "./lib/cached_provider.ts";
export { type CacheOptions, CredentialsCache } from "./lib/cache.ts";
export type { CacheEvent } from "./lib/events.ts";
export { ImdsClient, type InstanceIdentityDocument, type MetadataReader } from "./lib/imds/client.ts";
export { InstanceMetadataProvider, type InstanceMetadataProviderOptions } from "./lib/imds/provider.ts";
export { EnvironmentProvider, type EnvironmentProviderOptions } from "./lib/environment/provider.ts";
export { ProfileProvider, type ProfileProviderOptions } from "./lib/profile/provider.ts";
export { ProcessProvider } from "./lib/process/provider.ts";
export type { ProcessProviderOptions } from "./lib/settings/process.ts";
export type { ImdsOptions } from "./lib/settings/imds.ts";
export type { SharedConfigOptions } from "./lib/settings/locations.ts";
export { parseImdsCredentials } from "./lib/parse/document.ts";
export { parseProcessCredentials, type ProcessDocumentOptions } from "./lib/parse/process_document.ts";
export { parseSharedConfig, type SharedConfig, type SharedConfigFiles } from "./lib/parse/profile.ts";
export { parseTimestamp } from "./lib/parse/timestamp.ts";
export { type CredentialsErrorCode, type CredentialsErrorDetails, CredentialsProviderError } from "./lib/errors.ts";
export type {
  Credentials,
  CredentialsProvider,
  CredentialsSource,
  ForeignCredentials,
  Logger,
  RetrieveOptions,
} from "./lib/credentials.ts";
export type { NotStarted, Runtime, SpawnOptions, SpawnResult } from "./lib/runtime.ts";
