import type { Credentials } from "../credentials.ts";
import { redacted } from "../redaction.ts";
import { parseFields, requiredNumber, requiredObject, requiredString, stringField } from "../session/fields.ts";
import type { NewSsoToken } from "./token_file.ts";

/** The last moment that a `Date` can hold. */
const MAX_TIME = 8.64e15;

/**
 * Parses the response of `CreateToken`.
 *
 * @throws {SyntaxError} If the text is not such a response; the message does not quote it.
 * @see {@link https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html}
 */
export function parseNewSsoToken(text: string): NewSsoToken {
  const fields = parseFields(text);
  return {
    accessToken: requiredString(fields, "accessToken"),
    expiresInSeconds: requiredNumber(fields, "expiresIn"),
    refreshToken: stringField(fields, "refreshToken"),
  };
}

/**
 * Parses the response of `GetRoleCredentials`.
 *
 * @throws {SyntaxError} If the text is not such a response; the message does not quote it.
 * @see {@link https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html}
 */
export function parseRoleCredentials(text: string, accountId: string): Credentials {
  const fields = requiredObject(parseFields(text), "roleCredentials");
  // in milliseconds; `CreateToken` has seconds, and the documents of other sources have a string
  const expiration = requiredNumber(fields, "expiration");
  if (expiration > MAX_TIME) throw new SyntaxError("its expiration is not a time");
  return redacted({
    accessKeyId: requiredString(fields, "accessKeyId"),
    secretAccessKey: requiredString(fields, "secretAccessKey"),
    sessionToken: requiredString(fields, "sessionToken"),
    expiration: new Date(expiration),
    accountId,
    source: "SsoProvider",
  });
}
