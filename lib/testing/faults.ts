import type { Runtime } from "../runtime.ts";
import type { RawConnection } from "../runtime/loopback.ts";
import { type EmulatedResponse, toResponse } from "./response.ts";

/**
 * What an emulator does in place of its normal response: a named fault, another response, a delay, or a change or
 * truncation of the body.
 */
export type Fault =
  | FaultName
  | EmulatedResponse
  /** The normal response, after a delay. */
  | { readonly delayMs: number }
  /** The response, with its body passed through a function. */
  | { readonly rewrite: (body: string) => string }
  /** The first `cutAfter` bytes of the body, then the connection ends. */
  | { readonly cutAfter: number };

/** The faults that have a name. */
export type FaultName =
  /** No response at all. */
  | "hang"
  /** The connection ends before the response. Deno's `fetch` then sends the request a second time. */
  | "reset"
  /** The headers and half of the body, then the connection ends. */
  | "truncated"
  /** The headers, then one byte every 100 ms, without end. */
  | "drip"
  /** A web page with status 200, such as the sign-in page of a captive portal. */
  | "html"
  /** A body of 70,000 bytes, which is more than the library reads. */
  | "oversized"
  /** Bytes that are not UTF-8. */
  | "binary"
  /** A redirect to `/redirected`, where every emulator responds with status 200. */
  | "redirect"
  /** 429 with `Retry-After: 1`. */
  | "throttled"
  /**
   * The response compressed, though the client did not ask for that. With `emulator.fetch` the body stays compressed.
   */
  | "gzip"
  /** `Content-Length` is half of the body's length; the connection is closed after the body. Over a socket only. */
  | "wrongLength"
  /** The response, then the connection is closed although the headers promise keep-alive. Over a socket only. */
  | "closed"
  /** Headers without end. In memory the connection is lost. */
  | "endlessHeaders";

/** What the implementation of a fault needs. */
interface FaultContext {
  /** Makes the response without the fault. */
  readonly respond: () => EmulatedResponse | Promise<EmulatedResponse>;
  readonly now: number;
  readonly sleep: Runtime["sleep"];
  readonly signal: AbortSignal;
  readonly connection: RawConnection | undefined;
}

const DRIP_INTERVAL_MS = 100;
const HANG_STEP_MS = 60_000;
const HEADER_INTERVAL_MS = 1;
const OVERSIZED_BYTES = 70_000;
const HTML: EmulatedResponse = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<!DOCTYPE html><title>Sign in</title>",
};

const NAMED_FAULTS: Readonly<Record<FaultName, (context: FaultContext) => Response | Promise<Response>>> = {
  async hang({ sleep, signal }) {
    for (;;) await sleep(HANG_STEP_MS, signal);
  },
  reset: () => Promise.reject(connectionLost()),
  async truncated({ respond, now }) {
    const { body = "", ...response } = await respond();
    return cut(toResponse({ ...response, body }, now), Math.ceil(body.length / 2));
  },
  drip: ({ sleep, signal }) => new Response(drip(sleep, signal)),
  html: ({ now }) => toResponse(HTML, now),
  oversized: ({ now }) => toResponse({ status: 200, body: "x".repeat(OVERSIZED_BYTES) }, now),
  binary: () => new Response(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])),
  redirect: ({ now }) => toResponse({ status: 302, headers: { location: "/redirected" } }, now),
  throttled: ({ now }) => toResponse({ status: 429, headers: { "retry-after": "1" } }, now),
  async gzip({ respond, now }) {
    const { status, headers, body } = toResponse(await respond(), now);
    headers.delete("content-length");
    headers.set("content-encoding", "gzip");
    return new Response(body?.pipeThrough(new CompressionStream("gzip")) ?? null, { status, headers });
  },
  async wrongLength({ respond, now }) {
    const { body = "", ...response } = await respond();
    const headers = { ...response.headers, "content-length": `${Math.floor(body.length / 2)}` };
    return toResponse({ ...response, headers, body }, now);
  },
  async closed({ respond, now, connection }) {
    connection?.closeAfterResponse();
    return toResponse(await respond(), now);
  },
  async endlessHeaders({ sleep, signal, connection }) {
    if (connection === undefined) throw connectionLost();
    const encoder = new TextEncoder();
    connection.write(encoder.encode("HTTP/1.1 200 OK\r\n"));
    for (let count = 0;; count++) {
      connection.write(encoder.encode(`x-endless-${count}: ${"x".repeat(1_000)}\r\n`));
      await sleep(HEADER_INTERVAL_MS, signal);
    }
  },
};

/**
 * Responds as the fault says; may never settle.
 *
 * @throws {TypeError} For a lost connection, as `fetch` does.
 */
export async function faultyResponse(fault: Fault, context: FaultContext): Promise<Response> {
  if (typeof fault === "string") return await NAMED_FAULTS[fault](context);
  if ("status" in fault) return toResponse(fault, context.now);
  if ("delayMs" in fault) {
    await context.sleep(fault.delayMs, context.signal);
    return toResponse(await context.respond(), context.now + fault.delayMs);
  }
  const { body = "", ...response } = await context.respond();
  if ("rewrite" in fault) return toResponse({ ...response, body: fault.rewrite(body) }, context.now);
  return await cut(toResponse({ ...response, body }, context.now), fault.cutAfter);
}

async function cut(response: Response, length: number): Promise<Response> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes.subarray(0, length)),
    pull: (controller) => controller.error(connectionLost()),
  }, { highWaterMark: 0 });
  return new Response(body, response);
}

function drip(sleep: Runtime["sleep"], signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await sleep(DRIP_INTERVAL_MS, signal);
      controller.enqueue(new Uint8Array([0x20]));
    },
  }, { highWaterMark: 0 });
}

function connectionLost(): TypeError {
  return new TypeError("The emulator ended the connection");
}
