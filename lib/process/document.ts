import type { Credentials } from "../credentials.ts";
import { type CredentialsErrorCode, CredentialsProviderError } from "../errors.ts";
import { redacted } from "../redaction.ts";
import { type Fields, parseJsonObject } from "../json_object.ts";
import { validTimestamp } from "../timestamp.ts";
import { withValidIds } from "../validate.ts";

const REQUIRED = ["AccessKeyId", "SecretAccessKey"] as const;

/** Options of {@linkcode parseProcessCredentials}. */
export interface ProcessDocumentOptions {
  /** The AWS account of the credentials if the document has no AccountId. */
  readonly accountId?: string | undefined;
  /**
   * If the text is not JSON, reads it again with `\"` replaced by `"`: on Windows some programs print the backslashes
   * that the command line needed.
   * @default {false}
   */
  readonly repairQuotes?: boolean;
}

/**
 * Parses what a credential process prints: field names are case-sensitive, unknown fields are ignored, white space and
 * a byte order mark around the document are dropped. An expiration in the past is not an error here.
 *
 * @param text The whole output.
 * @param options See {@linkcode ProcessDocumentOptions}.
 * @returns The credentials, with `source` set to `ProcessProvider`; without an `expiration` if they do not expire.
 * @throws {CredentialsProviderError} `ProcessProviderParseError`, `ProcessProviderVersionError` or
 * `ProcessProviderRequiredError`. The message never quotes the text.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html}
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseProcessCredentials } from "@rolecreds/aws";
 *
 * const credentials = parseProcessCredentials(`{
 *   "Version": 1, "AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "secret"
 * }`);
 * assertEquals(credentials.accessKeyId, "AKIAEXAMPLE");
 * assertEquals(credentials.expiration, undefined);
 * ```
 */
export function parseProcessCredentials(text: string, options: ProcessDocumentOptions = {}): Credentials {
  const fields = parseFields(text, options.repairQuotes === true);
  if (fields["Version"] !== 1) {
    throw invalid("ProcessProviderVersionError", "its Version is not 1", 'Print "Version": 1, a number.');
  }
  const missing = REQUIRED.find((name) => isMissing(fields[name]));
  if (missing !== undefined) {
    throw invalid("ProcessProviderRequiredError", `its ${missing} is missing or empty`, `Print ${missing}, a string.`);
  }
  const [accessKeyId, secretAccessKey] = [requiredString(fields, REQUIRED[0]), requiredString(fields, REQUIRED[1])];
  const sessionToken = optionalString(fields, "SessionToken");
  const accountId = optionalString(fields, "AccountId") ?? options.accountId;
  const expiration = optionalString(fields, "Expiration");
  const credentials = {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiration: expiration === undefined ? undefined : validTimestamp(expiration, "its Expiration", malformed),
    accountId,
    source: "ProcessProvider",
  };
  return withValidIds(redacted(credentials), malformed);
}

function parseFields(text: string, repairQuotes: boolean): Fields {
  const document = text.trim(); // drops a byte order mark, too
  const fields = parseJsonObject(document) ??
    (repairQuotes ? parseJsonObject(document.replaceAll('\\"', '"')) : undefined);
  if (fields !== undefined) return fields;
  if (document === "") throw malformed("it is empty");
  throw malformed(`it is not a JSON object, ${new TextEncoder().encode(text).length} bytes`);
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function optionalString(fields: Fields, name: string): string | undefined {
  return isMissing(fields[name]) ? undefined : requiredString(fields, name);
}

function requiredString(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw malformed(`its ${name} is not a string`);
  return value;
}

function malformed(state: string): CredentialsProviderError {
  return invalid("ProcessProviderParseError", state, "Print one JSON document to stdout, and all else to stderr.");
}

function invalid(code: CredentialsErrorCode, state: string, hint: string): CredentialsProviderError {
  return new CredentialsProviderError(code, `Cannot use the process document: ${state}`, { hint });
}
