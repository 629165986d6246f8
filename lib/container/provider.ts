import type { CacheOptions } from "../cache/cache.ts";
import { cached, type CachedProvider } from "../cache/cached_provider.ts";
import type { Credentials, CredentialsSource, Logger, RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Outcome } from "../http/request.ts";
import { HttpClient, retryAfterMs } from "../http/retry.ts";
import type { Runtime } from "../runtime.ts";
import { checkProviderOptions } from "../config/options.ts";
import { integer, MILLISECONDS, type Rules, STRING, timeLimitMs } from "../validate.ts";
import { parseContainerCredentials, parseContainerFailure } from "./document.ts";
import { containerError } from "./errors.ts";
import { type ContainerTarget, containerTarget } from "./settings.ts";

/** Options of {@linkcode ContainerProvider}. */
export interface ContainerProviderOptions {
  /** A path on the ECS agent (http://169.254.170.2). Defaults to `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`. */
  readonly awsContainerCredentialsRelativeUri?: string | undefined;
  /**
   * An absolute URL. Defaults to `AWS_CONTAINER_CREDENTIALS_FULL_URI`; if either URI is an option, both variables are
   * ignored.
   */
  readonly awsContainerCredentialsFullUri?: string | undefined;
  /** The whole `Authorization` header. Defaults to `AWS_CONTAINER_AUTHORIZATION_TOKEN`. */
  readonly awsContainerAuthorizationToken?: string | undefined;
  /**
   * A file with the value of the `Authorization` header. It is read again for each retrieval. Defaults to
   * `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
   */
  readonly awsContainerAuthorizationTokenFile?: string | undefined;
  /** Milliseconds for one attempt, from connecting to the last byte; > 0. @default {5000} */
  readonly timeout?: number | undefined;
  /** Milliseconds until the response headers; > 0. Defaults to `timeout`. */
  readonly connectTimeout?: number | undefined;
  /** Requests after a first one that failed temporarily, such as with 429 or 5xx; an integer >= 0. @default {2} */
  readonly maxRetries?: number | undefined;
  /**
   * Receives diagnostics. Without a logger only warnings about options and files are printed; with `null` nothing is.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `fetch`, the environment. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** How the options are checked. */
export const CONTAINER_RULES: Rules = {
  awsContainerCredentialsRelativeUri: STRING,
  awsContainerCredentialsFullUri: STRING,
  awsContainerAuthorizationToken: STRING,
  awsContainerAuthorizationTokenFile: STRING,
  timeout: MILLISECONDS,
  connectTimeout: MILLISECONDS,
  maxRetries: integer(0),
};

const MIN_DELAY_MS = 500;
const MAX_DELAY_MS = 1_000;
/** What a header may hold. */
const TOKEN_REGEXP = /^[\x20-\x7e\x80-\xff]+$/;

/**
 * Retrieves the credentials of a container from the endpoint in the variables `AWS_CONTAINER_*`: an ECS task, a pod
 * with EKS Pod Identity, Greengrass and others. Each call sends one request. Nothing is cached here: for that use
 * {@linkcode fromContainerMetadata}.
 *
 * The variables and the token file are read for each retrieval. The request uses no proxy, even if one is set, follows
 * no redirect and reads at most 64 KiB. Requests over plain http are sent only to the agents of ECS and EKS and to this
 * machine.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html}
 * @example Usage
 * ```ts
 * import { ContainerProvider } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const document = { AccessKeyId: "ASIAEXAMPLE", SecretAccessKey: "s", Token: "t", Expiration: "2030-01-01T00:00:00Z" };
 * const provider = new ContainerProvider({
 *   awsContainerCredentialsRelativeUri: "/v2/credentials/1", // leave it out on ECS, which sets a variable
 *   runtime: { fetch: () => Promise.resolve(Response.json(document)) },
 * });
 * assertEquals((await provider.retrieve()).accessKeyId, "ASIAEXAMPLE");
 * ```
 */
export class ContainerProvider implements CredentialsSource {
  /** Credentials of a container are refreshed early and outlive an outage of the agent. */
  readonly staticStability = true;
  readonly #options: ContainerProviderOptions;
  readonly #runtime: Runtime;
  readonly #http: HttpClient;

  /**
   * Creates a provider. Nothing is read or sent yet.
   *
   * @param options See {@linkcode ContainerProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
   */
  constructor(options: ContainerProviderOptions = {}) {
    this.#runtime = checkProviderOptions("container provider", options, CONTAINER_RULES);
    this.#options = options;
    this.#http = new HttpClient({ ...this.#runtime, send: this.#runtime.fetchDirect });
  }

