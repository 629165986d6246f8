import { nonBlank } from "../non_blank.ts";
import type { CacheOptions } from "../cache/cache.ts";
import { cached, type CachedProvider } from "../cache/cached_provider.ts";
import { SHARED_CONFIG_RULES, type SharedConfigOptions } from "../config/files.ts";
import { checkProviderOptions, SDK_CLIENT_RULES } from "../config/options.ts";
import { loadSources, resolveOnce, type SettingSources } from "../config/settings.ts";
import type { Credentials, CredentialsSource, Logger, RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ANY, type Rules, STRING, unsupported } from "../validate.ts";
import { STS_RULES, StsClient, stsEndpoint, type StsOptions } from "./client.ts";
import { isExpiredToken } from "./errors.ts";
import { checkRole, leadingParameters, type RoleParameters, sessionParameters } from "./parameters.ts";

/** Options of {@linkcode WebIdentityProvider}. */
export interface WebIdentityProviderOptions extends StsOptions, SharedConfigOptions {
  /**
   * The token of the identity provider, or a function that returns a new one for each retrieval. Without it the token
   * is read from a file.
   */
  readonly webIdentityToken?: string | (() => string | Promise<string>) | undefined;
  /** The file of the token, read again for each retrieval. Defaults to `AWS_WEB_IDENTITY_TOKEN_FILE`. */
  readonly webIdentityTokenFile?: string | undefined;
  /** The ARN of the role. Defaults to `AWS_ROLE_ARN`. */
  readonly roleArn?: string | undefined;
  /**
   * Names the session in logs; 2 to 64 characters `A-Z a-z 0-9 _ + = , . @ -`. Defaults to `AWS_ROLE_SESSION_NAME`,
   * else to `rolecreds-` and the time.
   */
  readonly roleSessionName?: string | undefined;
  /** The lifetime of the credentials in seconds; 900 to 43200. Defaults to what STS gives: 3600. */
  readonly durationSeconds?: number | undefined;
  /** An inline policy that limits the session, as JSON. */
  readonly policy?: string | undefined;
  /** Managed policies that limit the session. */
  readonly policyArns?: readonly { readonly arn?: string | undefined }[] | undefined;
  /**
   * Receives diagnostics. Without a logger only warnings about options and files are printed; with `null` nothing is.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `fetch`, the files. */
  readonly runtime?: Partial<Runtime> | undefined;
}

const RULES: Rules = {
  webIdentityToken: ANY,
  webIdentityTokenFile: STRING,
  roleArn: ANY,
  roleSessionName: ANY,
  durationSeconds: ANY,
  policy: ANY,
  policyArns: ANY,
  region: STRING,
  roleAssumerWithWebIdentity: unsupported("this library calls STS itself"),
};

/** The settings, resolved at the first retrieval. */
interface Settings {
  readonly sources: SettingSources;
  readonly parameters: RoleParameters;
  readonly readToken: () => Promise<string>;
}

const [MIN_TOKEN_CHARACTERS, MAX_TOKEN_CHARACTERS] = [4, 20_000];

/**
 * Retrieves the credentials of a role with the token of an identity provider: EKS (IAM roles for service accounts) or
 * any other OpenID Connect issuer. Each call reads the token and sends one request to STS. Nothing is cached here: for
 * that use {@linkcode fromTokenFile} or {@linkcode fromWebToken}.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html}
 * @example Usage
 * ```ts ignore
 * import { WebIdentityProvider } from "@rolecreds/aws";
 *
 * const provider = new WebIdentityProvider(); // AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, as EKS sets them
 * const { accessKeyId } = await provider.retrieve();
 * ```
 */
export class WebIdentityProvider implements CredentialsSource {
  /** The credentials are refreshed early and outlive an outage of STS. */
  readonly staticStability = true;
  readonly #options: WebIdentityProviderOptions;
  readonly #runtime: Runtime;
  readonly #sts: StsClient;
  readonly #settings: () => Promise<Settings>;

