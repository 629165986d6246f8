import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import {
  cached,
  type CachedProvider,
  type CacheOptions,
  chain,
  type ContainerMetadataOptions,
  CredentialsCache,
  type EnvOptions,
  type ForeignCredentials,
  fromInstanceMetadata,
  fromProfile,
  fromTemporaryCredentials,
  type Logger,
  type RetrieveOptions,
  type StsOptions,
} from "../mod.ts";

// Compiled, not run: what users write, without a cast. `tests/packages` compiles such programs with other versions.

/** The credentials that AWS SDK v3 declares. */
interface AwsCredentialIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
  readonly credentialScope?: string;
  readonly accountId?: string;
}

/** The providers of AWS SDK v3, such as `fromIni()`: what they take has no property in common with our options. */
type SdkProvider = (properties?: {
  callerClientConfig?: { readonly profile?: string; region(): Promise<string> };
}) => Promise<AwsCredentialIdentity>;

/** A `Credentials` object of AWS SDK v2. */
interface SdkV2Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expired: boolean;
  expireTime: Date;
}

/** The chain of AWS SDK v3. */
type CreateCredentialChain = (...providers: SdkProvider[]) => SdkProvider;

export function makeClient(Client: new (config: S3ClientConfig) => S3Client): S3Client {
  return new Client({ credentials: chain(fromInstanceMetadata(), fromProfile()) });
}

export function mixWithSdk(fromIni: SdkProvider, createCredentialChain: CreateCredentialChain): CachedProvider {
  const theirs = createCredentialChain(fromProfile(), fromIni, chain(fromIni));
  const role = { params: { RoleArn: "arn:aws:iam::123456789012:role/app" } };
  const cache = new CredentialsCache(fromIni);
  return chain(fromIni, theirs, cached(fromIni), fromTemporaryCredentials({ masterCredentials: fromIni, ...role }), {
    retrieve: (options) => cache.get(options),
  });
}

export function mixWithFunctions(v2: SdkV2Credentials, sessionToken: string | undefined): readonly CachedProvider[] {
  const keys = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" };
  return [
    chain(() => Promise.resolve(keys), fromInstanceMetadata()),
    chain(async ({ signal, forceRefresh } = {}) => {
      signal?.throwIfAborted();
      return await Promise.resolve({ ...keys, sessionToken, accountId: forceRefresh === true ? "1" : undefined });
    }),
    cached(() => Promise.resolve(v2)),
  ];
}

/** `true` where each optional property of an interface accepts `undefined`, also with `exactOptionalPropertyTypes`. */
type AcceptsUndefined<T> = { [Key in keyof T]: undefined extends T[Key] ? T[Key] | undefined : T[Key] } extends T ? true
  : false;

export const acceptsUndefined: readonly true[] = [
  true satisfies AcceptsUndefined<CacheOptions>,
  true satisfies AcceptsUndefined<RetrieveOptions>,
  true satisfies AcceptsUndefined<ForeignCredentials>,
  true satisfies AcceptsUndefined<Logger>,
  true satisfies AcceptsUndefined<ContainerMetadataOptions>,
  true satisfies AcceptsUndefined<EnvOptions>,
  true satisfies AcceptsUndefined<StsOptions>,
];

it("fromInstanceMetadata() type-checks as `credentials` of AWS SDK v3 clients, and says that it is memoized", () => {
  const config: S3ClientConfig = { credentials: fromInstanceMetadata() };
  assertEquals((config.credentials as { memoized?: boolean }).memoized, true);
});
