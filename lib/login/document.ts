import { parseFields, requiredNumber, requiredObject, requiredString } from "../session/fields.ts";
import type { NewLoginToken } from "./token_file.ts";

/**
 * Parses the response of `CreateOAuth2Token`.
 *
 * @throws {SyntaxError} If the text is not such a response; the message does not quote it.
 * @see {@link https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html}
 */
export function parseNewLoginToken(text: string): NewLoginToken {
  const fields = parseFields(text);
  const accessToken = requiredObject(fields, "accessToken");
  return {
    accessKeyId: requiredString(accessToken, "accessKeyId"),
    secretAccessKey: requiredString(accessToken, "secretAccessKey"),
    sessionToken: requiredString(accessToken, "sessionToken"),
    refreshToken: requiredString(fields, "refreshToken"),
    expiresInSeconds: requiredNumber(fields, "expiresIn"),
  };
}
