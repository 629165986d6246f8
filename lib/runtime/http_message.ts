/** A request as it arrived. */
export interface ReceivedHttpRequest {
  readonly method: string;
  /** The request target: a path with its query, or a whole URL, which clients send to a proxy. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Whether the client wants the connection kept for its next request. */
  readonly keepAlive: boolean;
}

/**
 * What the bytes received so far are: a request of `length` bytes, the beginning of one, or an error to respond with.
 */
type ParsedRequest =
  | { readonly kind: "request"; readonly request: ReceivedHttpRequest; readonly length: number }
  | { readonly kind: "incomplete" }
  | { readonly kind: "invalid"; readonly status: number };

const MAX_HEAD_BYTES = 16_384;
const MAX_BODY_BYTES = 1_048_576;
const REQUEST_LINE_REGEXP = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/;
const HEADER_REGEXP = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*$/;

/**
 * Parses the HTTP/1.1 request at the start of `bytes`. A body needs a `Content-Length`; `Transfer-Encoding` is refused
 * with 411.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112}
 */
export function parseRequest(bytes: Uint8Array): ParsedRequest {
  const text = String.fromCharCode(...bytes.subarray(0, MAX_HEAD_BYTES));
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return bytes.length < MAX_HEAD_BYTES ? { kind: "incomplete" } : invalid(431);
  const [requestLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const [, method = "", target = "", minor] = REQUEST_LINE_REGEXP.exec(requestLine) ?? [];
  const headers = parseHeaders(lines);
  if (method === "" || headers === undefined) return invalid(400);
  if (headers.has("transfer-encoding")) return invalid(411);
  const declared = headers.get("content-length") ?? "0";
  if (!/^\d+$/.test(declared)) return invalid(400);
  const [start, bodyLength] = [end + 4, Number(declared)];
  if (bodyLength > MAX_BODY_BYTES) return invalid(413);
  const length = start + bodyLength;
  if (bytes.length < length) return { kind: "incomplete" };
  const keepAlive = minor === "1" && !/\bclose\b/i.test(headers.get("connection") ?? "");
  return { kind: "request", request: { method, target, headers, body: bytes.slice(start, length), keepAlive }, length };
}

/** The status line and headers of a response. Headers are sent unchanged, even if they contradict the body. */
export function responseHead(response: Response, keepAlive: boolean): Uint8Array {
  const lines = [`HTTP/1.1 ${response.status} ${response.statusText}`];
  for (const [name, value] of response.headers) lines.push(`${name}: ${value}`);
  if (isChunked(response)) lines.push("transfer-encoding: chunked");
  if (response.body === null && !response.headers.has("content-length")) lines.push("content-length: 0");
  if (!keepAlive) lines.push("connection: close");
  return latin1(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Whether the body of a response is sent in chunks: if there is a body and no `Content-Length`. */
export function isChunked({ body, headers }: Response): boolean {
  return body !== null && !headers.has("content-length");
}

/** The bytes before and after a chunk; a chunk of 0 bytes ends the body. */
export function chunkFrame(length: number): readonly [before: Uint8Array, after: Uint8Array] {
  return [latin1(`${length.toString(16)}\r\n`), latin1("\r\n")];
}

function parseHeaders(lines: readonly string[]): Headers | undefined {
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value] = HEADER_REGEXP.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    headers.append(name, value);
  }
  return headers;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function invalid(status: number): ParsedRequest {
  return { kind: "invalid", status };
}
