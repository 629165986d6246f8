import type { Runtime } from "../runtime.ts";

/** A way for the emulator to misbehave in place of its answer. */
export type ImdsFault =
  /** No answer at all. */
  | "hang"
  /** The connection ends before the answer. */
  | "reset"
  /** Half of the answer, then the connection ends. */
  | "truncated"
  /** The headers at once, then one byte every 100 ms, without end. */
  | "drip"
  /** A web page with status 200, as a captive portal sends it. */
  | "html"
  /** 70,000 bytes. */
  | "oversized"
  /** Bytes that are not UTF-8. */
  | "binary"
  /** A redirect to another path of the emulator that would answer. */
  | "redirect"
  /** What Azure's metadata service says to a request made for EC2's. */
  | "azure"
  /** 429 with `Retry-After: 1`. */
  | "throttled"
  /** Answers to token requests are lost, all others arrive: a container behind hop limit 1. */
  | "hopLimit"
  /** Any answer. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

/** Which requests a fault hits: those for the token, the role list, the role document, or all. */
export type FaultScope = "token" | "list" | "document" | "any";

const DRIP_INTERVAL_MS = 100;
const HANG_STEP_MS = 60_000;
const OVERSIZED_BYTES = 70_000;

/**
 * The answer that a fault makes of a good one.
 *
 * @throws {TypeError} For a lost connection, as `fetch` does.
 */
export async function faultyAnswer(
  fault: Exclude<ImdsFault, "hopLimit">,
  good: () => Response,
  sleep: Runtime["sleep"],
  signal: AbortSignal,
): Promise<Response> {
  if (typeof fault === "object") return new Response(fault.body ?? null, fault);
  switch (fault) {
    case "hang":
      for (;;) await sleep(HANG_STEP_MS, signal);
    case "reset":
      throw new TypeError("The emulator ended the connection");
    case "truncated":
      return await truncated(good());
    case "drip":
      return new Response(drip(sleep, signal));
    case "html":
      return new Response("<!DOCTYPE html><title>Sign in</title>", { headers: { "content-type": "text/html" } });
    case "oversized":
      return new Response("x".repeat(OVERSIZED_BYTES));
    case "binary":
      return new Response(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]));
    case "redirect":
      return new Response(null, { status: 302, headers: { location: "/latest/meta-data/instance-id" } });
    case "azure":
      return Response.json({ error: "Bad request. Required metadata header not specified" }, { status: 400 });
    case "throttled":
      return new Response(null, { status: 429, headers: { "retry-after": "1" } });
  }
}

async function truncated(answer: Response): Promise<Response> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes.subarray(0, Math.ceil(bytes.length / 2))),
    pull: (controller) => controller.error(new TypeError("The emulator ended the connection")),
  }, { highWaterMark: 0 });
  const { status, headers } = answer;
  return new Response(body, {
    status,
    headers: { ...Object.fromEntries(headers), "content-length": `${bytes.length}` },
  });
}

function drip(sleep: Runtime["sleep"], signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await sleep(DRIP_INTERVAL_MS, signal);
      controller.enqueue(new Uint8Array([0x20]));
    },
  }, { highWaterMark: 0 });
}
