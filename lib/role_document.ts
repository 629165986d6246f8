import type { Credentials } from "./credentials.ts";
import type { CredentialsProviderError } from "./errors.ts";
import { redacted } from "./redaction.ts";
import { validTimestamp } from "./timestamp.ts";
import { withValidIds } from "./validate.ts";

/** How to read the JSON document with the credentials of a role that IMDS and container endpoints return. */
interface RoleDocumentReader {
  /** The value of a field. */
  readonly field: (name: string) => unknown;
  /** The `source` of the credentials. */
  readonly source: string;
  /** Creates the error for an invalid document from the reason, such as "its Token is missing". */
  readonly invalid: (state: string) => CredentialsProviderError;
}

/** The code of a document that reports a failure; `undefined` if the document has credentials. */
export function failureCodeOf({ field, invalid }: RoleDocumentReader): string | undefined {
  const code = field("Code");
  if (code === undefined) return undefined;
  if (typeof code !== "string") throw invalid("its Code is not a string");
  return code.toLowerCase() === "success" ? undefined : code;
}

/** The credentials in a document. An expiration in the past is not an error here. */
export function roleCredentials({ field, source, invalid }: RoleDocumentReader): Credentials {
  const string = (name: string): string => {
    const value = field(name);
    if (typeof value !== "string" || value === "") throw invalid(`its ${name} is missing, empty or not a string`);
    return value;
  };
  const accountId = field("AccountId");
  const credentials = {
    accessKeyId: string("AccessKeyId"),
    secretAccessKey: string("SecretAccessKey"),
    sessionToken: string("Token"),
    expiration: validTimestamp(string("Expiration"), "its Expiration", invalid),
    accountId: typeof accountId === "string" && accountId !== "" ? accountId : undefined,
    source,
  };
  return withValidIds(redacted(credentials), invalid);
}
