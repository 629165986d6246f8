import type { CacheOptions } from "../cache/cache.ts";
import { cached, type CachedProvider } from "../cache/cached_provider.ts";
import { resolveOnce } from "../config/settings.ts";
import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Runtime } from "../runtime.ts";
import { ServiceClient } from "../session/service.ts";
import { Session } from "../session/session.ts";
import { sessionFile } from "../session/session_file.ts";
import { LoginClient } from "./client.ts";
import { checkLoginOptions, loadLoginTarget, type LoginProviderOptions, type LoginTarget } from "./settings.ts";
import { type LoginToken, parseLoginToken, withNewLogin } from "./token_file.ts";

/** What a retrieval works with. */
interface Resolved {
  readonly target: LoginTarget;
  readonly session: Session<LoginToken>;
}

/**
 * Retrieves the credentials of a session that `aws login` started, from its file in `~/.aws/login/cache`. They expire
 * after 15 minutes; when at most five minutes are left, the sign-in service returns new ones, which are written back to
 * the file as the AWS CLI does. Nothing is cached here: for that use {@linkcode fromLoginCredentials}.
 *
 * When a person must sign in, the error has the `command` to run; with `onLoginRequired` the program can run it and
 * the retrieval continues.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html}
 * @example Usage
 * ```ts
 * import { LoginProvider } from "@rolecreds/aws";
 * import { LoginEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const config = `
 * [profile dev]
 * login_session = arn:aws:iam::123456789012:user/me
 * region = us-east-1
 * `;
 * const emulator = new LoginEmulator(); // on your laptop pass only the option profile
 * const file = await emulator.login();
 * const runtime = { fetch: emulator.fetch, readTextFile: () => Promise.resolve(file) };
 * const provider = new LoginProvider({ profile: "dev", sharedConfig: { config }, homeDirectory: "/home/me", runtime });
 * assertEquals((await provider.retrieve()).accountId, "123456789012");
 * ```
 */
export class LoginProvider implements CredentialsSource {
  /** Credentials of a login are refreshed early and outlive an outage of the sign-in service. */
  readonly staticStability = true;
  readonly #options: LoginProviderOptions;
  readonly #runtime: Runtime;
  readonly #resolved: () => Promise<Resolved>;

  /**
   * Creates a provider. Nothing is read or sent yet.
   *
   * @param options See {@linkcode LoginProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
   */
  constructor(options: LoginProviderOptions = {}) {
    this.#runtime = checkLoginOptions(options);
    this.#options = options;
    this.#resolved = resolveOnce(() => this.#resolve());
  }

  /**
   * Reads the session, and refreshes it where needed or with `forceRefresh`.
   *
   * @throws {CredentialsProviderError} `LoginError` (with `statusCode` and `loginCode`), `NoCredentials` for a profile
   * without `login_session`, `ProfileNotFoundError`, `ConfigParseError`, `ConfigReadError`, `ConfigurationError`.
   */
  async retrieve({ signal, forceRefresh = false }: RetrieveOptions = {}): Promise<Credentials> {
    signal?.throwIfAborted();
    const { target, session } = await this.#resolved();
    const { token } = await session.withLogin(
      () => session.current(forceRefresh, signal),
      this.#options.onLoginRequired,
      { kind: "login", profile: target.profile, session: target.session, signal },
    );
    return token.credentials;
  }

  /** The names of the providers that this one retrieves from, for reports. */
  providerSources(): readonly string[] {
    return ["Login"];
  }

  async #resolve(): Promise<Resolved> {
    const runtime = this.#runtime;
    const target = await loadLoginTarget(this.#options, runtime);
    const { profile, command, endpoint, path } = target;
    const service = new ServiceClient(runtime, this.#options.maxRetries ?? 2);
    const client = new LoginClient(service, endpoint, command, runtime);
    const session = new Session<LoginToken>(sessionFile(path, runtime), {
      parse: parseLoginToken,
      refresher: ({ text, token }) => async () => withNewLogin(text, await client.createToken(token), runtime.now()),
      error: (state, details) =>
        new CredentialsProviderError("LoginError", `Cannot use the login of profile ${printable(profile)}: ${state}`, {
          recoverable: false,
          ...details,
        }),
      command,
    }, { runtime, logger: this.#options.logger });
    return { target, session };
  }
}

/** Options of {@linkcode fromLoginCredentials}. */
export interface LoginOptions extends LoginProviderOptions, CacheOptions {}

/**
 * The credentials of a session that `aws login` started, cached and refreshed ahead of time; see
 * {@linkcode LoginProvider}.
 *
 * @param options See {@linkcode LoginOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws
 * what {@linkcode LoginProvider.retrieve} throws, unless it has cached credentials to serve.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html}
 * @example Usage
 * ```ts ignore
 * import { fromLoginCredentials } from "@rolecreds/aws";
 *
 * const credentials = fromLoginCredentials({ profile: "dev" }); // after `aws login --profile dev`
 * const { accessKeyId } = await credentials();
 * ```
 */
export function fromLoginCredentials(options: LoginOptions = {}): CachedProvider {
  return cached(new LoginProvider(options), options);
}
