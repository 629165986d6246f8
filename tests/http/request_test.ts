import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { createServer, type Server, type Socket } from "node:net";
import { RequestNotSentError } from "../../lib/errors.ts";
import { type HttpRequest, type Outcome, type RequestRuntime, sendOnce } from "../../lib/http/request.ts";
import { HttpClient } from "../../lib/http/retry.ts";
import { detectRuntime } from "../../lib/runtime/detect.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";

const CANARY = "canary-secret";
const LIMITS = { timeoutMs: 1_000, connectTimeoutMs: 1_000 };
const GET: HttpRequest = { method: "GET", url: "http://127.0.0.1/", headers: {} };

function respondWith(respond: RequestRuntime["send"]): RequestRuntime {
  const { now, timeout } = new FakeRuntime();
  return { now, timeout, send: respond };
}

function chunked(...chunks: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
}

function once(response: Response, request: Partial<HttpRequest> = {}): Promise<Outcome> {
  return sendOnce({ ...GET, ...request }, LIMITS, respondWith(() => Promise.resolve(response)), undefined);
}

describe("sendOnce()", () => {
  it("keeps the response out of every HTTP cache, also that of Next.js, and follows no redirect", async () => {
    const sent: (RequestInit & { next?: unknown })[] = [];
    const runtime = respondWith((_url, init) => {
      sent.push(init);
      return Promise.resolve(new Response("ok"));
    });
    await sendOnce(GET, LIMITS, runtime, undefined);
    const [{ cache, next, redirect } = {}] = sent;
    assertEquals({ cache, next, redirect }, { cache: "no-store", next: { internal: true }, redirect: "manual" });
  });

  it("sends nothing for a signal that aborted before", async () => {
    const runtime = respondWith(() => Promise.reject(new Error("sent all the same")));
    const reason = new Error("gave up");
    assertEquals(await sendOnce(GET, LIMITS, runtime, AbortSignal.abort(reason)).catch((error) => error), reason);
  });

  const bodies: readonly (readonly [name: string, response: () => Response, outcome: Partial<Outcome>])[] = [
    ["a body with a length", () => new Response("abc", { headers: { "content-length": "3" } }), { body: "abc" }],
    ["a body in chunks", () => new Response(chunked("a", "b", "ä")), { body: "abä" }],
    ["no body", () => new Response(null), { body: "" }],
    ["a body of 64 KiB", () => new Response(chunked("x".repeat(65_535), "y")), { body: `${"x".repeat(65_535)}y` }],
    ["a body of one byte more", () => new Response(chunked("x".repeat(65_536), "y")), {
      kind: "invalidBody",
      status: 200,
      state: "it is longer than 64 KiB",
    }],
    ["a longer body with a length", () => {
      return new Response("x".repeat(65_537), { headers: { "content-length": "65537" } });
    }, { kind: "invalidBody", status: 200, state: "it is longer than 64 KiB" }],
    ["a compressed body that expands", () => {
      const headers = { "content-length": "10", "content-encoding": "gzip" };
      return new Response(chunked("x".repeat(70_000)), { headers });
    }, { kind: "invalidBody", status: 200, state: "it is longer than 64 KiB" }],
    ["bytes that are not UTF-8", () => new Response(new Uint8Array([0x61, 0xff])), {
      kind: "invalidBody",
      status: 200,
      state: "it is not UTF-8",
    }],
  ];
  for (const [name, response, outcome] of bodies) {
    it(`reads ${name}`, async () => {
      const actual = await once(response()) as unknown as Record<string, unknown>;
      for (const [key, value] of Object.entries(outcome)) assertEquals(actual[key], value, key);
    });
  }

  it("discards the body of an error response, unless readErrorBody is set", async () => {
    const response = () => new Response(chunked("denied"), { status: 403 });
    assertEquals((await once(response()) as { body: string }).body, "");
    assertEquals((await once(response(), { readErrorBody: true }) as { body: string }).body, "denied");
  });

  it("cuts the body of an error response, and replaces what is not UTF-8", async () => {
    const long = new Response(chunked("x".repeat(70_000)), { status: 500 });
    assertEquals((await once(long, { readErrorBody: true }) as { body: string }).body.length, 65_536);
    const binary = new Response(new Uint8Array([0x61, 0xff]), { status: 500 });
    assertEquals((await once(binary, { readErrorBody: true }) as { body: string }).body, "a\ufffd");
  });

  it("reports a request that the runtime does not send", async () => {
    const error = new RequestNotSentError("proxy", "a proxy applies", "Unset it.");
    assertEquals(await sendOnce(GET, LIMITS, respondWith(() => Promise.reject(error)), undefined), {
      kind: "notSent",
      error,
    });
  });

  it("keeps the code of a failed connection and none of its text", async () => {
    const parserError = Object.assign(new Error(CANARY), { code: "HPE_INVALID_CONSTANT", data: CANARY });
    const failed = new TypeError(`fetch failed ${CANARY}`, { cause: parserError });
    const outcome = await sendOnce(GET, LIMITS, respondWith(() => Promise.reject(failed)), undefined);
    assert(outcome.kind === "unreachable");
    assertEquals(outcome.cause.message, "the connection failed (HPE_INVALID_CONSTANT)");
    assert(!printed(outcome).join().includes(CANARY));
  });

  it("keeps no code that could be foreign text", async () => {
    for (const code of [`${CANARY} x`, 7, { CANARY }, "x".repeat(41)]) {
      const failed = Object.assign(new Error(), { code });
      const outcome = await sendOnce(GET, LIMITS, respondWith(() => Promise.reject(failed)), undefined);
      assertEquals((outcome as { cause: Error }).cause.message, "the connection failed");
    }
  });
});