  /**
   * Requests the credentials.
   *
   * @throws {CredentialsProviderError} `NoCredentials` if no URI is set; `ContainerConfigurationError`,
   * `TokenFileError`, `ContainerHttpError` (with `statusCode` and `containerCode`), `ContainerInvalidResponse`,
   * `ContainerUnreachable`, `ContainerProxyError`; `ConfigurationError` on a runtime that cannot send the request.
   */
  async retrieve({ signal }: RetrieveOptions = {}): Promise<Credentials> {
    signal?.throwIfAborted();
    const { maxRetries = 2, timeout = 5_000, connectTimeout = timeout, logger } = this.#options;
    const target = containerTarget(this.#options, this.#runtime.env, (message) => logger?.warn?.(message));
    if (target === undefined) throw notConfigured();
    const token = await this.#token(target);
    const headers = { "Accept": "application/json", ...(token === undefined ? {} : { "Authorization": token }) };
    const request = { method: "GET", url: target.url.href, headers, readErrorBody: true } as const;
    const sent = await this.#http.send(request, {
      limits: { timeoutMs: timeLimitMs(timeout), connectTimeoutMs: timeLimitMs(connectTimeout) },
      signal,
      nextDelayMs: (outcome, retries) =>
        retries < maxRetries && isTransient(outcome) ? this.#delayMs(outcome) : undefined,
    });
    const { outcome } = sent;
    if (outcome.kind === "response" && outcome.status === 200) return parseContainerCredentials(outcome.body);
    throw containerError(sent, target);
  }

  /** The names of the providers that this one retrieves from, for reports. */
  providerSources(): readonly string[] {
    return ["Container"];
  }

  #delayMs(outcome: Outcome): number {
    const retryAfter = outcome.kind === "response" ? retryAfterMs(outcome.headers.get("retry-after")) : 0;
    return MIN_DELAY_MS + this.#runtime.random() * (MAX_DELAY_MS - MIN_DELAY_MS) + retryAfter;
  }

  async #token({ token }: ContainerTarget): Promise<string | undefined> {
    if (token === undefined) return undefined;
    if (token.kind === "literal") {
      if (TOKEN_REGEXP.test(token.value)) return token.value;
      throw unusableToken("ContainerConfigurationError", token.name, token.value);
    }
    const text = await this.#runtime.readTextFile(token.value).catch(() => undefined);
    if (text === undefined) throw unreadableToken(token.name);
    const value = text.replace(/\r?\n$/, "");
    if (TOKEN_REGEXP.test(value) && value.trim() !== "") return value;
    throw unusableToken("TokenFileError", `the file of ${token.name}`, value);
  }
}

/**
 * Whether another attempt may succeed: no response, a busy response (429, 5xx), one that is too long or not UTF-8, one
 * without valid credentials, or the code `CredentialsUninitialized`.
 */
function isTransient(outcome: Outcome): boolean {
  if (outcome.kind === "notSent") return false;
  if (outcome.kind !== "response") return true;
  const { status, body } = outcome;
  if (status === 429 || status >= 500) return true;
  if (status !== 200) return parseContainerFailure(body).code === "CredentialsUninitialized";
  try {
    parseContainerCredentials(body);
    return false;
  } catch {
    return true; // thrown again after the last attempt
  }
}

function notConfigured(): CredentialsProviderError {
  return new CredentialsProviderError(
    "NoCredentials",
    "Cannot get container credentials: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor " +
      "AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
    { hint: "ECS and EKS set them in a task or pod that has a role; in Deno, grant --allow-env=AWS_*." },
  );
}

function unreadableToken(name: string): CredentialsProviderError {
  return new CredentialsProviderError(
    "TokenFileError",
    `Cannot get container credentials: the file of ${name} cannot be read`,
    { hint: "Check that the file is mounted and readable; in Deno, grant --allow-read for it." },
  );
}

/** The error for an invalid token. It quotes no character of the token. */
function unusableToken(
  code: "TokenFileError" | "ContainerConfigurationError",
  name: string,
  value: string,
): CredentialsProviderError {
  const state = value.trim() === ""
    ? "is empty"
    : /[\r\n]/.test(value)
    ? "has a line break in its token"
    : "has a character that a header must not contain";
  return new CredentialsProviderError(code, `Cannot get container credentials: ${name} ${state}`, {
    hint: "Set a token of one line. If it is in a file that another program is replacing now, try again.",
  });
}

/** Options of {@linkcode fromContainerMetadata}. */
export interface ContainerMetadataOptions extends ContainerProviderOptions, CacheOptions {}

/**
 * The credentials of the container this program runs in (ECS task, EKS pod, Greengrass), cached and refreshed ahead of
 * time.
 *
 * Creating the provider reads and sends nothing. The first call and each refresh take one request, however many callers
 * wait.
 *
 * @param options See {@linkcode ContainerMetadataOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws
 * what {@linkcode ContainerProvider.retrieve} throws, unless cached credentials may be served.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html}
 * @example Usage
 * ```ts ignore
 * import { fromContainerMetadata } from "@rolecreds/aws";
 *
 * const { accessKeyId } = await fromContainerMetadata()();
 * ```
 */
export function fromContainerMetadata(options: ContainerMetadataOptions = {}): CachedProvider {
  return cached(new ContainerProvider(options), options);
}
