import { nonBlank } from "../non_blank.ts";
import { cached } from "../cache/cached_provider.ts";
import { SHARED_CONFIG_RULES } from "../config/files.ts";
import { loadSources, resolveOnce } from "../config/settings.ts";
import { ContainerProvider } from "../container/provider.ts";
import type { Credentials, CredentialsSource } from "../credentials.ts";
import { EnvironmentProvider } from "../environment.ts";
import { CredentialsProviderError } from "../errors.ts";
import { InstanceMetadataProvider } from "../imds/provider.ts";
import { LoginProvider } from "../login/provider.ts";
import { printable } from "../printable.ts";
import { profileTask, runTask } from "../process/provider.ts";
import type { ProcessProviderOptions } from "../process/settings.ts";
import { redacted } from "../redaction.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { SsoProvider } from "../sso/provider.ts";
import { StsClient, stsEndpoint } from "../sts/client.ts";
import { RoleSession, type SourceCredentials } from "../sts/role_session.ts";
import { WebIdentityProvider } from "../sts/web_identity.ts";
import { COMMON_RULES, knownOptions } from "../validate.ts";
import type { Base, Plan, RoleStep } from "./plan.ts";
import { PROFILE_RULES, type ProfileProviderOptions } from "./settings.ts";

/** Returns the current properties of a profile. */
type ReadKeys = (profile: string) => ReadonlyMap<string, string>;

/** The source for a plan. */
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
  // The base has a cache of its own: it is refreshed when its credentials expire,
  // not for each refresh of a role.
  const cachedBase: SourceCredentials = base.kind === "static" ? source : cached(source, { ...options, runtime });
  return roles.reduce<SourceCredentials>((signer, hop) => {
    const endpoint = async () =>
      stsEndpoint({ ...options.sts, region: options.region }, await settings(), hop.role.RoleArn);
    return roleSession(hop, signer, options, sts, endpoint, runtime);
  }, cachedBase) as CredentialsSource;
}

function roleSession(
  { profile, role }: RoleStep,
  source: SourceCredentials,
  { mfaCodeProvider, mfaRefresh = true }: ProfileProviderOptions,
  sts: StsClient,
  endpoint: () => Promise<ReturnType<typeof stsEndpoint>>,
  runtime: Runtime,
): RoleSession {
  return new RoleSession({ params: role, source, profile, mfaCodeProvider, mfaRefresh, sts, endpoint }, runtime);
}

function baseSource(base: Base, options: ProfileProviderOptions, readKeys: ReadKeys): CredentialsSource {
  const { imds, container, process, sts, sso, login, region, onLoginRequired } = knownOptions(options, PROFILE_RULES);
  const common = knownOptions(options, COMMON_RULES);
  const shared = knownOptions(options, SHARED_CONFIG_RULES, COMMON_RULES);
  switch (base.kind) {
    case "static":
      // deno-lint-ignore require-await -- what is thrown here must reject the promise
      return { retrieve: async () => staticCredentials(readKeys(base.profile)) };
    case "process":
      return processSource(base, { ...common, ...process });
    case "webIdentity":
      return new WebIdentityProvider({
        ...shared,
        ...sts,
        region,
        webIdentityTokenFile: base.file,
        roleArn: base.role.RoleArn,
        roleSessionName: base.role.RoleSessionName,
        durationSeconds: base.role.DurationSeconds,
      });
    case "source":
      switch (base.name) {
        case "Ec2InstanceMetadata":
          return required(new InstanceMetadataProvider({ ...shared, ...imds }), base);
        case "EcsContainer":
          return required(new ContainerProvider({ ...common, ...container }), base);
        case "Environment":
          return required(new EnvironmentProvider(common), base);
      }
      break;
    case "sso":
      return new SsoProvider({ ...shared, ...sso, onLoginRequired, profile: base.profile });
    case "login":
      return new LoginProvider({ ...shared, ...login, region, onLoginRequired, profile: base.profile });
  }
}

function processSource(
  { profile, command, accountId }: Extract<Base, { kind: "process" }>,
  options: Omit<ProcessProviderOptions, "command">,
): CredentialsSource {
  const task = profileTask(profile, command, options.accountId ?? accountId);
  const runtime = detectRuntime(options.runtime);
  return {
    retrieve: ({ signal } = {}) => runTask(task, options, runtime, signal),
    providerSources: () => ["ProcessProvider"],
  };
}

/** The same source, but its errors stop a chain: a profile names it. */
function required(source: CredentialsSource, { profile, name }: Extract<Base, { kind: "source" }>): CredentialsSource {
  return {
    staticStability: source.staticStability === true,
    providerSources: () => source.providerSources?.() ?? [],
    retrieve: (options) =>
      source.retrieve(options).catch((error: unknown) => {
        if (!(error instanceof CredentialsProviderError) || !error.tryNextLink) throw error;
        const { code, message, hint, statusCode, recoverable } = error;
        const named = `${message}; credential_source of profile ${printable(profile)} is ${name}`;
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
  const value = (key: string) => nonBlank(profile.get(key));
  return redacted({
    accessKeyId: value("aws_access_key_id") ?? "",
    secretAccessKey: value("aws_secret_access_key") ?? "",
    sessionToken: value("aws_session_token"),
    accountId: value("aws_account_id"),
    source: "ProfileProvider",
  });
}
