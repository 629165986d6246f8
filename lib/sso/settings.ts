import { endpointSettings, type EndpointSources } from "../config/endpoint_settings.ts";
import {
  awsFolder,
  loadSharedConfig,
  requireProfile,
  SHARED_CONFIG_RULES,
  type SharedConfigOptions,
} from "../config/files.ts";
import { checkProviderOptions } from "../config/options.ts";
import type { Logger } from "../credentials.ts";
import { type EndpointService, resolveEndpoint } from "../endpoint.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Runtime } from "../runtime.ts";
import type { LoginHandler } from "../session/session.ts";
import { ENDPOINT, FUNCTION, integer, type Rules, STRING, unsupported } from "../validate.ts";
import type { SsoEndpoints } from "./client.ts";
import { type Section, ssoPlan, type SsoSettings } from "./plan.ts";
import { ssoTokenFileName } from "./token_file.ts";

/**
 * Options of {@linkcode SsoProvider}. Without `ssoSession`, `ssoStartUrl`, `ssoRegion`, `ssoAccountId` and
 * `ssoRoleName`, the profile names the role.
 */
export interface SsoProviderOptions extends SharedConfigOptions {
  /** The name of an `[sso-session]` section, in place of `ssoStartUrl` and `ssoRegion`. Its token can be refreshed. */
  readonly ssoSession?: string | undefined;
  /** The URL of the AWS access portal. */
  readonly ssoStartUrl?: string | undefined;
  /** The region of IAM Identity Center. */
  readonly ssoRegion?: string | undefined;
  /** The account of the role, as a string. */
  readonly ssoAccountId?: string | undefined;
  /** The name of the role or permission set. */
  readonly ssoRoleName?: string | undefined;
  /** An absolute URL that replaces the hosts of both services of SSO. */
  readonly endpoint?: string | undefined;
  /** Retries after no response, or a busy one (408, 429, 5xx, throttling); an integer >= 0. @default {2} */
  readonly maxRetries?: number | undefined;
  /**
   * Called when a person must sign in: there is no token, SSO rejects it, or it has expired and cannot be refreshed.
   * The retrieval continues when the returned promise resolves. Without this option the retrieval fails, and the error
   * has the `command` to run.
   */
  readonly onLoginRequired?: LoginHandler | undefined;
  /**
   * Where diagnostics go. Without a logger only warnings about options and files are printed; with `null` nothing is.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `fetch`, the files. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** Resolved and checked: what an SSO provider works with. */
export interface SsoTarget {
  readonly settings: SsoSettings;
  /** Absent where the options name the role. */
  readonly profile: string | undefined;
  /** How errors call the session. */
  readonly name: string;
  /** The command that starts a new session. */
  readonly command: string;
  readonly tokenPath: string;
  readonly endpoints: SsoEndpoints;
}

const RULES: Rules = {
  ssoSession: STRING,
  ssoStartUrl: STRING,
  ssoRegion: STRING,
  ssoAccountId: STRING,
  ssoRoleName: STRING,
  endpoint: ENDPOINT,
  maxRetries: integer(0),
  onLoginRequired: FUNCTION,
  // Options of AWS SDK v3 that this library does not have:
  ssoClient: unsupported("set the option endpoint"),
  clientConfig: unsupported("set the options ssoRegion and endpoint"),
  parentClientConfig: unsupported("set the options ssoRegion and endpoint"),
};

/** The options that replace keys of a profile. */
const KEYS = {
  ssoSession: "sso_session",
  ssoStartUrl: "sso_start_url",
  ssoRegion: "sso_region",
  ssoAccountId: "sso_account_id",
  ssoRoleName: "sso_role_name",
} as const;

type Properties = ReadonlyMap<string, string>;

/**
 * Checks the options as they are given.
 *
 * @returns The runtime to use: the detected one, in which `options.runtime` replaces parts.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 */
export function checkSsoOptions(options: SsoProviderOptions): Runtime {
  const runtime = checkProviderOptions("SSO provider", options, RULES, SHARED_CONFIG_RULES);
  const { ssoSession, ssoStartUrl, ssoRegion, ssoAccountId, ssoRoleName } = options;
  if (propertiesOf(options).size === 0) return runtime;
  const hasSession = ssoSession !== undefined || (ssoStartUrl !== undefined && ssoRegion !== undefined);
  if (hasSession && ssoAccountId !== undefined && ssoRoleName !== undefined) return runtime;
  throw new CredentialsProviderError(
    "ConfigurationError",
    "Cannot create the SSO provider: its options are incomplete",
    {
      hint: "Give ssoAccountId, ssoRoleName and either ssoSession or both ssoStartUrl and ssoRegion; or none of them.",
    },
  );
}

/**
 * Finds the role and the session that the options name, or else the profile.
 *
 * @throws {CredentialsProviderError} See {@linkcode SsoProvider.retrieve}.
 */
export async function loadSsoTarget(options: SsoProviderOptions, runtime: Runtime): Promise<SsoTarget> {
  const config = await loadSharedConfig(options, runtime);
  const given = propertiesOf(options);
  const profile = given.size > 0 ? undefined : config.profileName;
  const section = profile === undefined
    ? { name: "the options", properties: given }
    : { name: `profile ${printable(profile)}`, properties: requireProfile(config) };
  const settings = settingsOf(section, config.ssoSessions);
  const { session, startUrl } = settings;
  const folder = awsFolder("sso/cache", undefined, options, runtime);
  if (folder === undefined) throw noHome();
  const profileArgument = profile === undefined ? "" : ` --profile ${profile}`;
  return {
    settings,
    profile,
    name: session === undefined ? `SSO for ${section.name}` : `SSO session ${session}`,
    command: `aws sso login${session === undefined ? profileArgument : ` --sso-session ${session}`}`,
    tokenPath: `${folder}/${await ssoTokenFileName(session ?? startUrl)}`,
    endpoints: endpointsOf(settings, options, {
      env: runtime.env,
      profile: config.profiles.get(config.profileName) ?? new Map(),
      services: config.services,
    }),
  };
}

function propertiesOf(options: SsoProviderOptions): Properties {
  const entries = Object.entries(KEYS) as [keyof typeof KEYS, string][];
  return new Map(entries.flatMap(([option, key]) => options[option] === undefined ? [] : [[key, options[option]]]));
}

function settingsOf(section: Section, ssoSessions: ReadonlyMap<string, Properties>): SsoSettings {
  const plan = ssoPlan(section, ssoSessions);
  if (plan.kind === "sso") return plan.settings;
  throw new CredentialsProviderError(
    "NoCredentials",
    `Cannot get credentials from SSO: ${section.name} has neither sso_account_id nor sso_role_name`,
    { hint: "Add both to the profile, by hand or with `aws configure sso`." },
  );
}

function endpointsOf(
  { region }: SsoSettings,
  { endpoint }: SsoProviderOptions,
  sources: EndpointSources,
): SsoEndpoints {
  const urlOf = (service: EndpointService) =>
    resolveEndpoint(service, { ...endpointSettings(service, sources, endpoint), region }).url;
  return { portal: urlOf("sso"), oidc: urlOf("sso-oidc") };
}

function noHome(): CredentialsProviderError {
  return new CredentialsProviderError(
    "ConfigurationError",
    "Cannot find the SSO token: the home directory is not known",
    { hint: "Set HOME, or the option homeDirectory." },
  );
}
