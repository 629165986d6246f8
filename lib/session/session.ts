import { untilAborted } from "../until_aborted.ts";
import type { Logger } from "../credentials.ts";
import { type CredentialsErrorDetails, CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Runtime } from "../runtime.ts";
import { nextSessionAction } from "./refresh_decision.ts";
import type { SessionFile } from "./session_file.ts";

/** The parts that differ between SSO and `aws login`. */
interface SessionKind<Token extends { readonly expiresAt: number }> {
  /** @throws {SyntaxError} If the text has no valid token; the message has the form "its accessToken is missing". */
  readonly parse: (text: string) => Token;
  /**
   * Returns a function that gets a new token and returns the new text of the file; `undefined` if the token cannot be
   * refreshed.
   */
  readonly refresher: (current: StoredToken<Token>, now: number) => Refresh | undefined;
  /** Creates the error for a state; `details.command` is set if a person must sign in. */
  readonly error: (state: string, details: CredentialsErrorDetails) => CredentialsProviderError;
  /** The command that starts a new session. */
  readonly command: string;
}

/** A token, and the text of the file that holds it. */
interface StoredToken<Token> {
  readonly token: Token;
  readonly text: string;
}

/** What `onLoginRequired` gets when a person must sign in. */
export interface LoginRequest {
  /** The kind of session that is missing or expired. */
  readonly kind: "sso" | "login";
  /** The profile that needs the session; `undefined` if an option names the session. */
  readonly profile: string | undefined;
  /**
   * The name of the SSO session; for `aws login` the ARN of the identity. `undefined` for an SSO profile without
   * `sso_session`.
   */
  readonly session: string | undefined;
  /** The command to run. It needs no quotes: names in it have only the characters A-Z a-z 0-9 _ - / . % @ : +. */
  readonly command: string;
  /** The signal of the caller; `undefined` if there is none. */
  readonly signal: AbortSignal | undefined;
}

/** Lets a person sign in, for example by running the command. The retrieval continues when the promise resolves. */
export type LoginHandler = (request: LoginRequest) => Promise<void>;

type Refresh = () => Promise<string>;

interface SessionContext {
  readonly runtime: Pick<Runtime, "now" | "sleep" | "warn">;
  readonly logger: Logger | null | undefined;
}

/** How long to wait for the token of another process that used the refresh token before this one. */
const OTHER_WRITER_MS = 1_000;

/** The token of a session: reads it from its file, refreshes it and writes it back. */
export class Session<Token extends { readonly expiresAt: number }> {
  readonly #file: SessionFile;
  readonly #kind: SessionKind<Token>;
  readonly #context: SessionContext;

  constructor(file: SessionFile, kind: SessionKind<Token>, context: SessionContext) {
    this.#file = file;
    this.#kind = kind;
    this.#context = context;
  }

  /**
   * The token to use now.
   *
   * @param isForced Whether to refresh also if the token does not expire soon; not within 30 s of the last refresh.
   * @throws {CredentialsProviderError} `SsoTokenError` for SSO, `LoginError` for `aws login`.
   */
  async current(isForced: boolean, signal: AbortSignal | undefined): Promise<StoredToken<Token>> {
    const current = await this.#read();
    const now = this.#context.runtime.now();
    const refresh = this.#kind.refresher(current, now);
    const { expiresAt } = current.token;
    const { lastRefreshAt } = this.#file;
    const action = nextSessionAction({ expiresAt, canRefresh: refresh !== undefined, lastRefreshAt, isForced }, now);
    if (action === "fail") throw this.#loginRequired("it expired and cannot be refreshed");
    if (action === "use" || refresh === undefined) return current;
    return await this.#refreshOrKeep(current, refresh, signal);
  }

  /**
   * The token after the service rejected one: that of the file if it has changed, else a refreshed one. `undefined` if
   * the token cannot be refreshed.
   */
  async replacement(
    rejected: StoredToken<Token>,
    signal: AbortSignal | undefined,
  ): Promise<StoredToken<Token> | undefined> {
    const current = await this.#read();
    if (current.text !== rejected.text) return current;
    const refresh = this.#kind.refresher(current, this.#context.runtime.now());
    return refresh === undefined ? undefined : await untilAborted(this.#sharedRefresh(current, refresh), signal);
  }

  /** Calls `retrieve`. If a person must sign in and there is a handler, calls the handler and then `retrieve` again. */
  async withLogin<T>(
    retrieve: () => Promise<T>,
    handler: LoginHandler | undefined,
    request: Omit<LoginRequest, "command">,
  ): Promise<T> {
    try {
      return await retrieve();
    } catch (error) {
      if (handler === undefined || !needsLogin(error)) throw error;
      await this.#login(error, handler, { ...request, command: error.command });
    }
    return await retrieve();
  }

  async #login(error: CredentialsProviderError, handler: LoginHandler, request: LoginRequest): Promise<void> {
    const file = this.#file;
    const login = async () => await handler(request);
    file.pendingLogin ??= login().finally(() => file.pendingLogin = undefined);
    try {
      await untilAborted(file.pendingLogin, request.signal);
    } catch (cause) {
      request.signal?.throwIfAborted();
      const { code, message, hint, command, recoverable } = error;
      const details = { hint, command, recoverable, cause };
      throw new CredentialsProviderError(code, `${message}; onLoginRequired failed`, details);
    }
  }

