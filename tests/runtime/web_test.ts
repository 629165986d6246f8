import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { RequestNotSentError } from "../../lib/errors.ts";
import { webRuntime } from "../../lib/runtime/web.ts";
import { moduleUrl, runProgram } from "../support/run_program.ts";

describe("webRuntime()", () => {
  it("has no environment and no files", async () => {
    assertEquals(webRuntime().env("PATH"), undefined);
    assertEquals(await webRuntime().readTextFile("/etc/hosts"), undefined);
  });

  it("sleeps until the signal aborts, and leaves no timer", async () => {
    const controller = new AbortController();
    const sleeping = webRuntime().sleep(3_600_000, controller.signal);
    controller.abort();
    assertEquals((await assertRejects(() => sleeping, DOMException)).name, "AbortError");
    await assertRejects(() => webRuntime().sleep(3_600_000, controller.signal), DOMException);
    await webRuntime().sleep(0);
  });

  const limits = [
    [1_500.5, 1_501],
    [2_009.9999999999998, 2_010],
    [0.2, 1],
    [1_000, 1_000],
    [2_147_483_647, 2_147_483_647],
    [3e9, 2_147_483_647],
    [Infinity, 2_147_483_647],
  ] as const;
  for (const [ms, expected] of limits) {
    it(`waits ${expected} ms for ${ms}: timers take whole numbers of 31 bits`, async () => {
      const asked: unknown[] = [];
      const before = { timeout: AbortSignal.timeout, setTimeout: globalThis.setTimeout };
      AbortSignal.timeout = (delay) => {
        asked.push(delay);
        return new AbortController().signal;
      };
      const setTimeout = (fire: () => void, delay?: number) => {
        if (delay !== undefined) asked.push(delay); // without one it waits for the event loop to turn
        queueMicrotask(fire);
      };
      Object.assign(globalThis, { setTimeout });
      try {
        webRuntime().timeout(ms);
        await webRuntime().sleep(ms);
      } finally {
        AbortSignal.timeout = before.timeout;
        globalThis.setTimeout = before.setTimeout;
      }
      assertEquals(asked, [expected, expected]);
    });
  }
});

describe("webRuntime().fetch()", () => {
  const before = { fetch: globalThis.fetch, Request: globalThis.Request };
  let sent: RequestInit[];
  beforeEach(() => {
    sent = [];
    globalThis.fetch = (_, init) => {
      sent.push(init ?? {});
      return Promise.resolve(new Response());
    };
  });
  afterEach(() => void Object.assign(globalThis, before));

  it("hands on what it is given", async () => {
    await webRuntime().fetch("http://localhost", { method: "PUT", cache: "no-store" });
    assertEquals(sent, [{ method: "PUT", cache: "no-store" }]);
  });

  it("refuses where there is no fetch, and says what to do", async () => {
    Object.assign(globalThis, { fetch: undefined });
    const error = await assertRejects(() => webRuntime().fetchDirect("http://localhost", {}), RequestNotSentError);
    assertEquals([error.reason, error.message], ["unsupported", "there is no global fetch"]);
    assert(error.hint.includes("runtime: { fetch }"), error.hint);
  });

  it("leaves out the cache option where the runtime throws on it, as workerd did before 2024-11-11", async () => {
    const code = `
      globalThis.Request = class { constructor(_, { cache }) { if (cache) throw new Error("not implemented"); } };
      globalThis.fetch = (_, init) => Promise.resolve(new Response(JSON.stringify(init)));
      const { webRuntime } = await import("${moduleUrl("lib/runtime/web.ts")}");
      const response = await webRuntime().fetch("http://localhost", { method: "PUT", cache: "no-store" });
      console.log(await response.text());`;
    assertEquals((await runProgram(code)).stdout.trim(), `{"method":"PUT"}`);
  });
});
