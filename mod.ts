/**
 * Retrieves AWS credentials from every standard source (EC2, containers, profiles, processes, assumed roles, web
 * identity, SSO and `aws login`), for Deno, Bun, Node and other server runtimes with `fetch`, with zero dependencies.
 *
 * ```ts ignore
 * import { defaultProvider } from "@rolecreds/aws";
 *
 * const provider = defaultProvider();
 * const { accessKeyId, secretAccessKey, sessionToken } = await provider();
 * ```
 *
 * Pass the provider, not its result, to AWS SDK v3 clients: `new S3Client({ credentials: provider })`.
 *
 * @module
 */
export { fromInstanceMetadata, type InstanceMetadataOptions } from "./lib/imds/provider.ts";
export { fromProcess, type ProcessOptions } from "./lib/process/provider.ts";
export { fromProfile, fromProfile as fromIni, type ProfileOptions } from "./lib/profile/provider.ts";
export { type EnvOptions, fromEnv } from "./lib/environment.ts";
export {
  defaultProvider,
  defaultProvider as fromNodeProviderChain,
  type DefaultProviderOptions,
} from "./lib/default_provider.ts";
export { diagnose, type DiagnoseOptions } from "./lib/doctor/diagnose.ts";
export type { Finding } from "./lib/doctor/finding.ts";
export { chain, chain as createCredentialChain } from "./lib/chain.ts";
export { cached, type CachedProvider } from "./lib/cache/cached_provider.ts";
export { type CacheOptions, CredentialsCache } from "./lib/cache/cache.ts";
export type { CacheEvent } from "./lib/cache/events.ts";
export { ImdsClient, type InstanceIdentityDocument, type MetadataReader } from "./lib/imds/client.ts";
export { InstanceMetadataProvider, type InstanceMetadataProviderOptions } from "./lib/imds/provider.ts";
export {
  type ContainerMetadataOptions,
  ContainerProvider,
  type ContainerProviderOptions,
  fromContainerMetadata,
  fromContainerMetadata as fromHttp,
} from "./lib/container/provider.ts";
export {
  fromTokenFile,
  fromWebToken,
  type TokenFileOptions,
  WebIdentityProvider,
  type WebIdentityProviderOptions,
  type WebTokenOptions,
} from "./lib/sts/web_identity.ts";
export { fromTemporaryCredentials, type TemporaryCredentialsOptions } from "./lib/temporary_credentials.ts";
export type { StsOptions } from "./lib/sts/client.ts";
export { AssumeRoleProvider, type AssumeRoleProviderOptions } from "./lib/sts/assume_role.ts";
export type { MfaCodeProvider, MfaCodeRequest, SourceCredentials } from "./lib/sts/role_session.ts";
export type { RoleParameters } from "./lib/sts/parameters.ts";
export { fromSSO, type SsoOptions, SsoProvider } from "./lib/sso/provider.ts";
export type { SsoProviderOptions } from "./lib/sso/settings.ts";
export { fromLoginCredentials, type LoginOptions, LoginProvider } from "./lib/login/provider.ts";
export type { LoginProviderOptions } from "./lib/login/settings.ts";
export type { LoginHandler, LoginRequest } from "./lib/session/session.ts";
export { EnvironmentProvider, type EnvironmentProviderOptions } from "./lib/environment.ts";
export { ProfileProvider } from "./lib/profile/provider.ts";
export type { ProfileProviderOptions } from "./lib/profile/settings.ts";
export { ProcessProvider } from "./lib/process/provider.ts";
export type { ProcessProviderOptions } from "./lib/process/settings.ts";
export type { ImdsOptions } from "./lib/imds/settings.ts";
export type { SharedConfigOptions } from "./lib/config/files.ts";
export { parseImdsCredentials } from "./lib/imds/document.ts";
export { parseProcessCredentials, type ProcessDocumentOptions } from "./lib/process/document.ts";
export { type RegionOptions, resolveRegion } from "./lib/config/region.ts";
export { parseSharedConfig, type SharedConfig, type SharedConfigFiles } from "./lib/config/profile.ts";
export { signRequest, type SignRequestOptions } from "./lib/sign_request.ts";
export type { SigningCredentials } from "./lib/sigv4.ts";
export { parseTimestamp } from "./lib/timestamp.ts";
export { type CredentialsErrorCode, type CredentialsErrorDetails, CredentialsProviderError } from "./lib/errors.ts";
export type {
  Credentials,
  CredentialsProvider,
  CredentialsSource,
  ForeignCredentials,
  ForeignProvider,
  Logger,
  RetrieveOptions,
} from "./lib/credentials.ts";
export type { NotStarted, Runtime, Spawn, SpawnOptions, SpawnResult } from "./lib/runtime.ts";
