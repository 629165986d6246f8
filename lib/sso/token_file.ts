import { parseFields, requiredString, requiredTime, stringField, timeField } from "../session/fields.ts";
import { formatTime, sessionFileName, withFields } from "../session/file_format.ts";

/** The token that `aws sso login` got; times in epoch milliseconds. */
export interface SsoToken {
  readonly accessToken: string;
  readonly expiresAt: number;
  /** What a refresh sends; absent where the file lacks a part of it. */
  readonly refresh: SsoRefresh | undefined;
}

/** The registered client, and the refresh token with which it gets the next token. */
export interface SsoRefresh {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly registrationExpiresAt: number | undefined;
}

/** A token as the OIDC service sends it. */
export interface NewSsoToken {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string | undefined;
}

/**
 * The name of the token file in `~/.aws/sso/cache`.
 *
 * @param session The name of the SSO session; in a profile of the older form, the start URL.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/understanding-sso.html}
 */
export function ssoTokenFileName(session: string): Promise<string> {
  return sessionFileName("SHA-1", session);
}

/**
 * Parses a token file.
 *
 * @throws {SyntaxError} If it lacks the access token or its expiration; the message does not quote the text.
 */
export function parseSsoToken(text: string): SsoToken {
  const fields = parseFields(text);
  const accessToken = requiredString(fields, "accessToken");
  const expiresAt = requiredTime(fields, "expiresAt");
  const clientId = stringField(fields, "clientId");
  const clientSecret = stringField(fields, "clientSecret");
  const refreshToken = stringField(fields, "refreshToken");
  const isComplete = clientId !== undefined && clientSecret !== undefined && refreshToken !== undefined;
  const registrationExpiresAt = timeField(fields, "registrationExpiresAt");
  const refresh = isComplete ? { clientId, clientSecret, refreshToken, registrationExpiresAt } : undefined;
  return { accessToken, expiresAt, refresh };
}

/** What a refresh sends, while the client is registered. A registration whose expiration is unknown counts as valid. */
export function validRefresh({ refresh }: SsoToken, now: number): SsoRefresh | undefined {
  return now < (refresh?.registrationExpiresAt ?? Infinity) ? refresh : undefined;
}

/**
 * The text of a token file with a new token in it. All other fields are unchanged; a refresh token that was not
 * replaced is removed, because it was used.
 *
 * @throws {SyntaxError} If the old text is not a JSON object.
 */
export function withNewToken(text: string, token: NewSsoToken, now: number): string {
  return JSON.stringify(withFields(parseFields(text), {
    accessToken: token.accessToken,
    expiresAt: formatTime(now + token.expiresInSeconds * 1_000),
    refreshToken: token.refreshToken,
  }));
}