describe("over a raw connection", () => {
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await new Promise((resolve) => server === undefined ? resolve(0) : server.close(resolve));
    server = undefined;
  });

  /** Listens, and calls back for each request head. */
  async function listen(onRequest: (socket: Socket, number: number) => void): Promise<string> {
    let requests = 0;
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {/* the client ended the connection */});
      socket.on("data", () => onRequest(socket, ++requests));
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  }

  function client(): HttpClient {
    const runtime = detectRuntime();
    return new HttpClient({ ...runtime, send: runtime.fetchDirect });
  }

  const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const once = { limits: { timeoutMs: 10_000, connectTimeoutMs: 10_000 }, nextDelayMs: () => undefined };

  it("quotes nothing of a response that is not HTTP", async () => {
    const url = await listen((socket) => socket.end(`${CANARY}\r\n${CANARY}: ${CANARY}\r\n\r\n`));
    const { outcome } = await client().send({ ...GET, url }, once);
    assert(outcome.kind === "unreachable");
    assert(!printed(outcome).join().includes(CANARY), printed(outcome).join());
  });

  it("sends a request once more, when a keep-alive connection is closed before the response", async () => {
    const requests: number[] = [];
    const url = await listen((socket, number) => {
      requests.push(number);
      if (number === 2) socket.destroy();
      else socket.write(OK);
    });
    const http = client();
    assertEquals((await http.send({ ...GET, url }, once)).outcome.kind, "response");
    const { outcome, attempts } = await http.send({ ...GET, url }, once);
    assertEquals([outcome.kind, attempts, requests], ["response", 1, [1, 2, 3]]);
  });

  it("does not repeat the first request of a client, nor one after a failed request", async () => {
    const runtime = new FakeRuntime();
    let requests = 0;
    const send = () => {
      requests++;
      return Promise.reject(Object.assign(new Error(), { code: "ECONNRESET" }));
    };
    const http = new HttpClient({ ...runtime, send });
    for (const expected of [1, 2]) {
      const { outcome } = await http.send(GET, once);
      assertEquals([outcome.kind, requests], ["unreachable", expected]);
    }
  });

  it("creates the request for each attempt, when given a function", async () => {
    const runtime = new FakeRuntime();
    const urls: string[] = [];
    const send = (url: string) => {
      urls.push(url);
      return Promise.resolve(new Response(null, { status: 503 }));
    };
    let made = 0;
    const { attempts } = await new HttpClient({ ...runtime, send }).send(
      () => Promise.resolve({ ...GET, url: `${GET.url}${++made}` }),
      { limits: LIMITS, nextDelayMs: (_, retries) => retries === 0 ? 1 : undefined },
    );
    assertEquals([attempts, urls], [2, [`${GET.url}1`, `${GET.url}2`]]);
  });

  it("rejects with the reason, when the caller aborts between two attempts", async () => {
    const controller = new AbortController();
    const runtime = new FakeRuntime();
    const send = () => Promise.resolve(new Response(null, { status: 503 }));
    const sleep = () => {
      controller.abort(new Error("gave up"));
      return Promise.reject(controller.signal.reason);
    };
    const sending = new HttpClient({ ...runtime, send, sleep }).send(GET, {
      limits: LIMITS,
      nextDelayMs: () => 1,
      signal: controller.signal,
    });
    assertEquals((await assertRejects(() => sending, Error)).message, "gave up");
  });
});