  /**
   * Creates a provider. Nothing is read or sent yet.
   *
   * @param options See {@linkcode WebIdentityProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError` or `AssumeRoleConfigurationError`, naming the option and
   * its valid values.
   */
  constructor(options: WebIdentityProviderOptions = {}) {
    const sets = [RULES, STS_RULES, SHARED_CONFIG_RULES, SDK_CLIENT_RULES];
    this.#runtime = checkProviderOptions("web identity provider", options, ...sets);
    if (options.roleArn !== undefined) checkRole("the web identity provider", parametersOf(options), OPTION_NAMES);
    this.#options = options;
    this.#sts = new StsClient(options, this.#runtime);
    this.#settings = resolveOnce(() => this.#resolve());
  }

  /**
   * Reads the token, and exchanges it for credentials.
   *
   * @throws {CredentialsProviderError} `NoCredentials` where no token file or role is set; `TokenFileError`,
   * `WebIdentityTokenError`, `StsError` (with `stsCode`), `StsInvalidResponse`, `StsUnreachable`,
   * `AssumeRoleConfigurationError`, `ConfigurationError`, `ConfigParseError`, `ConfigReadError`.
   */
  async retrieve({ signal }: RetrieveOptions = {}): Promise<Credentials> {
    signal?.throwIfAborted();
    const settings = await this.#settings();
    const token = await settings.readToken();
    try {
      return await this.#exchange(token, settings, signal);
    } catch (error) {
      const newer = isExpiredToken(error) ? await settings.readToken() : token;
      if (newer === token) throw error;
      return await this.#exchange(newer, settings, signal);
    }
  }

  /** The names of the providers that this one retrieves from, for reports. */
  providerSources(): readonly string[] {
    return ["WebIdentity"];
  }

  #exchange(token: string, { parameters, sources }: Settings, signal: AbortSignal | undefined): Promise<Credentials> {
    return this.#sts.retrieveCredentials({
      action: "AssumeRoleWithWebIdentity",
      parameters: [
        ...leadingParameters(parameters, this.#runtime.now()),
        ["WebIdentityToken", token],
        ...sessionParameters(parameters),
      ],
      endpoint: stsEndpoint(this.#options, sources, parameters.RoleArn),
      signal,
    });
  }

  async #resolve(): Promise<Settings> {
    const { webIdentityToken, webIdentityTokenFile, logger } = this.#options;
    const { env } = this.#runtime;
    const variable = (name: string) => nonBlank(env(name));
    const file = webIdentityTokenFile ?? variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    const roleArn = this.#options.roleArn ?? variable("AWS_ROLE_ARN");
    if (webIdentityToken === undefined && file === undefined) throw notConfigured("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (roleArn === undefined) {
      logger?.warn?.("The web identity is skipped: there is a token, but AWS_ROLE_ARN is not set");
      throw notConfigured("AWS_ROLE_ARN");
    }
    const roleSessionName = this.#options.roleSessionName ?? variable("AWS_ROLE_SESSION_NAME");
    const parameters = parametersOf({ ...this.#options, roleArn, roleSessionName });
    checkRole("the web identity", parameters, SETTING_NAMES);
    const readToken = webIdentityToken === undefined
      ? () => this.#readFile(file ?? "")
      : () => this.#tokenOf(webIdentityToken);
    return { sources: await loadSources(this.#options, this.#runtime), parameters, readToken };
  }

  async #readFile(path: string): Promise<string> {
    const text = await this.#runtime.readTextFile(path).catch(() => undefined);
    if (text === undefined) {
      throw tokenError("TokenFileError", "the token file cannot be read", "Check that it is mounted and readable.");
    }
    return validToken("TokenFileError", "the token file", text.trim());
  }

  async #tokenOf(source: NonNullable<WebIdentityProviderOptions["webIdentityToken"]>): Promise<string> {
    let token: unknown;
    try {
      token = typeof source === "string" ? source : await source();
    } catch (cause) {
      throw tokenError("WebIdentityTokenError", "webIdentityToken failed", "See the cause.", cause);
    }
    return validToken("WebIdentityTokenError", "webIdentityToken", typeof token === "string" ? token.trim() : "");
  }
}

/** The names of options, for messages. */
const OPTION_NAMES = {
  RoleArn: "roleArn",
  RoleSessionName: "roleSessionName",
  DurationSeconds: "durationSeconds",
} as const;

