import type { Credentials } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { parseJsonObject } from "../json_object.ts";
import { printable } from "../printable.ts";
import { redacted } from "../redaction.ts";
import { parseTimestamp } from "../timestamp.ts";
import { withValidIds } from "../validate.ts";
import { parseXml, type XmlElement, xmlText } from "./xml.ts";

/** The operations of STS that return credentials. */
export type StsAction = "AssumeRole" | "AssumeRoleWithWebIdentity";

/** What STS says about a failure. */
export interface StsFailure {
  /** Without the word `Exception` at its end; `undefined` where the response is not one of STS. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly requestId: string | undefined;
}

/**
 * Parses the credentials in the response of an operation.
 *
 * @param roleArn The role that was requested; a response for another role is an error.
 * @throws {CredentialsProviderError} `StsInvalidResponse`; the message never quotes the text.
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html}
 */
export function parseStsCredentials(text: string, action: StsAction, roleArn: string): Credentials {
  const result = find(parentOfRoot(text), `${action}Response`, `${action}Result`);
  const credentials = find(result, "Credentials");
  const assumedArn = xmlText(result, "AssumedRoleUser", "Arn") ?? "";
  if (!isSessionOf(assumedArn, roleArn)) throw invalid("it is for another role");
  const issued = {
    accessKeyId: required(credentials, "AccessKeyId"),
    secretAccessKey: required(credentials, "SecretAccessKey"),
    sessionToken: required(credentials, "SessionToken"),
    expiration: expiration(required(credentials, "Expiration")),
    accountId: accountOf(assumedArn),
    source: action === "AssumeRole" ? "AssumeRoleProvider" : "WebIdentityProvider",
  };
  return withValidIds(redacted(issued), invalid);
}

/**
 * Parses the response of `GetCallerIdentity`.
 *
 * @returns The ARN of the user or of the session of a role.
 * @throws {CredentialsProviderError} `StsInvalidResponse`; the message never quotes the text.
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html}
 */
export function parseCallerArn(text: string): string {
  const result = find(parentOfRoot(text), "GetCallerIdentityResponse", "GetCallerIdentityResult");
  return required(result, "Arn");
}

/**
 * Parses an error response: XML, or JSON from emulators. For anything else, such as the HTML of a proxy, all fields are
 * `undefined`.
 */
export function parseStsFailure(text: string): StsFailure {
  const document = parentOfRoot(text);
  const response = find(document, "ErrorResponse");
  const error = find(response, "Error") ?? find(document, "Error");
  if (error === undefined) return parseJsonFailure(text);
  return {
    code: codeOf(xmlText(error, "Code")),
    message: printableText(xmlText(error, "Message")),
    requestId: printableText(xmlText(response, "RequestId") ?? xmlText(response, "ResponseMetadata", "RequestId")),
  };
}

function parseJsonFailure(text: string): StsFailure {
  const fields = parseJsonObject(text) ?? {};
  const string = (name: string) => typeof fields[name] === "string" ? fields[name] : undefined;
  const code = codeOf(string("__type")?.split("#").at(-1));
  return { code, message: printableText(string("message") ?? string("Message")), requestId: undefined };
}

function codeOf(text: string | undefined): string | undefined {
  return text === undefined || !/^\w{1,100}$/.test(text) ? undefined : text.replace(/Exception$/, "");
}

function printableText(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : printable(text);
}

/**
 * Compares account and role name. If the ARN is missing or not that of an assumed role, as with some emulators, it
 * returns true.
 */
function isSessionOf(assumedArn: string, roleArn: string): boolean {
  const [, account, name] = /^arn:[^:]*:sts::(\d+):assumed-role\/([^/]+)\//.exec(assumedArn) ?? [];
  if (name === undefined) return true;
  const [, wantedAccount, wantedName] = /^arn:[^:]*:iam::(\d+):role\/(?:.*\/)?([^/]+)$/.exec(roleArn) ?? [];
  return wantedName === undefined || (account === wantedAccount && name === wantedName);
}

/** The account is the fifth field of an ARN. */
function accountOf(arn: string): string | undefined {
  return /^\d+$/.exec(arn.split(":")[4] ?? "")?.[0];
}

function parentOfRoot(text: string): XmlElement | undefined {
  try {
    const root = parseXml(text);
    return { name: "", text: "", children: [root] };
  } catch {
    return undefined; // not XML
  }
}

function find(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce((parent, name) => parent?.children.find((child) => child.name === name), element);
}

function required(parent: XmlElement | undefined, name: string): string {
  const text = xmlText(parent, name);
  if (text === undefined || text === "") throw invalid(`it has no ${name}`);
  return text;
}

function expiration(text: string): Date {
  try {
    return parseTimestamp(text);
  } catch {
    throw invalid("its Expiration is not a time in RFC 3339 form");
  }
}

function invalid(state: string): CredentialsProviderError {
  return new CredentialsProviderError("StsInvalidResponse", `Cannot use the response of STS: ${state}`, {
    hint: "Something other than STS may be responding: check AWS_ENDPOINT_URL_STS and the proxy.",
  });
}
