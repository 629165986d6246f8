import { CredentialsProviderError } from "./errors.ts";
import { hex } from "./hex.ts";
import { encodeRfc3986, encodeRfc3986Once } from "./percent_encoding.ts";

/** What a request is signed with, such as a {@linkcode Credentials} object. */
export interface SigningCredentials {
  /** Identifies the credentials in the `authorization` header. */
  readonly accessKeyId: string;
  /** Signs the request; it is not sent. */
  readonly secretAccessKey: string;
  /** Sent in the `x-amz-security-token` header, if the credentials are temporary. */
  readonly sessionToken?: string | undefined;
}

/** The parts of a request that its signature covers. */
export interface PlainRequest {
  readonly method: string;
  /** A `URL`, or its parts as they are sent. */
  readonly url: Pick<URL, "host" | "pathname" | "search">;
  /** The same name may occur more than once. `host` is taken from the URL. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly body: string | ArrayBuffer;
}

/** Where and when a signature is valid. */
interface SigningScope {
  readonly region: string;
  /** The service's name in signatures, such as `sts` or `execute-api`. */
  readonly service: string;
  readonly date: Date;
}

/** Rules of signing that differ between AWS services. */
export interface SigningRules {
  /** Whether the percent escapes of the path are encoded a second time before it is signed. */
  readonly doubleEncodePath: boolean;
  /** Whether the service resolves `.` and `..` and joins repeated slashes before it checks the signature. */
  readonly normalizePath: boolean;
  /** Whether the hash of the body is sent in the `x-amz-content-sha256` header. */
  readonly sendPayloadHash: boolean;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const S3_RULES: SigningRules = { doubleEncodePath: false, normalizePath: false, sendPayloadHash: true };
const RULES: SigningRules = { doubleEncodePath: true, normalizePath: true, sendPayloadHash: false };
const S3_SERVICES = ["s3", "s3-object-lambda", "s3-outposts", "s3express"];

/** Headers that are not signed, because `fetch`, a proxy or a load balancer may add or change them. */
const UNSIGNED_HEADERS = [
  "authorization",
  "cache-control",
  "connection",
  "expect",
  "keep-alive",
  "max-forwards",
  "pragma",
  "proxy-authorization",
  "referer",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "x-amzn-trace-id",
];

const VISIBLE_ASCII_REGEXP = /^[\x21-\x7e]+$/;
const NOT_BLANK_REGEXP = /\S/;
const SCOPE_PART_REGEXP = /^[A-Za-z0-9._-]+$/;
const FOUR_DIGIT_YEAR_REGEXP = /^\d{8}T/;

/** The rules of a service, by its name in signatures. */
export function signingRules(service: string): SigningRules {
  return S3_SERVICES.includes(service) ? S3_RULES : RULES;
}

/**
 * Signs a request with AWS Signature Version 4.
 *
 * @returns The headers to add to the request, or to replace in it.
 * @throws {CredentialsProviderError} `ConfigurationError`, if a key, the region, the service or the date cannot be
 * used.
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html}
 */
export async function signatureHeaders(
  request: PlainRequest,
  credentials: SigningCredentials,
  scope: SigningScope,
  rules: SigningRules = signingRules(scope.service),
): Promise<Record<string, string>> {
  const time = signingTime(scope.date);
  checkScope(scope);
  checkCredentials(credentials);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const payloadHash = await sha256(request.body);
  const added: Record<string, string> = { "x-amz-date": time };
  if (sessionToken !== undefined) added["x-amz-security-token"] = sessionToken;
  if (rules.sendPayloadHash) added["x-amz-content-sha256"] = payloadHash;
  const headers = canonicalHeaders(request, added);
  const signedHeaders = headers.map(([name]) => name).join(";");
  const target = [canonicalPath(request.url.pathname, rules), canonicalQuery(request.url.search)];
  const headerLines = headers.map((header) => header.join(":"));
  const canonicalRequest = [request.method, ...target, ...headerLines, "", signedHeaders, payloadHash].join("\n");
  const scopeParts = [time.slice(0, 8), scope.region, scope.service, "aws4_request"];
  const stringToSign = [ALGORITHM, time, scopeParts.join("/"), await sha256(canonicalRequest)].join("\n");
  const signature = await sign(secretAccessKey, scopeParts, stringToSign);
  const credential = [accessKeyId, ...scopeParts].join("/");
  added["authorization"] =
    `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return added;
}

function checkCredentials(credentials: SigningCredentials): void {
  const { accessKeyId, secretAccessKey, sessionToken } = Object(credentials) as SigningCredentials;
  // The error of fetch quotes a header value that is not valid: the session token must not be in it.
  checkString("credentials.accessKeyId", accessKeyId, VISIBLE_ASCII_REGEXP, "a string of visible ASCII characters");
  checkString("credentials.secretAccessKey", secretAccessKey, NOT_BLANK_REGEXP, "a string that is not blank");
  if (sessionToken === undefined) return;
  checkString("credentials.sessionToken", sessionToken, VISIBLE_ASCII_REGEXP, "a string of visible ASCII characters");
}

function checkScope({ region, service }: SigningScope): void {
  checkString("region", region, SCOPE_PART_REGEXP, "a region name such as us-east-1");
  checkString("service", service, SCOPE_PART_REGEXP, "the service's name in signatures, such as s3");
}

function checkString(name: string, value: unknown, regexp: RegExp, expected: string): void {
  if (typeof value !== "string" || !regexp.test(value)) throw signingError(name, expected);
}

/** The message does not describe the value: it may be a secret in the wrong field. */
function signingError(name: string, expected: string): CredentialsProviderError {
  const message = `Cannot sign the request: ${name} must be ${expected}`;
  const hint = name.startsWith("credentials.")
    ? "Pass the credentials that a provider returned: await provider()."
    : `Correct ${name}.`;
  return new CredentialsProviderError("ConfigurationError", message, { hint });
}

/** The time as signatures write it, such as `20150830T123600Z`. */
function signingTime(date: Date): string {
  const isValid = date instanceof Date && !Number.isNaN(date.getTime());
  const time = isValid ? date.toISOString().replaceAll(/[:-]|\.\d{3}/g, "") : "";
  if (!FOUR_DIGIT_YEAR_REGEXP.test(time)) throw signingError("date", "a valid Date between the years 0 and 9999");
  return time;
}

function canonicalHeaders(request: PlainRequest, added: Readonly<Record<string, string>>): [string, string][] {
  const values = new Map<string, string>();
  for (const [name, value] of request.headers) {
    const lowerCase = name.toLowerCase();
    if (UNSIGNED_HEADERS.includes(lowerCase)) continue;
    const earlier = values.get(lowerCase);
    values.set(lowerCase, earlier === undefined ? withSingleSpaces(value) : `${earlier},${withSingleSpaces(value)}`);
  }
  values.set("host", request.url.host);
  for (const [name, value] of Object.entries(added)) values.set(name, value);
  return [...values].sort(byNameThenValue);
}

function withSingleSpaces(value: string): string {
  return value.replaceAll(/[ \t\r\n]+/g, " ").replaceAll(/^ | $/g, "");
}

function canonicalPath(pathname: string, { doubleEncodePath, normalizePath }: SigningRules): string {
  const path = normalizePath ? normalizedPath(pathname) : pathname;
  // The path of a URL is encoded already: this encodes it a second time.
  if (doubleEncodePath) return path.split("/").map(encodeRfc3986).join("/");
  // S3 decodes the path first, and reads "+" as a space. Slashes are not escaped, not even those that the URL escapes.
  return encodeRfc3986Once(path.replaceAll("+", "%20")).replaceAll("%2F", "/");
}

function normalizedPath(pathname: string): string {
  const segments: string[] = [];
  for (const segment of pathname.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  const path = `/${segments.join("/")}`;
  return path !== "/" && pathname.endsWith("/") ? `${path}/` : path;
}

function canonicalQuery(search: string): string {
  const pairs = search.slice(1).split("&").filter((pair) => pair !== "").map(nameAndValue);
  return pairs.sort(byNameThenValue).map((pair) => pair.join("=")).join("&");
}

function nameAndValue(pair: string): [string, string] {
  const [name = "", ...value] = pair.split("=");
  return [encodeRfc3986Once(name), encodeRfc3986Once(value.join("="))];
}

/** Compares by code unit; `localeCompare` would give another order. */
function byNameThenValue(left: readonly [string, string], right: readonly [string, string]): number {
  const [a, b] = left[0] === right[0] ? [left[1], right[1]] : [left[0], right[0]];
  return a === b ? 0 : a < b ? -1 : 1;
}

async function sign(secret: string, scopeParts: readonly string[], stringToSign: string): Promise<string> {
  let key: ArrayBuffer | Uint8Array<ArrayBuffer> = utf8(`AWS4${secret}`); // at the end it is the signature
  for (const part of [...scopeParts, stringToSign]) {
    const hmacKey = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    key = await crypto.subtle.sign("HMAC", hmacKey, utf8(part));
  }
  return hex(key);
}

async function sha256(data: string | ArrayBuffer): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", typeof data === "string" ? utf8(data) : data));
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
