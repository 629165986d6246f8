import type { Credentials } from "../credentials.ts";
import { redacted } from "../redaction.ts";
import { parseFields, requiredObject, requiredString, requiredTime } from "../session/fields.ts";
import { formatTime, sessionFileName, withFields } from "../session/file_format.ts";

/** What the session file of `aws login` holds. */
export interface LoginToken {
  readonly credentials: Credentials;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly refreshToken: string;
  readonly clientId: string;
  /** A private key in PEM. */
  readonly dpopKey: string;
}

/** What the sign-in service sends for a refresh token. */
export interface NewLoginToken {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
}

/**
 * The name of the file of a session in `~/.aws/login/cache`.
 *
 * @param session The value of `login_session`.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html}
 */
export function loginFileName(session: string): Promise<string> {
  return sessionFileName("SHA-256", session.trim());
}

/**
 * Parses the file of a session.
 *
 * @throws {SyntaxError} If it lacks a field that a session needs; the message does not quote the text.
 */
export function parseLoginToken(text: string): LoginToken {
  const fields = parseFields(text);
  const token = requiredObject(fields, "accessToken");
  const expiresAt = requiredTime(token, "expiresAt");
  return {
    expiresAt,
    credentials: redacted({
      accessKeyId: requiredString(token, "accessKeyId"),
      secretAccessKey: requiredString(token, "secretAccessKey"),
      sessionToken: requiredString(token, "sessionToken"),
      expiration: new Date(expiresAt),
      accountId: requiredString(token, "accountId"),
      source: "LoginProvider",
    }),
    refreshToken: requiredString(fields, "refreshToken"),
    clientId: requiredString(fields, "clientId"),
    dpopKey: requiredString(fields, "dpopKey"),
  };
}

/**
 * The text of the file with new credentials in it. All other fields stay.
 *
 * @throws {SyntaxError} If the old text is not a JSON object with an access token.
 */
export function withNewLogin(text: string, token: NewLoginToken, now: number): string {
  const { refreshToken, expiresInSeconds, ...keys } = token;
  const fields = parseFields(text);
  const expiresAt = formatTime(now + expiresInSeconds * 1_000);
  const accessToken = withFields(requiredObject(fields, "accessToken"), { ...keys, expiresAt });
  return JSON.stringify(withFields(fields, { accessToken, refreshToken }));
}
