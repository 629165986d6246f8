import { nonBlank } from "./non_blank.ts";
import type { CacheOptions } from "./cache/cache.ts";
import { cached, type CachedProvider } from "./cache/cached_provider.ts";
import { checkProviderOptions } from "./config/options.ts";
import type { Credentials, CredentialsSource, Logger } from "./credentials.ts";
import { CredentialsProviderError } from "./errors.ts";
import { redacted } from "./redaction.ts";
import type { Runtime } from "./runtime.ts";
import { validTimestamp } from "./timestamp.ts";

/** Options of {@linkcode EnvironmentProvider}. */
export interface EnvironmentProviderOptions {
  /** Where diagnostics go. */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime, such as the environment. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/**
 * Retrieves the credentials in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if set, `AWS_SESSION_TOKEN`,
 * `AWS_CREDENTIAL_EXPIRATION` (RFC 3339) and `AWS_ACCOUNT_ID`.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html}
 * @example Usage
 * ```ts
 * import { EnvironmentProvider } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const variables: Record<string, string> = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
 * const provider = new EnvironmentProvider({ runtime: { env: (name) => variables[name] } });
 * assertEquals((await provider.retrieve()).accessKeyId, "AKIAEXAMPLE");
 * ```
 */
export class EnvironmentProvider implements CredentialsSource {
  readonly #logger: Logger | null | undefined;
  readonly #runtime: Runtime;

  /**
   * Creates a provider. Nothing is read yet.
   *
   * @param options See {@linkcode EnvironmentProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
   */
  constructor(options: EnvironmentProviderOptions = {}) {
    this.#runtime = checkProviderOptions("environment provider", options);
    this.#logger = options.logger;
  }

  /**
   * Reads the variables.
   *
   * @throws {CredentialsProviderError} `NoCredentials` if one of the two keys is missing; `ConfigurationError` if the
   * expiration is not an RFC 3339 time.
   */
  // deno-lint-ignore require-await -- what is thrown here must reject the promise
  async retrieve(): Promise<Credentials> {
    const [accessKeyId, secretAccessKey] = [this.#read("AWS_ACCESS_KEY_ID"), this.#read("AWS_SECRET_ACCESS_KEY")];
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      throw this.#incomplete((accessKeyId ?? secretAccessKey) !== undefined);
    }
    return redacted({
      accessKeyId,
      secretAccessKey,
      sessionToken: this.#read("AWS_SESSION_TOKEN"),
      accountId: this.#read("AWS_ACCOUNT_ID"),
      source: "EnvironmentProvider",
    }, this.#expiration());
  }

  /** The name of this provider, for reports. */
  providerSources(): readonly string[] {
    return ["Environment"];
  }

  #read(name: string): string | undefined {
    return nonBlank(this.#runtime.env(name));
  }

  #expiration(): Date | undefined {
    const text = this.#read("AWS_CREDENTIAL_EXPIRATION");
    return text === undefined ? undefined : validTimestamp(text, "AWS_CREDENTIAL_EXPIRATION", unusable);
  }

  #incomplete(isOneSet: boolean): CredentialsProviderError {
    const state = isOneSet
      ? "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set"
      : "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
    if (isOneSet) this.#logger?.debug?.(`The environment is skipped: ${state}`);
    return new CredentialsProviderError("NoCredentials", `Cannot get credentials from the environment: ${state}`, {
      hint: "Set both variables; in Deno, grant --allow-env=AWS_*.",
    });
  }
}

function unusable(state: string): CredentialsProviderError {
  return new CredentialsProviderError("ConfigurationError", `Cannot use the credentials of the environment: ${state}`, {
    hint: "Write AWS_CREDENTIAL_EXPIRATION as 2030-01-01T00:00:00Z, or unset it.",
  });
}

/** Options of {@linkcode fromEnv}. */
export interface EnvOptions extends EnvironmentProviderOptions, CacheOptions {}

/**
 * The credentials in the environment, see {@linkcode EnvironmentProvider}. They are read once, and again when they
 * expire, with `forceRefresh`, and after `invalidate()` or `clear()`.
 *
 * @param options See {@linkcode EnvOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html}
 * @example Usage
 * ```ts ignore
 * import { fromEnv } from "@rolecreds/aws";
 *
 * const { accessKeyId } = await fromEnv()();
 * ```
 */
export function fromEnv(options: EnvOptions = {}): CachedProvider {
  return cached(new EnvironmentProvider(options), options);
}
