import { hex } from "../hex.ts";
import type { ReceivedRequest } from "./emulator.ts";

/** A key that may sign requests. */
export interface EmulatedAccessKey {
  /** The secret access key. */
  readonly secretAccessKey: string;
  /**
   * The session token of temporary credentials. Keys that have a token are treated as those of a role, which may assume
   * another role for 1 hour at most.
   */
  readonly sessionToken?: string;
  /** When the key expires, in epoch milliseconds; never if absent. */
  readonly expiresAt?: number;
}

/** What a signature is checked against. */
interface SignatureRules {
  readonly findKey: (accessKeyId: string) => EmulatedAccessKey | undefined;
  readonly service: string;
  /** The required region of the scope; `undefined` for any region. */
  readonly region: string | undefined;
  /** The clock of the service, in epoch milliseconds. */
  readonly now: number;
  readonly maxSkewMs: number;
}

/** Who signed, or why the request is refused. */
type Verification =
  | { readonly kind: "signed"; readonly accessKeyId: string; readonly key: EmulatedAccessKey }
  | { readonly kind: "refused"; readonly code: SignatureErrorCode; readonly message: string };

/** The errors of a missing or wrong signature. */
export type SignatureErrorCode =
  | "ExpiredToken"
  | "IncompleteSignature"
  | "InvalidClientTokenId"
  | "MissingAuthenticationToken"
  | "SignatureDoesNotMatch";

/** The parts of an `Authorization` header. */
interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const AUTHORIZATION_REGEXP =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, *SignedHeaders=([\w;-]+), *Signature=([0-9a-f]{64})$/;
const DATE_REGEXP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Verifies the Signature Version 4 of a request. It shares no code with the signer of this package, so that each can be
 * used to test the other.
 *
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html}
 */
export async function verifySignature(request: ReceivedRequest, rules: SignatureRules): Promise<Verification> {
  const header = request.headers["authorization"];
  if (header === undefined) return refused("MissingAuthenticationToken", "The request is not signed");
  const authorization = parseAuthorization(header);
  const amzDate = request.headers["x-amz-date"] ?? "";
  const time = parseAmzDate(amzDate);
  if (authorization === undefined || Number.isNaN(time)) {
    return refused("IncompleteSignature", "The Authorization or X-Amz-Date header is incomplete");
  }
  const wrongHeader = headerError(request, authorization);
  if (wrongHeader !== undefined) return refused("SignatureDoesNotMatch", wrongHeader);
  const wrongScope = scopeError(authorization, amzDate, rules);
  if (wrongScope !== undefined) return refused("SignatureDoesNotMatch", wrongScope);
  const { accessKeyId } = authorization;
  const key = rules.findKey(accessKeyId);
  if (key === undefined || request.headers["x-amz-security-token"] !== key.sessionToken) {
    return refused("InvalidClientTokenId", "The access key or its session token is not known");
  }
  if (rules.now >= (key.expiresAt ?? Infinity)) return refused("ExpiredToken", "The session token has expired");
  const wrongTime = timeError(time, rules);
  if (wrongTime !== undefined) return refused("SignatureDoesNotMatch", wrongTime);
  const expected = await signatureOf(request, authorization, { amzDate, secretAccessKey: key.secretAccessKey });
  if (authorization.signature !== expected) {
    return refused("SignatureDoesNotMatch", "The signature does not match the request and the secret access key");
  }
  return { kind: "signed", accessKeyId, key };
}

function refused(code: SignatureErrorCode, message: string): Verification {
  return { kind: "refused", code, message };
}

function parseAuthorization(header: string): Authorization | undefined {
  const [match, accessKeyId = "", date = "", region = "", service = "", names = "", signature = ""] =
    AUTHORIZATION_REGEXP.exec(header) ?? [];
  if (match === undefined) return undefined;
  return { accessKeyId, date, region, service, signedHeaders: names.split(";"), signature };
}

function parseAmzDate(text: string): number {
  return Date.parse(text.replace(DATE_REGEXP, "$1-$2-$3T$4:$5:$6Z"));
}

/** What is wrong with the first header that must be signed and is not, or that is signed and was not sent. */
function headerError({ headers }: ReceivedRequest, { signedHeaders }: Authorization): string | undefined {
  const needed = ["host", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))];
  const unsigned = needed.find((name) => !signedHeaders.includes(name));
  if (unsigned !== undefined) return `The header ${unsigned} is not signed`;
  const absent = signedHeaders.find((name) => name !== "host" && headers[name] === undefined);
  return absent === undefined ? undefined : `The header ${absent} is signed but was not sent`;
}

function scopeError(
  { date, region, service }: Authorization,
  amzDate: string,
  rules: SignatureRules,
): string | undefined {
  if (!amzDate.startsWith(date)) return "The date of the credential scope is not that of X-Amz-Date";
  if (service !== rules.service) return `The credential scope is not for the service ${rules.service}`;
  if (rules.region !== undefined && region !== rules.region) return "The credential scope is for another region";
  return undefined;
}

function timeError(time: number, { now, maxSkewMs }: SignatureRules): string | undefined {
  if (time < now - maxSkewMs) return `Signature expired: the clock is ${isoTime(now)}`;
  if (time > now + maxSkewMs) return `Signature not yet current: the clock is ${isoTime(now)}`;
  return undefined;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

async function signatureOf(
  { method, url, headers, body }: ReceivedRequest,
  { date, region, service, signedHeaders }: Authorization,
  { amzDate, secretAccessKey }: { readonly amzDate: string; readonly secretAccessKey: string },
): Promise<string> {
  const { host, pathname, search } = new URL(url);
  const names = [...signedHeaders].sort();
  const values: Readonly<Record<string, string | undefined>> = { host, ...headers };
  const canonicalRequest = [
    method,
    pathname.split("/").map(encode).join("/"),
    canonicalQuery(search),
    ...names.map((name) => `${name}:${(values[name] ?? "").replace(/[ \t]+/g, " ").replace(/^ | $/g, "")}`),
    "",
    names.join(";"),
    await sha256(body),
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const stringToSign = ["AWS4-HMAC-SHA256", amzDate, scope, await sha256(canonicalRequest)].join("\n");
  let key: Uint8Array<ArrayBuffer> | ArrayBuffer = new TextEncoder().encode(`AWS4${secretAccessKey}`);
  for (const part of [date, region, service, "aws4_request", stringToSign]) key = await hmac(key, part);
  return hex(key);
}

/** The query in canonical form: sorted by name, then by value. A plus sign is a plus sign, not a space. */
function canonicalQuery(search: string): string {
  const parameters = [...new URLSearchParams(search.replaceAll("+", "%2B"))];
  // joined with NUL while sorting, so that "a=..." sorts before "a-b=..."
  return parameters.map(([name, value]) => `${encode(name)}\0${encode(value)}`).sort().join("&").replaceAll("\0", "=");
}

/**
 * Percent-encodes all but unreserved characters; a path that is already encoded is encoded once more, as outside S3.
 */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function sha256(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

async function hmac(key: Uint8Array<ArrayBuffer> | ArrayBuffer, text: string): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text));
}