  /** @throws {CredentialsProviderError} If the file is missing, cannot be read or has no valid token. */
  async #read(): Promise<StoredToken<Token>> {
    const path = printable(this.#file.path);
    const text = await this.#file.read().catch(() => {
      throw this.#kind.error(`${path} cannot be read`, {
        recoverable: true,
        hint: `Check that ${path} is a file of UTF-8 text that this user may read, or run \`${this.#kind.command}\`.`,
      });
    });
    if (text === undefined) {
      throw this.#loginRequired(`${path} does not exist, or this program is not permitted to read it`);
    }
    try {
      return { text, token: this.#kind.parse(text) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.#kind.error(`${path} does not hold a token: ${error.message}`, {
        recoverable: true, // another program may be writing it
        hint: loginDetails(this.#kind.command).hint,
      });
    }
  }

  async #refreshOrKeep(
    current: StoredToken<Token>,
    refresh: Refresh,
    signal: AbortSignal | undefined,
  ): Promise<StoredToken<Token>> {
    try {
      return await untilAborted(this.#sharedRefresh(current, refresh), signal);
    } catch (error) {
      const hasExpired = this.#context.runtime.now() >= current.token.expiresAt;
      if (hasExpired || !(error instanceof CredentialsProviderError)) throw error;
      this.#context.logger?.warn?.(`${error.message}; the current token is used until it expires`);
      return current;
    }
  }

  /** One refresh for all callers in this program. */
  async #sharedRefresh(current: StoredToken<Token>, refresh: Refresh): Promise<StoredToken<Token>> {
    const file = this.#file;
    file.pendingRefresh ??= this.#refreshAndSave(current, refresh).finally(() => file.pendingRefresh = undefined);
    const text = await file.pendingRefresh;
    return { text, token: this.#kind.parse(text) };
  }

  /** Returns the new text of the file, also if another process wrote it. */
  async #refreshAndSave(current: StoredToken<Token>, refresh: Refresh): Promise<string> {
    this.#file.lastRefreshAt = this.#context.runtime.now();
    try {
      return await this.#save(current, await refresh());
    } catch (error) {
      const other = await this.#writtenByOther(current, needsLogin(error));
      if (other === undefined) throw error;
      return other;
    }
  }

  /**
   * Writes the new text and returns it. If another process wrote a token that expires later, returns the text of that.
   * A file that was removed is not written again: a person signed out.
   */
  async #save(current: StoredToken<Token>, text: string): Promise<string> {
    const found = await this.#file.read().catch(() => current.text);
    if (found === undefined) return text;
    const other = found === current.text ? undefined : this.#tryParse(found);
    if (other !== undefined && other.expiresAt > this.#kind.parse(text).expiresAt) return found;
    const reason = await this.#file.write(text);
    if (reason !== undefined) this.#warn(`Cannot write ${printable(this.#file.path)}: ${printable(reason)}`);
    return text;
  }

  /**
   * The text of the file if another process wrote a token that expires later: the service rejects a refresh token that
   * the other process has used.
   */
  async #writtenByOther(current: StoredToken<Token>, isRejected: boolean): Promise<string | undefined> {
    const { now, sleep } = this.#context.runtime;
    const { expiresAt } = current.token;
    const hasValidToken = now() < expiresAt; // then there is no need to wait
    for (const delayMs of isRejected && !hasValidToken ? [0, OTHER_WRITER_MS] : [0]) {
      if (delayMs > 0) await sleep(delayMs);
      const text = await this.#file.read().catch(() => undefined);
      const other = text === undefined ? undefined : this.#tryParse(text);
      if (other !== undefined && other.expiresAt > Math.max(expiresAt, now())) return text;
    }
    return undefined;
  }

  #tryParse(text: string): Token | undefined {
    try {
      return this.#kind.parse(text);
    } catch {
      return undefined; // another program is writing it
    }
  }

  #warn(message: string): void {
    const { logger, runtime } = this.#context;
    const line = `${message}; the new token is kept in memory, and lost when this program ends`;
    if (logger === undefined) runtime.warn(line);
    else logger?.warn?.(line);
  }

  #loginRequired(state: string): CredentialsProviderError {
    return this.#kind.error(state, loginDetails(this.#kind.command));
  }
}

/** The details of an error after which a person must sign in. */
export function loginDetails(command: string): Pick<CredentialsErrorDetails, "command" | "hint"> {
  return { command, hint: `Run \`${command}\`.` };
}

/** Whether a person must sign in: the error has the command for it. */
function needsLogin(error: unknown): error is CredentialsProviderError & { readonly command: string } {
  return error instanceof CredentialsProviderError && error.command !== undefined;
}
