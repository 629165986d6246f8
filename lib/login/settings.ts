import { nonBlank } from "../non_blank.ts";
import { endpointSettings } from "../config/endpoint_settings.ts";
import {
  awsFolder,
  loadSharedConfig,
  requireProfile,
  SHARED_CONFIG_RULES,
  type SharedConfigOptions,
} from "../config/files.ts";
import { checkProviderOptions } from "../config/options.ts";
import type { Logger } from "../credentials.ts";
import { resolveEndpoint } from "../endpoint.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Runtime } from "../runtime.ts";
import type { LoginHandler } from "../session/session.ts";
import { ENDPOINT, FUNCTION, integer, objectOf, type Rules, STRING } from "../validate.ts";
import { loginFileName } from "./token_file.ts";

/** Options of {@linkcode LoginProvider}. */
export interface LoginProviderOptions extends SharedConfigOptions {
  /** The region of the sign-in service where the profile names none. Defaults to `AWS_REGION`. */
  readonly region?: string | undefined;
  /** The region under the name of AWS SDK v3; `region` takes precedence. */
  readonly clientConfig?: { readonly region?: string | undefined } | undefined;
  /** An absolute URL that replaces the host of the sign-in service. */
  readonly endpoint?: string | undefined;
  /** Retries after no response, or a busy one (408, 429, 5xx, throttling); an integer >= 0. @default {2} */
  readonly maxRetries?: number | undefined;
  /**
   * Called when a person must sign in: there is no session, or it cannot be refreshed. The retrieval continues when the
   * returned promise resolves. Without this option the retrieval fails, and the error has the `command` to run.
   */
  readonly onLoginRequired?: LoginHandler | undefined;
  /**
   * Where diagnostics go. Without a logger only warnings about options and files are printed; with `null` nothing is.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `fetch`, the files. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** Resolved and checked: what a login provider works with. */
export interface LoginTarget {
  readonly profile: string;
  /** The value of `login_session`: the ARN of the identity. */
  readonly session: string;
  /** The command that starts a new session. */
  readonly command: string;
  readonly path: string;
  readonly endpoint: string;
}

const RULES: Rules = {
  region: STRING,
  clientConfig: objectOf({ region: STRING }),
  endpoint: ENDPOINT,
  maxRetries: integer(0),
  onLoginRequired: FUNCTION,
};

/**
 * Checks the options as they are given.
 *
 * @returns The runtime to use: the detected one, in which `options.runtime` replaces parts.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 */
export function checkLoginOptions(options: LoginProviderOptions): Runtime {
  return checkProviderOptions("login provider", options, RULES, SHARED_CONFIG_RULES);
}

/**
 * Resolves what the profile names.
 *
 * @throws {CredentialsProviderError} See {@linkcode LoginProvider.retrieve}.
 */
export async function loadLoginTarget(options: LoginProviderOptions, runtime: Runtime): Promise<LoginTarget> {
  const config = await loadSharedConfig(options, runtime);
  const properties = requireProfile(config);
  const profile = config.profileName;
  const session = nonBlank(properties.get("login_session"));
  if (session === undefined) throw noSession(profile);
  const folder = awsFolder("login/cache", "AWS_LOGIN_CACHE_DIRECTORY", options, runtime);
  if (folder === undefined) throw noHome();
  const { env } = runtime;
  const regions = [properties.get("region"), options.region, options.clientConfig?.region, env("AWS_REGION")];
  const region = regions.map(nonBlank).find((text) => text !== undefined);
  const sources = { env, profile: properties, services: config.services };
  return {
    profile,
    session,
    command: `aws login --profile ${profile}`,
    path: `${folder}/${await loginFileName(session)}`,
    endpoint: resolveEndpoint("signin", { ...endpointSettings("signin", sources, options.endpoint), region }).url,
  };
}

function noSession(profile: string): CredentialsProviderError {
  return new CredentialsProviderError(
    "NoCredentials",
    `Cannot get credentials from a login: profile ${printable(profile)} has no login_session`,
    { hint: "Run `aws login`, which adds it to the profile." },
  );
}

function noHome(): CredentialsProviderError {
  return new CredentialsProviderError(
    "ConfigurationError",
    "Cannot find the login session: the home directory is not known",
    { hint: "Set HOME, the option homeDirectory, or AWS_LOGIN_CACHE_DIRECTORY." },
  );
}
