import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { RefusedRequest } from "../../lib/errors.ts";
import type { NodeProcess } from "../../lib/runtime/builtin.ts";
import { bunRuntime } from "../../lib/runtime/bun.ts";
import { type DenoNamespace, denoRuntime } from "../../lib/runtime/deno.ts";
import { detectRuntime } from "../../lib/runtime/detect.ts";
import { nodeRuntime } from "../../lib/runtime/node.ts";
import { webRuntime } from "../../lib/runtime/web.ts";

const URL_V4 = "http://169.254.169.254/latest/api/token";
const PROXY = { http_proxy: "http://proxy.example:3128" };

describe("detectRuntime()", () => {
  let folder: string;
  beforeEach(() => folder = mkdtempSync(join(tmpdir(), "rolecreds-")));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("reads an environment variable, and undefined for one that is not set", () => {
    assertEquals(detectRuntime().env("PATH"), process.env["PATH"]);
    assertEquals(detectRuntime().env("ROLECREDS_NOT_SET"), undefined);
  });

  it("reads a file, and undefined where there is none", async () => {
    writeFileSync(join(folder, "config"), "[default]\nregion = eu-west-1 # ä\n");
    const { readTextFile } = detectRuntime();
    assertEquals(await readTextFile(join(folder, "config")), "[default]\nregion = eu-west-1 # ä\n");
    assertEquals(await readTextFile(join(folder, "none")), undefined);
    assertEquals(await readTextFile(join(folder, "none", "deeper")), undefined);
  });

  it("rejects, when a file is not UTF-8 or is a folder", async () => {
    writeFileSync(join(folder, "latin1"), new Uint8Array([0xe4, 0xf6]));
    await assertRejects(() => detectRuntime().readTextFile(join(folder, "latin1")));
    await assertRejects(() => detectRuntime().readTextFile(folder));
  });

  it("takes the parts it is given", () => {
    assertEquals(detectRuntime({ now: () => 7 }).now(), 7);
  });

  it("sleeps until the signal aborts, and leaves no timer", async () => {
    const controller = new AbortController();
    const sleeping = detectRuntime().sleep(3_600_000, controller.signal);
    controller.abort();
    assertEquals((await assertRejects(() => sleeping, DOMException)).name, "AbortError");
    await assertRejects(() => detectRuntime().sleep(3_600_000, controller.signal), DOMException);
    await detectRuntime().sleep(0);
  });
});

describe("webRuntime()", () => {
  it("has no environment and no files", async () => {
    assertEquals(webRuntime().env("PATH"), undefined);
    assertEquals(await webRuntime().readTextFile("/etc/hosts"), undefined);
  });
});

function fakeProcess(versions: Record<string, string>, env: Record<string, string>, execArgv: string[] = []) {
  return { versions, env, execArgv, getBuiltinModule: process.getBuiltinModule } as unknown as NodeProcess;
}

async function refusal(send: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(send, RefusedRequest);
  assertEquals(error.reason, "proxy");
  return `${error.message}. ${error.hint}`;
}

describe("nodeRuntime()", () => {
  const node24 = { node: "24.21.0" };
  const cases = [
    ["NODE_USE_ENV_PROXY", fakeProcess(node24, { ...PROXY, NODE_USE_ENV_PROXY: "1" })],
    ["--use-env-proxy", fakeProcess(node24, PROXY, ["--use-env-proxy"])],
    ["NODE_OPTIONS", fakeProcess(node24, { ...PROXY, NODE_OPTIONS: "--enable-source-maps --use-env-proxy" })],
  ] as const;
  for (const [name, nodeProcess] of cases) {
    it(`refuses to send through the proxy that ${name} makes Node follow`, async () => {
      const text = await refusal(() => nodeRuntime(nodeProcess).fetchDirect(URL_V4, {}));
      assert(text.includes("http_proxy") && text.includes("NO_PROXY=169.254.169.254"), text);
      assert(!text.includes("proxy.example"), "the proxy's address may hold a password");
    });
  }

  for (const name of ["ProxyAgent", "EnvHttpProxyAgent"]) {
    it(`refuses to send through a global undici ${name}`, async () => {
      const key = Symbol.for("undici.globalDispatcher.1");
      const globals = globalThis as Record<symbol, unknown>;
      const before = globals[key];
      Object.defineProperty(globals, key, { value: { constructor: { name } }, configurable: true, writable: true });
      try {
        await refusal(() => nodeRuntime(fakeProcess(node24, PROXY)).fetchDirect(URL_V4, {}));
      } finally {
        Object.defineProperty(globals, key, { value: before, configurable: true, writable: true });
      }
    });
  }
});

describe("bunRuntime()", () => {
  for (const bun of ["1.4.4", "1.3.14", "0.9.9", "1.4.0-canary.1"]) {
    it(`refuses to send where a proxy applies, on Bun ${bun}`, async () => {
      const text = await refusal(() => bunRuntime(fakeProcess({ bun }, PROXY)).fetchDirect(URL_V4, {}));
      assert(text.includes("Bun") && text.includes("1.4.5"), text);
    });
  }
});

describe("denoRuntime()", () => {
  function fakeDeno(granted: readonly string[], env: Record<string, string> = {}, createHttpClient = () => ({})) {
    const touched: string[] = [];
    const deno = {
      build: { os: "linux" },
      permissions: {
        querySync: ({ name, variable, path, host }: Readonly<Record<string, string>>) => ({
          state: granted.includes(`${name}=${variable ?? path ?? host}`) || granted.includes(name ?? "")
            ? "granted"
            : "prompt",
        }),
      },
      env: {
        get(name: string) {
          touched.push(name);
          return env[name];
        },
      },
      readFile(path: string) {
        touched.push(path);
        return Promise.resolve(new Uint8Array([0x61]));
      },
      createHttpClient,
    };
    return { runtime: denoRuntime(deno as unknown as DenoNamespace), touched };
  }

  it("takes what is not granted for absent, without touching it", async () => {
    const { runtime, touched } = fakeDeno([], { HOME: "/home/me" });
    assertEquals(runtime.env("HOME"), undefined);
    assertEquals(await runtime.readTextFile("/home/me/.aws/config"), undefined);
    assertEquals(touched, []);
  });

  it("reads what is granted", async () => {
    const { runtime } = fakeDeno(["env=HOME", "read=/config"], { HOME: "/home/me" });
    assertEquals(runtime.env("HOME"), "/home/me");
    assertEquals(await runtime.readTextFile("/config"), "a");
  });

  it("names the flag, when it may not connect", async () => {
    const fetching = () => fakeDeno(["env"]).runtime.fetchDirect(URL_V4, {});
    const error = await assertRejects(fetching, RefusedRequest);
    assertEquals([error.reason, error.hint], ["permission", "Start Deno with --allow-net=169.254.169.254:80."]);
  });

  function older(): never {
    throw new TypeError("Invalid value for proxy.transport");
  }

  it("refuses where a proxy applies, on a Deno that cannot go directly", async () => {
    const fetching = () => fakeDeno(["env", "net"], PROXY, older).runtime.fetchDirect(URL_V4, {});
    const error = await assertRejects(fetching, RefusedRequest);
    assertEquals(error.reason, "proxy");
    assert(error.message.includes("http_proxy"), error.message);
  });

  it("refuses where a proxy may apply unseen, on a Deno that cannot go directly", async () => {
    const fetching = () => fakeDeno(["net"], PROXY, older).runtime.fetchDirect(URL_V4, {});
    assertEquals((await assertRejects(fetching, RefusedRequest)).reason, "proxy");
  });
});
