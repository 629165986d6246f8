import type { Logger } from "../credentials.ts";
import type { CredentialsProviderError } from "../errors.ts";
import type { RetryPolicy } from "../http/retry.ts";
import type { Runtime } from "../runtime.ts";
import type { SharedConfigOptions } from "../config/locations.ts";
import {
  BOOLEAN,
  checkOptions,
  DELAY,
  ENDPOINT,
  FUNCTION,
  integer,
  MILLISECONDS,
  OBJECT,
  oneOf,
  type Rule,
  type Rules,
  SECONDS,
  validated,
} from "../validate.ts";
import { SHARED_CONFIG_RULES } from "../config/files.ts";
import { isRoleName } from "./document.ts";
import { findNumber, findSetting, findSwitch, loadSources, type SettingSources } from "../config/settings.ts";
import { disabledError } from "./errors.ts";

/** Options of a metadata client. The table in the README names the variable and the config key of each. */
export interface ImdsOptions extends SharedConfigOptions {
  /** Sends nothing and fails with `ImdsDisabled`. @default {false} */
  readonly disabled?: boolean;
  /** Refuses IMDSv1 also where this IMDS refuses IMDSv2. @default {false} */
  readonly ec2MetadataV1Disabled?: boolean;
  /**
   * When to use IMDSv1: only where IMDS refuses tokens (403, 404, 405), or also when a token request gets no answer.
   * @default {"refused"}
   */
  readonly ec2MetadataV1Fallback?: "refused" | "always";
  /** An absolute `http:` or `https:` URL; a path is kept as a prefix. Beats `endpointMode`. */
  readonly endpoint?: string;
  /** Which of the two well-known addresses to use. @default {"IPv4"} */
  readonly endpointMode?: "IPv4" | "IPv6";
  /**
   * Milliseconds for one attempt, from connecting to the last byte; > 0.
   *
   * Where packets to the endpoint vanish, as off EC2, the `fetch` of Node keeps the program alive for 10 seconds after the
   * error (before Bun 1.4: two minutes), unless it ends with `process.exit()`.
   * @default {1000}
   */
  readonly timeout?: number;
  /** Milliseconds until the response headers; > 0. Defaults to `timeout`. */
  readonly connectTimeout?: number;
  /** The two timeouts under the names of AWS SDK for JavaScript v2; the flat names win. */
  readonly httpOptions?: { readonly timeout?: number; readonly connectTimeout?: number };
  /** Requests after a first one that got no answer or "busy"; an integer >= 0. @default {3} */
  readonly maxRetries?: number;
  /**
   * Delays between attempts: up to `base` milliseconds (>= 0, default 100), doubled for each, at most 1000. A
   * `customBackoff` returns them instead; a negative or non-finite one gives up.
   */
  readonly retryDelayOptions?: {
    readonly base?: number;
    readonly customBackoff?: (retryCount: number, error: CredentialsProviderError) => number;
  };
  /** The life to ask for a session token, in seconds; an integer from 1 to 21600. @default {21600} */
  readonly tokenTtlSeconds?: number;
  /** Makes 0 the default of `maxRetries`: right in a chain, which must not wait long where there is no IMDS. */
  readonly failFast?: boolean;
  /** Where diagnostics go; nothing is printed without one. */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `fetch`, the environment. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** Resolved and checked: what a metadata client works with. */
export interface ImdsSettings {
  /** Where they come from, for settings that only one user needs. */
  readonly sources: SettingSources;
  readonly v1DisabledBy: string | undefined;
  readonly v1OnTimeout: boolean;
  readonly endpoint: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly retry: RetryPolicy;
  readonly tokenTtlSeconds: number;
}

const ENDPOINT_MODE: Rule<"ipv4" | "ipv6"> = {
  accept: (value) => (["ipv4", "ipv6"] as const).find((mode) => mode === String(value).toLowerCase()),
  range: "IPv4 or IPv6",
};
export const ROLE_NAME: Rule<string> = {
  accept: (value) => typeof value === "string" && isRoleName(value.trim()) ? value.trim() : undefined,
  range: "a role name of 1 to 128 characters A-Z a-z 0-9 + = , . @ _ -",
};

const RULES: Rules = {
  disabled: BOOLEAN,
  ec2MetadataV1Disabled: BOOLEAN,
  ec2MetadataV1Fallback: oneOf("refused", "always"),
  endpoint: ENDPOINT,
  endpointMode: ENDPOINT_MODE,
  timeout: MILLISECONDS,
  connectTimeout: MILLISECONDS,
  httpOptions: OBJECT,
  "httpOptions.timeout": MILLISECONDS,
  "httpOptions.connectTimeout": MILLISECONDS,
  maxRetries: integer(0),
  retryDelayOptions: OBJECT,
  "retryDelayOptions.base": DELAY,
  "retryDelayOptions.customBackoff": FUNCTION,
  tokenTtlSeconds: integer(1, 21_600),
  failFast: BOOLEAN,
};

/** The well-known addresses; see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html}. */
const ENDPOINTS = { ipv4: "http://169.254.169.254", ipv6: "http://[fd00:ec2::254]" } as const;

/**
 * Checks the options of a metadata client as they are given.
 *
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
 */
export function checkImdsOptions(what: string, options: ImdsOptions, rules: Rules = {}): void {
  checkOptions(what, options, { ...SHARED_CONFIG_RULES, ...RULES, ...rules });
}

/**
 * Resolves every setting: code, then environment, then profile, then default. Where code or the environment disables
 * IMDS, nothing else is read or checked.
 *
 * @throws {CredentialsProviderError} `ImdsDisabled`; `ConfigurationError`, naming the variable or key and its range;
 * `ConfigParseError`.
 */
export async function loadImdsSettings(options: ImdsOptions, runtime: Runtime): Promise<ImdsSettings> {
  rejectDisabled(
    disabledBy(options, { env: runtime.env, profile: new Map(), services: new Map(), warn: () => {/* said below */} }),
  );
  const sources = await loadSources(options, runtime);
  rejectDisabled(disabledBy(options, sources));
  return resolveImdsSettings(options, sources);
}

function rejectDisabled(by: string | undefined): void {
  if (by !== undefined) throw disabledError(by);
}

/** The setting that disables IMDS, if one does. */
export function disabledBy({ disabled }: ImdsOptions, sources: SettingSources): string | undefined {
  return findSwitch(["disabled", disabled], "AWS_EC2_METADATA_DISABLED", "disable_ec2_metadata", sources);
}

/** Every setting but the one that disables. */
export function resolveImdsSettings(options: ImdsOptions, sources: SettingSources): ImdsSettings {
  const { ec2MetadataV1Disabled, httpOptions, retryDelayOptions } = options;
  const seconds = () => findNumber(sources, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout", SECONDS);
  const timeoutMs = options.timeout ?? httpOptions?.timeout ?? (seconds() ?? 1) * 1_000;
  const attempts = () =>
    findNumber(sources, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts", integer(1));
  return {
    sources,
    v1DisabledBy: findSwitch(
      ["ec2MetadataV1Disabled", ec2MetadataV1Disabled],
      "AWS_EC2_METADATA_V1_DISABLED",
      "ec2_metadata_v1_disabled",
      sources,
    ),
    v1OnTimeout: options.ec2MetadataV1Fallback === "always",
    endpoint: resolveEndpoint(options, sources),
    timeoutMs,
    connectTimeoutMs: options.connectTimeout ?? httpOptions?.connectTimeout ?? timeoutMs,
    retry: {
      maxRetries: options.maxRetries ?? (attempts() ?? (options.failFast ? 1 : 4)) - 1,
      baseMs: retryDelayOptions?.base ?? 100,
      customBackoff: retryDelayOptions?.customBackoff,
    },
    tokenTtlSeconds: options.tokenTtlSeconds ?? 21_600,
  };
}

/**
 * The role name from code, environment or profile. Unlike other settings a blank one is an error: taking another role
 * in silence would be worse.
 */
export function resolveRoleName(option: string | undefined, { env, profile }: SettingSources): string | undefined {
  const candidates = [
    ["ec2InstanceProfileName", option],
    ["AWS_EC2_INSTANCE_PROFILE_NAME", env("AWS_EC2_INSTANCE_PROFILE_NAME")],
    ["ec2_instance_profile_name", profile.get("ec2_instance_profile_name")],
  ] as const;
  const found = candidates.find(([, text]) => text !== undefined);
  return found && validated("use the settings", found[0], ROLE_NAME, found[1]);
}

/** An endpoint from anywhere beats a mode from anywhere. */
function resolveEndpoint(options: ImdsOptions, sources: SettingSources): string {
  const endpoint = options.endpoint !== undefined
    ? { name: "endpoint", text: options.endpoint }
    : findSetting(sources, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
  const mode = options.endpointMode !== undefined
    ? { name: "endpointMode", text: options.endpointMode }
    : findSetting(sources, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
  if (endpoint === undefined) {
    return ENDPOINTS[mode === undefined ? "ipv4" : validated("use the settings", mode.name, ENDPOINT_MODE, mode.text)];
  }
  if (mode !== undefined) sources.warn(`${mode.name} is ignored because ${endpoint.name} names the endpoint`);
  return validated("use the settings", endpoint.name, ENDPOINT, endpoint.text);
}
