import type { DefaultProviderOptions } from "../default_provider.ts";
import { loadLoginTarget } from "../login/settings.ts";
import { parseLoginToken } from "../login/token_file.ts";
import type { Runtime } from "../runtime.ts";
import { loadSsoTarget } from "../sso/settings.ts";
import { parseSsoToken, validRefresh } from "../sso/token_file.ts";
import { expiry, type Finding } from "./finding.ts";

/** What the file of a session says. */
interface FoundSession {
  readonly name: string;
  readonly path: string;
  readonly expiresAt: number;
  readonly canRefresh: boolean;
  /** The command that starts a new session. */
  readonly command: string;
}

/**
 * Reports the path of the session file, and when its token expires. A session that cannot be used is not reported here:
 * its provider says why, and what to run.
 */
export async function checkSession(
  kind: "sso" | "login",
  profile: string,
  options: DefaultProviderOptions,
  runtime: Runtime,
): Promise<readonly Finding[]> {
  const check = "profile.session";
  const find = kind === "sso" ? findSso : findLogin;
  const session = await find(profile, options, runtime).catch(() => undefined); // the provider throws the same error
  if (session === undefined) return [];
  const { name, path, expiresAt, canRefresh, command } = session;
  if (!canRefresh && expiresAt <= runtime.now()) return [];
  const message = `The token of ${name} in ${path} ${expiry(expiresAt, runtime.now())}`;
  return canRefresh
    ? [{ check, status: "ok", message: `${message}, and can be refreshed` }]
    : [{ check, status: "ok", message, hint: `When it expires, run \`${command}\`.` }];
}

async function findSso(profile: string, options: DefaultProviderOptions, runtime: Runtime): Promise<FoundSession> {
  const { name, command, tokenPath: path, settings } = await loadSsoTarget(
    { ...options, ...options.sso, profile },
    runtime,
  );
  const token = parseSsoToken(await runtime.readTextFile(path) ?? "");
  const canRefresh = settings.session !== undefined && validRefresh(token, runtime.now()) !== undefined;
  return { name, path, expiresAt: token.expiresAt, canRefresh, command };
}

async function findLogin(profile: string, options: DefaultProviderOptions, runtime: Runtime): Promise<FoundSession> {
  const { command, path } = await loadLoginTarget({ ...options, ...options.login, profile }, runtime);
  const { expiresAt } = parseLoginToken(await runtime.readTextFile(path) ?? "");
  return { name: "the login", path, expiresAt, canRefresh: true, command };
}
