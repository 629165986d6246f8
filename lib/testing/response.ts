/** The response of an emulated service. */
export interface EmulatedResponse {
  /** The status. */
  readonly status: number;
  /** More headers. `Content-Length` and `Date` are added unless they are given. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body; in memory, a response without it has no `Content-Length`. */
  readonly body?: string;
}

/** Makes a `Response`, with the given time, in epoch milliseconds, as its `Date`. */
export function toResponse({ status, headers, body }: EmulatedResponse, now: number): Response {
  const common: Record<string, string> = { date: new Date(now).toUTCString() };
  if (body === undefined) return new Response(null, { status, headers: { ...common, ...headers } });
  const bytes = new TextEncoder().encode(body);
  return new Response(bytes, { status, headers: { ...common, "content-length": `${bytes.length}`, ...headers } });
}

/** A response of JSON. */
export function jsonResponse(value: unknown, status = 200): EmulatedResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

/** A response of plain text. */
export function textResponse(body: string, status = 200): EmulatedResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}
