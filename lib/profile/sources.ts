import { cached } from "../cache/cached_provider.ts";
import { loadSources, resolveOnce } from "../config/settings.ts";
import { ContainerProvider } from "../container/provider.ts";
import type { Credentials, CredentialsSource } from "../credentials.ts";
import { EnvironmentProvider } from "../environment.ts";
import { CredentialsProviderError } from "../errors.ts";
import { InstanceMetadataProvider } from "../imds/provider.ts";
import { LoginProvider } from "../login/provider.ts";
import { printable } from "../printable.ts";
import { ProcessProvider } from "../process/provider.ts";
import { redacted } from "../redaction.ts";
import type { Runtime } from "../runtime.ts";
import { SsoProvider } from "../sso/provider.ts";
import { StsClient, stsEndpoint } from "../sts/client.ts";
import { RoleSession, type SourceCredentials } from "../sts/role_session.ts";
import { WebIdentityProvider } from "../sts/web_identity.ts";
import type { Base, Plan, RoleHop } from "./plan.ts";
import type { ProfileProviderOptions } from "./settings.ts";

/** Reads the static keys of a profile as they are now. */
type ReadKeys = (profile: string) => ReadonlyMap<string, string>;

/** The provider that does what a plan says. */
export function planSource(
  { base, roles }: Plan,
  options: ProfileProviderOptions,
  runtime: Runtime,
  readKeys: ReadKeys,
): CredentialsSource {
  const source = baseSource(base, options, readKeys);
  if (roles.length === 0) return source;
  const settings = resolveOnce(() => loadSources(options, runtime));
  const sts = new StsClient(options.sts ?? {}, runtime);
  // The base keeps a cache of its own: it is contacted when it is due, not for each refresh of a role.
  const cachedBase: SourceCredentials = base.kind === "static" ? source : cached(source, { ...options, runtime });
  return roles.reduce<SourceCredentials>((signer, hop) => {
    const endpoint = async () =>
      stsEndpoint({ ...options.sts, region: options.region }, await settings(), hop.role.RoleArn);
    return roleSession(hop, signer, options, sts, endpoint, runtime);
  }, cachedBase) as CredentialsSource;
}

function roleSession(
  { profile, role }: RoleHop,
  source: SourceCredentials,
  { mfaCodeProvider, mfaRefresh = true }: ProfileProviderOptions,
  sts: StsClient,
  endpoint: () => Promise<ReturnType<typeof stsEndpoint>>,
  runtime: Runtime,
): RoleSession {
  return new RoleSession({ params: role, source, profile, mfaCodeProvider, mfaRefresh, sts, endpoint }, runtime);
}

function baseSource(base: Base, options: ProfileProviderOptions, readKeys: ReadKeys): CredentialsSource {
  const { imds, container, process, sts, sso, login, onLoginRequired, ...others } = options;
  const { mfaCodeProvider: _mfa, mfaRefresh: _refresh, ...common } = others;
  switch (base.kind) {
    case "static":
      // deno-lint-ignore require-await -- what is thrown here belongs into the promise
      return { retrieve: async () => staticCredentials(readKeys(base.profile)) };
    case "process":
      return new ProcessProvider({ ...withoutRegion(common), ...process, profile: base.profile });
    case "webIdentity":
      return new WebIdentityProvider({
        ...common,
        ...sts,
        webIdentityTokenFile: base.file,
        roleArn: base.role.RoleArn,
        roleSessionName: base.role.RoleSessionName,
        durationSeconds: base.role.DurationSeconds,
      });
    case "source":
      switch (base.name) {
        case "Ec2InstanceMetadata":
          return required(new InstanceMetadataProvider({ ...withoutRegion(common), ...imds }), base);
        case "EcsContainer":
          return required(new ContainerProvider({ ...runtimeOf(common), ...container }), base);
        case "Environment":
          return required(new EnvironmentProvider(runtimeOf(common)), base);
      }
      break;
    case "sso":
      return new SsoProvider({ ...withoutRegion(common), onLoginRequired, ...sso, profile: base.profile });
    case "login":
      return new LoginProvider({ ...common, onLoginRequired, ...login, profile: base.profile });
  }
}

function withoutRegion<T extends { readonly region?: unknown }>({ region: _region, ...rest }: T): Omit<T, "region"> {
  return rest;
}

function runtimeOf({ logger, runtime }: ProfileProviderOptions): Pick<ProfileProviderOptions, "logger" | "runtime"> {
  return { ...(logger === undefined ? {} : { logger }), ...(runtime === undefined ? {} : { runtime }) };
}

/** A source that a profile names must have credentials: where it is not available, a chain must not go on to another. */
function required(source: CredentialsSource, { profile, name }: Extract<Base, { kind: "source" }>): CredentialsSource {
  return {
    staticStability: source.staticStability === true,
    providerSources: () => source.providerSources?.() ?? [],
    retrieve: (options) =>
      source.retrieve(options).catch((error: unknown) => {
        if (!(error instanceof CredentialsProviderError) || !error.tryNextLink) throw error;
        const { code, message, hint, statusCode, recoverable } = error;
        const named = `${message}; profile ${printable(profile)} demands it with credential_source = ${name}`;
        throw new CredentialsProviderError(code, named, {
          hint,
          statusCode,
          recoverable,
          tryNextLink: false,
          cause: error,
        });
      }),
  };
}

function staticCredentials(profile: ReadonlyMap<string, string>): Credentials {
  const value = (key: string) => profile.get(key)?.trim() ?? "";
  const [sessionToken, accountId] = [value("aws_session_token"), value("aws_account_id")];
  return redacted({
    accessKeyId: value("aws_access_key_id"),
    secretAccessKey: value("aws_secret_access_key"),
    ...(sessionToken === "" ? {} : { sessionToken }),
    ...(accountId === "" ? {} : { accountId }),
    source: "ProfileProvider",
  });
}
