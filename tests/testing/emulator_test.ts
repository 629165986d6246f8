import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect } from "node:net";
import {
  type EmulatedRequest,
  type EmulatedResponse,
  Emulator,
  type EmulatorOptions,
  type Fault,
  type ReceivedRequest,
  serveEmulator,
} from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";

const ORIGIN = "http://echo.test";
const BODY = "0123456789";

/** A service with two steps that counts its responses. */
class CountEmulator extends Emulator<"get" | "put"> {
  responses = 0;

  constructor(options: EmulatorOptions = {}) {
    super("CNT", options);
  }

  protected override stepOf({ method }: ReceivedRequest): "get" | "put" {
    return method === "PUT" ? "put" : "get";
  }

  protected override respond({ body }: EmulatedRequest): EmulatedResponse {
    this.responses++;
    return { status: 200, headers: { "content-type": "text/plain" }, body: body === "" ? BODY : body };
  }

  issueFor(seconds: number): string {
    return this.issue(seconds).accessKeyId;
  }
}

/** What a client sees: the status and the body, or "lost" in place of what does not arrive. */
async function outcome(sent: Promise<Response>): Promise<string> {
  const response = await sent.catch(() => undefined);
  if (response === undefined) return "lost";
  const text = await response.arrayBuffer().then(
    (bytes) => String.fromCharCode(...new Uint8Array(bytes)),
    () => "lost",
  );
  return `${response.status} ${text.length > 40 ? text.length : text}`.trim();
}

async function inMemory(fault: Fault): Promise<string> {
  const runtime = new FakeRuntime();
  const emulator = new CountEmulator({ runtime });
  emulator.inject(fault, { times: Infinity });
  return await outcome(emulator.fetch(ORIGIN, { signal: runtime.timeout(1_000) }));
}

async function overSocket(fault: Fault): Promise<string> {
  const emulator = new CountEmulator();
  emulator.inject(fault, { times: Infinity }); // Deno sends a request again by itself, when the connection is lost
  const { endpoint, close } = await serveEmulator(emulator);
  try {
    return await outcome(fetch(endpoint, { redirect: "manual", signal: AbortSignal.timeout(500) }));
  } finally {
    await close();
  }
}

const GZIPPED = "200 \x1f\x8b";
const SAME = [
  ["hang", "lost"],
  ["reset", "lost"],
  ["drip", "200 lost"],
  ["html", "200 <!DOCTYPE html><title>Sign in</title>"],
  ["oversized", "200 70000"],
  ["binary", "200 {\xff\xfe}"],
  ["redirect", "302"],
  ["throttled", "429"],
  ["closed", `200 ${BODY}`],
  ["endlessHeaders", "lost"],
  [{ status: 503, body: "later" }, "503 later"],
  [{ status: 204 }, "204"],
  [{ delayMs: 20 }, `200 ${BODY}`],
] as const;

describe("a fault", () => {
  for (const [fault, expected] of SAME) {
    it(`${JSON.stringify(fault)} is "${expected}" in memory and over a socket`, async () => {
      assertEquals([await inMemory(fault), await overSocket(fault)], [expected, expected]);
    });
  }

  it("truncated loses the body; a runtime may report the response as lost, too", async () => {
    assertEquals(await inMemory("truncated"), "200 lost");
    assertMatch(await overSocket("truncated"), /^(200 )?lost$/);
  });

  it("cutAfter loses the rest of the body, wherever it is cut", async () => {
    for (const cutAfter of [0, 1, BODY.length - 1]) {
      assertEquals(await inMemory({ cutAfter }), "200 lost");
      assertMatch(await overSocket({ cutAfter }), /^(200 )?lost$/);
    }
  });

  it("rewrite changes the body, and the length with it", async () => {
    const fault = { rewrite: (body: string) => body.repeat(2) };
    assertEquals([await inMemory(fault), await overSocket(fault)], [`200 ${BODY}${BODY}`, `200 ${BODY}${BODY}`]);
  });

  it("gzip is packed in memory, and unpacked by the fetch of each runtime", async () => {
    assertEquals([(await inMemory("gzip")).slice(0, GZIPPED.length), await overSocket("gzip")], [
      GZIPPED,
      `200 ${BODY}`,
    ]);
  });

  it("wrongLength hides half of the body over a socket", async () => {
    assertEquals([await inMemory("wrongLength"), await overSocket("wrongLength")], [`200 ${BODY}`, "200 01234"]);
  });

  it("closed ends a connection that was to be kept", async () => {
    const emulator = new CountEmulator();
    emulator.inject("closed");
    const { endpoint, close } = await serveEmulator(emulator);
    const received = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(Number(new URL(endpoint).port), "127.0.0.1");
      socket.on("data", (chunk) => text += chunk).once("end", () => resolve(text));
      socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    });
    await close();
    assert(received.endsWith(BODY) && !/connection:/i.test(received), received);
  });

  it("redirect leads to a response with status 200", async () => {
    const emulator = new CountEmulator();
    emulator.inject("redirect");
    const { endpoint, close } = await serveEmulator(emulator);
    assertEquals(await outcome(fetch(endpoint)), "200 redirected");
    await close();
    assertEquals(emulator.requests.map(({ path, status }) => [path, status]), [["/", 302], ["/redirected", 200]]);
  });

  it("delayMs passes before the response is made", async () => {
    const runtime = new FakeRuntime();
    const emulator = new CountEmulator({ runtime });
    emulator.inject({ delayMs: 5_000 });
    assertEquals(await outcome(emulator.fetch(ORIGIN)), `200 ${BODY}`);
    assertEquals(runtime.slept, [5_000]);
  });

  for (const fault of ["hang", "reset", "html", "throttled"] as const) {
    it(`${fault} has no effect on the service`, async () => {
      const runtime = new FakeRuntime();
      const emulator = new CountEmulator({ runtime });
      emulator.inject(fault);
      await outcome(emulator.fetch(ORIGIN, { signal: runtime.timeout(1_000) }));
      assertEquals(emulator.responses, 0);
    });
  }
});

