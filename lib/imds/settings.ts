import { nonBlank } from "../non_blank.ts";
import type { Logger } from "../credentials.ts";
import type { CredentialsProviderError } from "../errors.ts";
import type { RetryPolicy } from "../http/retry.ts";
import { logOnce } from "../log_once.ts";
import type { Runtime } from "../runtime.ts";
import {
  BOOLEAN,
  ENDPOINT,
  FUNCTION,
  integer,
  MILLISECONDS,
  MILLISECONDS_OR_ZERO,
  OBJECT,
  objectOf,
  oneOf,
  type Rule,
  type Rules,
  SECONDS,
  timeLimitMs,
  validated,
} from "../validate.ts";
import type { SharedConfigOptions } from "../config/files.ts";
import { isRoleName } from "./document.ts";
import {
  findDisablingSetting,
  findNumber,
  findSetting,
  loadSources,
  resolveOnce,
  type Setting,
  type SettingSources,
} from "../config/settings.ts";
import { disabledError } from "./errors.ts";

/**
 * Options of a metadata client. "Also" is followed by the environment variable and the profile key for the same
 * setting.
 */
export interface ImdsOptions extends SharedConfigOptions {
  /**
   * Whether to send nothing and to fail with `ImdsDisabled`. Also `AWS_EC2_METADATA_DISABLED`, `disable_ec2_metadata`.
   * @default {false}
   */
  readonly disabled?: boolean | undefined;
  /**
   * Whether IMDSv1 is never used, even if IMDS refuses tokens. Also `AWS_EC2_METADATA_V1_DISABLED`,
   * `ec2_metadata_v1_disabled`.
   * @default {false}
   */
  readonly ec2MetadataV1Disabled?: boolean | undefined;
  /**
   * When to use IMDSv1: only where IMDS refuses tokens (403, 404, 405), or also when a token request gets no response.
   * @default {"refused"}
   */
  readonly ec2MetadataV1Fallback?: "refused" | "always" | undefined;
  /**
   * An absolute `http:` or `https:` URL; its path is put before each path that is requested. `endpointMode` is then
   * ignored. Also `AWS_EC2_METADATA_SERVICE_ENDPOINT`, `ec2_metadata_service_endpoint`.
   */
  readonly endpoint?: string | undefined;
  /**
   * Which of the two well-known addresses to use. Also `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`,
   * `ec2_metadata_service_endpoint_mode`.
   * @default {"IPv4"}
   */
  readonly endpointMode?: "IPv4" | "IPv6" | undefined;
  /**
   * Milliseconds for one attempt, from connecting to the last byte; > 0, rounded up. Also, in seconds,
   * `AWS_METADATA_SERVICE_TIMEOUT`, `metadata_service_timeout`.
   *
   * Where packets to the endpoint are dropped, as outside EC2, an open connection attempt keeps the program running
   * after the error: 10 seconds on Node, two minutes on Bun before 1.4. `process.exit()` ends it at once.
   * @default {1000}
   */
  readonly timeout?: number | undefined;
  /** Milliseconds until the response headers; > 0. Defaults to `timeout`. */
  readonly connectTimeout?: number | undefined;
  /** The two timeouts under the names of AWS SDK for JavaScript v2; `timeout` and `connectTimeout` take precedence. */
  readonly httpOptions?:
    | { readonly timeout?: number | undefined; readonly connectTimeout?: number | undefined }
    | undefined;
  /**
   * Attempts after a first one that got no response, or a busy status (408, 429, 5xx); an integer >= 0. Also, as the
   * number of all attempts, `AWS_METADATA_SERVICE_NUM_ATTEMPTS`, `metadata_service_num_attempts`.
   * @default {3}
   */
  readonly maxRetries?: number | undefined;
  /**
   * The delay before each retry is random, up to `base` milliseconds (>= 0, default 100), which doubles with each
   * retry, at most 1000; a `Retry-After` header is added (at most 5 s). `customBackoff` returns the delay in place of
   * the random one, and `Retry-After` is added to it, too; if it returns a negative or non-finite number, there is no
   * retry.
   */
  readonly retryDelayOptions?: {
    readonly base?: number | undefined;
    readonly customBackoff?: ((retryCount: number, error: CredentialsProviderError) => number) | undefined;
  } | undefined;
  /** The lifetime to request for an IMDSv2 token, in seconds; an integer from 1 to 21600. @default {21600} */
  readonly tokenTtlSeconds?: number | undefined;
  /** Whether the default of `maxRetries` is 0, so that a chain does not wait long where there is no IMDS. */
  readonly failFast?: boolean | undefined;
  /**
   * Receives diagnostics. Without a logger only warnings about options and files are printed, and those of a cache, see
   * `CacheOptions.logger`; with `null` nothing is.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `fetch`, the environment. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** Resolved and checked: what a metadata client works with. */
export interface ImdsSettings {
  /** The sources of the role name. Only the provider reads it, so they are loaded when needed. */
  readonly sources: () => Promise<SettingSources>;
  readonly v1DisabledBy: string | undefined;
  readonly v1OnTimeout: boolean;
  readonly endpoint: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly retry: RetryPolicy;
  readonly tokenTtlSeconds: number;
}

const DISABLED: Setting = ["AWS_EC2_METADATA_DISABLED", "disable_ec2_metadata"];
const V1_DISABLED: Setting = ["AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled"];
const ENDPOINT_URL: Setting = ["AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint"];
const ENDPOINT_MODE: Setting = ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode"];
const TIMEOUT_SECONDS: Setting = ["AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout"];
const ATTEMPTS: Setting = ["AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts"];

const MODE_RULE: Rule<"ipv4" | "ipv6"> = {
  accept: (value) => (["ipv4", "ipv6"] as const).find((mode) => mode === String(value).toLowerCase()),
  expected: "IPv4 or IPv6",
};
const ROLE_NAME_RULE: Rule<string> = {
  accept: (value) => typeof value === "string" && isRoleName(value.trim()) ? value.trim() : undefined,
  expected: "a role name of 1 to 128 characters A-Z a-z 0-9 + = , . @ _ -",
};

/** How {@linkcode ImdsOptions} are checked, except those for the shared files. */
export const IMDS_RULES: Rules = {
  disabled: BOOLEAN,
  ec2MetadataV1Disabled: BOOLEAN,
  ec2MetadataV1Fallback: oneOf("refused", "always"),
  endpoint: ENDPOINT,
  endpointMode: MODE_RULE,
  timeout: MILLISECONDS,
  connectTimeout: MILLISECONDS,
  httpOptions: objectOf({ timeout: MILLISECONDS, connectTimeout: MILLISECONDS }),
  maxRetries: integer(0),
  retryDelayOptions: objectOf({ base: MILLISECONDS_OR_ZERO, customBackoff: FUNCTION }),
  tokenTtlSeconds: integer(1, 21_600),
  failFast: BOOLEAN,
};

/** How the additional options of an instance metadata provider are checked. */
export const IMDS_PROVIDER_RULES: Rules = {
  ec2InstanceProfileName: ROLE_NAME_RULE,
  imdsPaths: oneOf("legacy", "auto"),
  capExpirySeconds: integer(1),
  client: OBJECT,
  providerSources: OBJECT,
};

/**
 * The well-known addresses; see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html}.
 */
const ENDPOINTS = { ipv4: "http://169.254.169.254", ipv6: "http://[fd00:ec2::254]" } as const;

/**
 * Resolves every setting: the option, then the environment, the profile, the default. The shared files are read only if
 * the profile may decide a setting that is neither in the options nor in the environment. If the options or the
 * environment disable IMDS, nothing else is read.
 *
 * @throws {CredentialsProviderError} `ImdsDisabled`; `ConfigurationError`, naming the variable or key and its valid
 * values; `ConfigParseError`, `ConfigReadError`.
 */
export async function loadImdsSettings(options: ImdsOptions, runtime: Runtime): Promise<ImdsSettings> {
  const { env } = runtime;
  const warn = (message: string) => logOnce(options.logger, "warn", message);
  const withoutProfile: SettingSources = { env, profile: new Map(), services: new Map(), warn };
  rejectDisabled(disabledBy(options, withoutProfile));
  const sources = resolveOnce(() => loadSources(options, runtime));
  const known = isAnyOpen(options, env) ? await sources() : withoutProfile;
  rejectDisabled(disabledBy(options, known));
  return { ...resolveImdsSettings(options, known), sources };
}

function rejectDisabled(by: string | undefined): void {
  if (by !== undefined) throw disabledError(by);
}

/** Whether the profile may decide a setting. */
function isAnyOpen(options: ImdsOptions, env: Runtime["env"]): boolean {
  const { disabled, ec2MetadataV1Disabled, endpoint, timeout, httpOptions, maxRetries } = options;
  const settings: readonly (readonly [option: unknown, setting: Setting])[] = [
    [disabled, DISABLED],
    [ec2MetadataV1Disabled, V1_DISABLED],
    [endpoint, ENDPOINT_URL],
    [timeout ?? httpOptions?.timeout, TIMEOUT_SECONDS],
    [maxRetries, ATTEMPTS],
  ];
  return settings.some(([option, [variable]]) => option === undefined && nonBlank(env(variable)) === undefined);
}

/** The setting that disables IMDS, if one does. */
export function disabledBy({ disabled }: ImdsOptions, sources: SettingSources): string | undefined {
  return findDisablingSetting(["disabled", disabled], DISABLED, sources);
}

/** Every setting except `disabled`. */
export function resolveImdsSettings(options: ImdsOptions, sources: SettingSources): Omit<ImdsSettings, "sources"> {
  const { ec2MetadataV1Disabled, httpOptions, retryDelayOptions } = options;
  const seconds = () => findNumber(sources, TIMEOUT_SECONDS, SECONDS);
  const attempts = () => findNumber(sources, ATTEMPTS, integer(1));
  const timeoutMs = timeLimitMs(options.timeout ?? httpOptions?.timeout ?? (seconds() ?? 1) * 1_000);
  return {
    v1DisabledBy: findDisablingSetting(["ec2MetadataV1Disabled", ec2MetadataV1Disabled], V1_DISABLED, sources),
    v1OnTimeout: options.ec2MetadataV1Fallback === "always",
    endpoint: resolveEndpoint(options, sources),
    timeoutMs,
    connectTimeoutMs: timeLimitMs(options.connectTimeout ?? httpOptions?.connectTimeout ?? timeoutMs),
    retry: {
      maxRetries: options.maxRetries ?? (attempts() ?? (options.failFast ? 1 : 4)) - 1,
      baseMs: retryDelayOptions?.base ?? 100,
      customBackoff: retryDelayOptions?.customBackoff,
    },
    tokenTtlSeconds: options.tokenTtlSeconds ?? 21_600,
  };
}

/**
 * The role name from code, environment or profile. Unlike for other settings, a blank value is an error: if it were
 * ignored, another role could be used without notice. The profile is read only if neither the option nor the variable
 * is set.
 */
export async function resolveRoleName(
  option: string | undefined,
  env: Runtime["env"],
  sources: () => Promise<SettingSources>,
): Promise<string | undefined> {
  const [variable, key] = ["AWS_EC2_INSTANCE_PROFILE_NAME", "ec2_instance_profile_name"];
  const roleName = (setting: string, text: string) => validated("use the settings", setting, ROLE_NAME_RULE, text);
  if (option !== undefined) return roleName("ec2InstanceProfileName", option);
  const fromEnv = env(variable);
  if (fromEnv !== undefined) return roleName(variable, fromEnv);
  const fromProfile = (await sources()).profile.get(key);
  return fromProfile === undefined ? undefined : roleName(key, fromProfile);
}

/** An endpoint overrides a mode, wherever the two are set. */
function resolveEndpoint(options: ImdsOptions, sources: SettingSources): string {
  const endpoint = options.endpoint !== undefined
    ? { name: "endpoint", text: options.endpoint }
    : findSetting(sources, ENDPOINT_URL);
  const mode = options.endpointMode !== undefined
    ? { name: "endpointMode", text: options.endpointMode }
    : findSetting(sources, ENDPOINT_MODE);
  if (endpoint === undefined) {
    return ENDPOINTS[mode === undefined ? "ipv4" : validated("use the settings", mode.name, MODE_RULE, mode.text)];
  }
  if (mode !== undefined) sources.warn(`${mode.name} is ignored because ${endpoint.name} names the endpoint`);
  return validated("use the settings", endpoint.name, ENDPOINT, endpoint.text);
}
