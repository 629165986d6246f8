import type { CacheOptions } from "../cache/cache.ts";
import { cached, type CachedProvider } from "../cache/cached_provider.ts";
import { resolveOnce } from "../config/settings.ts";
import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ServiceClient } from "../session/service.ts";
import { Session } from "../session/session.ts";
import { sessionFile } from "../session/session_file.ts";
import { expiredError } from "../validate.ts";
import { SsoClient } from "./client.ts";
import { checkSsoOptions, loadSsoTarget, type SsoProviderOptions, type SsoTarget } from "./settings.ts";
import { parseSsoToken, type SsoToken, validRefresh, withNewToken } from "./token_file.ts";

/** What a retrieval works with. */
interface Resolved {
  readonly target: SsoTarget;
  readonly client: SsoClient;
  readonly session: Session<SsoToken>;
}

/**
 * Retrieves the credentials of a role in IAM Identity Center, with the token that `aws sso login` put into
 * `~/.aws/sso/cache`. Each call sends one request. Nothing is cached here: for that use {@linkcode fromSSO}.
 *
 * The token of a profile with `sso_session` is refreshed when it expires within five minutes, and written back to its
 * file as the AWS CLI does. When a person must sign in, the error has the `command` to run; with `onLoginRequired` the
 * program can run it and the retrieval continues.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html}
 * @example Usage
 * ```ts
 * import { SsoProvider } from "@rolecreds/aws";
 * import { SsoEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const config = `
 * [profile dev]
 * sso_session = corp
 * sso_account_id = 123456789012
 * sso_role_name = Developer
 *
 * [sso-session corp]
 * sso_region = us-east-1
 * sso_start_url = https://d-1234567890.awsapps.com/start
 * `;
 * const emulator = new SsoEmulator(); // on your laptop pass only the option profile
 * const file = emulator.login();
 * const runtime = { fetch: emulator.fetch, readTextFile: () => Promise.resolve(file) };
 * const provider = new SsoProvider({ profile: "dev", sharedConfig: { config }, homeDirectory: "/home/me", runtime });
 * assertEquals((await provider.retrieve()).accountId, "123456789012");
 * ```
 */
export class SsoProvider implements CredentialsSource {
  /** Credentials from SSO are refreshed early and outlive an outage of SSO. */
  readonly staticStability = true;
  readonly #options: SsoProviderOptions;
  readonly #runtime: Runtime;
  readonly #resolved: () => Promise<Resolved>;

  /**
   * Creates a provider. Nothing is read or sent yet.
   *
   * @param options See {@linkcode SsoProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
   */
  constructor(options: SsoProviderOptions = {}) {
    this.#runtime = checkSsoOptions(options);
    this.#options = options;
    this.#resolved = resolveOnce(() => this.#resolve());
  }

  /**
   * Reads the token, refreshes it where needed, and requests the credentials of the role.
   *
   * @throws {CredentialsProviderError} `SsoConfigurationError`, `SsoTokenError`, `SsoError` (with `statusCode` and
   * `ssoCode`), `ExpiredCredentialsError`, `NoCredentials` for a profile without an SSO role, `ProfileNotFoundError`,
   * `ConfigParseError`, `ConfigReadError`, `ConfigurationError`.
   */
  async retrieve({ signal }: RetrieveOptions = {}): Promise<Credentials> {
    signal?.throwIfAborted();
    const resolved = await this.#resolved();
    const { profile, settings } = resolved.target;
    const request = { kind: "sso", profile, session: settings.session, signal } as const;
    const credentials = await resolved.session.withLogin(
      () => this.#retrieve(resolved, signal),
      this.#options.onLoginRequired,
      request,
    );
    if ((credentials.expiration?.getTime() ?? 0) <= this.#runtime.now()) throw expiredError();
    return credentials;
  }

  /** The names of the providers that this one retrieves from, for reports. */
  providerSources(): readonly string[] {
    return ["SSO"];
  }

  /**
   * Requests the credentials. If SSO rejects a token that has not expired, the request is sent once more with another
   * token.
   */
  async #retrieve({ target, client, session }: Resolved, signal: AbortSignal | undefined): Promise<Credentials> {
    const current = await session.current(false, signal);
    try {
      return await client.roleCredentials(target.settings, current.token.accessToken, signal);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      const other = await session.replacement(current, signal);
      if (other === undefined) throw error;
      return await client.roleCredentials(target.settings, other.token.accessToken, signal);
    }
  }

  async #resolve(): Promise<Resolved> {
    const runtime = this.#runtime;
    const target = await loadSsoTarget(this.#options, runtime);
    const { settings, name, command } = target;
    const service = new ServiceClient(runtime, this.#options.maxRetries ?? 2);
    const client = new SsoClient(service, target.endpoints, command);
    const session = new Session<SsoToken>(sessionFile(target.tokenPath, runtime), {
      parse: parseSsoToken,
      refresher({ text, token }, now) {
        const refresh = settings.session === undefined ? undefined : validRefresh(token, now);
        return refresh && (async () => withNewToken(text, await client.createToken(refresh), runtime.now()));
      },
      error: (state, details) =>
        new CredentialsProviderError("SsoTokenError", `Cannot use the token of ${name}: ${state}`, details),
      command,
    }, { runtime, logger: this.#options.logger });
    return { target, client, session };
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof CredentialsProviderError && error.statusCode === 401;
}

/** Options of {@linkcode fromSSO}. */
export interface SsoOptions extends SsoProviderOptions, CacheOptions {}

/**
 * The credentials of a role in IAM Identity Center, cached and refreshed ahead of time; see {@linkcode SsoProvider}.
 *
 * @param options See {@linkcode SsoOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws
 * what {@linkcode SsoProvider.retrieve} throws, unless it has cached credentials to serve.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html}
 * @example Usage
 * ```ts ignore
 * import { fromSSO } from "@rolecreds/aws";
 *
 * const credentials = fromSSO({ profile: "dev" }); // after `aws sso login --profile dev`
 * const { accessKeyId } = await credentials();
 * ```
 * @example Letting a person sign in
 * ```ts ignore
 * import { execFileSync } from "node:child_process";
 * import { fromSSO } from "@rolecreds/aws";
 *
 * const credentials = fromSSO({
 *   profile: "dev",
 *   onLoginRequired: async ({ command }) => {
 *     const [program = "aws", ...args] = command.split(" ");
 *     execFileSync(program, args, { stdio: "inherit" });
 *   },
 * });
 * ```
 */
export function fromSSO(options: SsoOptions = {}): CachedProvider {
  return cached(new SsoProvider(options), options);
}
