import { createHash, createHmac } from "node:crypto";

/** A request as a server received it. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

const AUTHORIZATION_REGEXP =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/((\d{8})\/([^/]+)\/([^/]+)\/aws4_request), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

/** What S3 accepts in place of the hash of a body. */
const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/** The headers that a valid signature covers; `undefined` for a signature that is not valid. Shares no code with the library. */
export function verifiedHeaders(request: ReceivedRequest, secretAccessKey: string): readonly string[] | undefined {
  const match = AUTHORIZATION_REGEXP.exec(request.headers["authorization"] ?? "");
  if (match === null) return undefined;
  const [, , scope = "", day = "", region = "", service = "", signedHeaders = "", signature] = match;
  const names = signedHeaders.split(";");
  const isUnsigned = request.headers["x-amz-content-sha256"] === UNSIGNED_PAYLOAD;
  const payloadHash = service === "s3" && isUnsigned ? UNSIGNED_PAYLOAD : sha256(request.body);
  const [path = "", query = ""] = request.target.split("?");
  const canonicalRequest = [
    request.method,
    service === "s3" ? s3Path(path) : path.split("/").map(strict).join("/"),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${request.headers[name]?.trim().replace(/ +/g, " ")}`),
    "",
    signedHeaders,
    payloadHash,
  ].join("\n");
  const time = request.headers["x-amz-date"];
  const stringToSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonicalRequest)}`;
  const key = [day, region, service, "aws4_request"].reduce<string | Uint8Array>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, stringToSign).toString("hex") === signature ? names : undefined;
}

/** S3 decodes the path, with "+" as a space, and encodes the key that it gets. */
function s3Path(path: string): string {
  return decodeURIComponent(path.replaceAll("+", " ")).split("/").map(strict).join("/");
}

function canonicalQuery(query: string): string {
  const pairs = query.split("&").filter(Boolean).map((pair) => pair.split("=").map(decodeURIComponent).map(strict));
  return pairs.map(([name, value = ""]) => `${name}\0${value}`).sort().join("&").replaceAll("\0", "=");
}

function strict(text: string): string {
  return [...Buffer.from(text, "utf8")]
    .map((byte) => /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : escape(byte))
    .join("");
}

function escape(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: string | Uint8Array, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}
