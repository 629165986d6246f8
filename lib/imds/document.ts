import type { Credentials } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { NOT_EC2_HINT } from "./errors.ts";
import { printable } from "../printable.ts";
import { parseJsonObject } from "../json_object.ts";
import { failureCodeOf, roleCredentials } from "../role_document.ts";

/**
 * Parses the document that IMDS serves for a role, exactly as AWS describes it: field names are case-sensitive, unknown
 * fields are ignored. An expiration in the past is not an error here.
 *
 * @param text The body of `/latest/meta-data/iam/security-credentials/<role>`.
 * @returns The credentials, with `source` set to `EC2RoleProvider`.
 * @throws {CredentialsProviderError} `ImdsInvalidResponse` if the text is not such a document, or if it reports a
 * failure: then the error has `imdsCode`. The message never quotes the text.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html}
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseImdsCredentials } from "@rolecreds/aws";
 *
 * const credentials = parseImdsCredentials(`{
 *   "Code": "Success", "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret",
 *   "Token": "token", "Expiration": "2030-01-01T00:00:00Z"
 * }`);
 * assertEquals(credentials.accessKeyId, "ASIAEXAMPLE");
 * assertEquals(credentials.sessionToken, "token");
 * ```
 */
export function parseImdsCredentials(text: string): Credentials {
  const fields = parseJsonObject(text);
  if (fields === undefined) throw invalid("it is not a JSON object");
  const document = { field: (name: string) => fields[name], source: "EC2RoleProvider", invalid };
  const code = failureCodeOf(document);
  if (code !== undefined) throw reported(code, fields["Message"]);
  return roleCredentials(document);
}

function reported(code: string, message: unknown): CredentialsProviderError {
  const imdsCode = printable(code);
  const detail = typeof message === "string" ? `, ${printable(message)}` : "";
  return new CredentialsProviderError(
    "ImdsInvalidResponse",
    `Cannot use the role document: IMDS reports ${imdsCode}${detail}`,
    {
      imdsCode,
      hint: code === "AssumeRoleUnauthorizedAccess"
        ? "Allow ec2.amazonaws.com in the trust policy of the role to assume it (sts:AssumeRole)."
        : "Look up the code in the EC2 guide on instance roles; IMDS itself could not get credentials for the role.",
    },
  );
}

function invalid(state: string): CredentialsProviderError {
  return new CredentialsProviderError("ImdsInvalidResponse", `Cannot use the role document: ${state}`, {
    hint: NOT_EC2_HINT,
  });
}

/** A name of dots only, such as `..`, would change the path. */
const DOTS_REGEXP = /^\.+$/;
const ROLE_NAME_REGEXP = /^[A-Za-z0-9+=,.@_-]{1,128}$/;

/**
 * Whether a string has only the characters of a role name, at most 128, and not only dots: then it can be put into a
 * path as it is.
 */
export function isRoleName(text: string): boolean {
  return ROLE_NAME_REGEXP.test(text) && !DOTS_REGEXP.test(text);
}

/** The role names that IMDS lists, one on each line. An instance has at most one role. */
export function parseRoleList(text: string): readonly string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