describe("Emulator", () => {
  it("uses faults up in the order in which they were injected, each for its step", async () => {
    const emulator = new CountEmulator();
    emulator.inject({ status: 500 }, { on: "get", times: 2 });
    emulator.inject({ status: 503 });
    const methods = ["GET", "PUT", "GET", "GET"];
    const statuses = [];
    for (const method of methods) statuses.push((await emulator.fetch(ORIGIN, { method })).status);
    assertEquals(statuses, [500, 503, 500, 200]);
  });

  it("ends all faults with recover()", async () => {
    const emulator = new CountEmulator();
    emulator.inject("html", { times: Infinity });
    assertEquals((await outcome(emulator.fetch(ORIGIN))).slice(0, 7), "200 <!D");
    emulator.recover();
    assertEquals(await outcome(emulator.fetch(ORIGIN)), `200 ${BODY}`);
  });

  it("logs each request, with the status of its response", async () => {
    const emulator = new CountEmulator();
    emulator.inject("reset", { on: "put" });
    const headers = { "X-Name": "value" };
    await assertRejects(() => emulator.fetch(`${ORIGIN}/a?b=c`, { method: "PUT", body: "text", headers }), TypeError);
    await emulator.fetch(`${ORIGIN}/d`);
    const [put, get] = emulator.requests;
    const { method, url, path, body, step, status } = put!;
    assertEquals([method, url, path, body, step, status], ["PUT", `${ORIGIN}/a?b=c`, "/a", "text", "put", 0]);
    assertEquals(put?.headers["x-name"], "value");
    assertEquals([get?.method, get?.path, get?.body, get?.step, get?.status], ["GET", "/d", "", "get", 200]);
  });

  it("logs a request before its response", async () => {
    const runtime = new FakeRuntime();
    const emulator = new CountEmulator({ runtime });
    emulator.inject("hang");
    await assertRejects(() => emulator.fetch(ORIGIN, { signal: runtime.timeout(1_000) }), DOMException, "deadline");
    assertEquals(emulator.requests.map(({ status }) => status), [0]);
  });

  it("responds to a Request", async () => {
    const emulator = new CountEmulator();
    const request = new Request(ORIGIN, { method: "PUT", body: "text" });
    assertEquals(await outcome(emulator.fetch(request)), "200 text");
  });

  it("has a clock of its own, which the Date header tells", async () => {
    const runtime = new FakeRuntime();
    const emulator = new CountEmulator({ runtime, skewMs: 600_000 });
    const response = await emulator.fetch(ORIGIN);
    assertEquals(Date.parse(response.headers.get("date") ?? ""), runtime.time + 600_000);
  });

  it("declares the length of its responses in bytes", async () => {
    const emulator = new CountEmulator();
    const response = await emulator.fetch(ORIGIN, { method: "PUT", body: "ä" });
    assertEquals(response.headers.get("content-length"), "2");
  });

  it("remembers the credentials it issued", () => {
    const runtime = new FakeRuntime();
    const emulator = new CountEmulator({ runtime });
    const ids = [emulator.issueFor(900), emulator.issueFor(60)];
    assertEquals(ids, ["ASIAEMULATEDCNT00001", "ASIAEMULATEDCNT00002"]);
    assertEquals([...emulator.issued.keys()], ids);
    assertEquals(emulator.issued.get(ids[1]!), {
      accessKeyId: "ASIAEMULATEDCNT00002",
      secretAccessKey: "emulated-cnt-secret-access-key-2",
      sessionToken: "emulated-cnt-session-token-2",
      issuedAt: runtime.time,
      expiresAt: runtime.time + 60_000,
    });
  });
});