/** The names of options and variables, for messages. */
const SETTING_NAMES = {
  RoleArn: "roleArn (AWS_ROLE_ARN)",
  RoleSessionName: "roleSessionName (AWS_ROLE_SESSION_NAME)",
  DurationSeconds: "durationSeconds",
} as const;

function parametersOf(options: WebIdentityProviderOptions): Partial<RoleParameters> {
  return {
    RoleArn: options.roleArn ?? "",
    RoleSessionName: options.roleSessionName,
    DurationSeconds: options.durationSeconds,
    Policy: options.policy,
    PolicyArns: options.policyArns,
  };
}

/** The error for an invalid token gives its length, and no character of it. */
function validToken(code: "TokenFileError" | "WebIdentityTokenError", name: string, token: string): string {
  if (token === "") {
    throw tokenError(
      code,
      `${name} is empty`,
      "Check what writes it; a file may be empty while another program replaces it.",
    );
  }
  const isValid = token.length >= MIN_TOKEN_CHARACTERS && token.length <= MAX_TOKEN_CHARACTERS && !/\s/.test(token);
  if (isValid) return token;
  const range = `${MIN_TOKEN_CHARACTERS} to ${MAX_TOKEN_CHARACTERS} characters without white space`;
  throw tokenError(code, `${name} must have ${range}, and has ${token.length} characters`, "Check what writes it.");
}

function tokenError(
  code: "TokenFileError" | "WebIdentityTokenError",
  state: string,
  hint: string,
  cause?: unknown,
): CredentialsProviderError {
  return new CredentialsProviderError(code, `Cannot use the web identity: ${state}`, { hint, cause });
}

function notConfigured(variable: string): CredentialsProviderError {
  return new CredentialsProviderError("NoCredentials", `Cannot use the web identity: ${variable} is not set`, {
    hint: "EKS sets AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN in pods whose service account has a role.",
  });
}

/** Options of {@linkcode fromTokenFile}. */
export interface TokenFileOptions extends Omit<WebIdentityProviderOptions, "webIdentityToken">, CacheOptions {}

/**
 * The credentials of a role for the token in a file, as EKS projects it (IRSA); cached and refreshed ahead of time. The
 * file is read again for each refresh.
 *
 * @param options See {@linkcode TokenFileOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws
 * what {@linkcode WebIdentityProvider.retrieve} throws, unless cached credentials may be served.
 * @throws {CredentialsProviderError} `ConfigurationError` or `AssumeRoleConfigurationError`, naming the option and its
 * valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html}
 * @example Usage
 * ```ts ignore
 * import { fromTokenFile } from "@rolecreds/aws";
 *
 * const { accessKeyId } = await fromTokenFile()();
 * ```
 */
export function fromTokenFile(options: TokenFileOptions = {}): CachedProvider {
  return cached(new WebIdentityProvider({ ...options, webIdentityToken: undefined }), options);
}

/** Options of {@linkcode fromWebToken}. */
export interface WebTokenOptions extends Omit<WebIdentityProviderOptions, "webIdentityTokenFile">, CacheOptions {
  /** The token of the identity provider, or a function that returns a new one for each retrieval. */
  readonly webIdentityToken: string | (() => string | Promise<string>);
  /** The ARN of the role. */
  readonly roleArn: string;
}

/**
 * The credentials of a role for a token that the program has, or that a function gets: from Vercel, Google Cloud,
 * GitHub and every other OpenID Connect issuer; cached and refreshed ahead of time.
 *
 * @param options See {@linkcode WebTokenOptions}.
 * @returns As {@linkcode fromTokenFile}.
 * @throws {CredentialsProviderError} `ConfigurationError` or `AssumeRoleConfigurationError`, naming the option and its
 * valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html}
 * @example Usage
 * ```ts ignore
 * import { fromWebToken } from "@rolecreds/aws";
 *
 * const credentials = fromWebToken({
 *   roleArn: "arn:aws:iam::123456789012:role/deploy",
 *   webIdentityToken: async () => await (await fetch("http://127.0.0.1:8000/token")).text(),
 * });
 * ```
 */
export function fromWebToken(options: WebTokenOptions): CachedProvider {
  return cached(new WebIdentityProvider(options), options);
}
