import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import process from "node:process";
import { listenOnLoopback, type LoopbackServer } from "../../lib/runtime/loopback.ts";
import { ImdsEmulator, type ServedEmulator, serveEmulator } from "../../lib/testing/mod.ts";
import { moduleUrl, runProgram, RUNTIME } from "../support/run_program.ts";

const EMPTY = { exitCode: 0, stdout: "", stderr: "" };

let emulator: ImdsEmulator;
let server: ServedEmulator;
let proxied: string[];
let proxy: LoopbackServer;

beforeEach(async () => {
  emulator = new ImdsEmulator();
  server = await serveEmulator(emulator);
  proxied = [];
  proxy = await listenOnLoopback((request) => {
    proxied.push(`${request.method} ${request.url}`);
    return Promise.resolve(new Response("captured", { status: 502 }));
  }, {});
});

afterEach(async () => {
  await server.close();
  await proxy.close();
});

function program(print = ""): string {
  return `import { fromInstanceMetadata } from "${moduleUrl("mod.ts")}";
    const provider = fromInstanceMetadata({ endpoint: "${server.endpoint}", maxRetries: 0 });
    ${print || "await provider();"}`;
}

const PRINT_CODE =
  `console.log(await provider().then(({ source }) => source, ({ code, hint }) => code + ": " + hint));`;

describe("a program of three lines", () => {
  it("exits by itself, once it has its credentials", async () => {
    assertEquals(await runProgram(program()), EMPTY);
    assertEquals(emulator.requests.length, 3);
  });

  it("exits by itself, when an import is all it does", async () => {
    assertEquals(await runProgram(`import "${moduleUrl("mod.ts")}";`, { denoFlags: ["--allow-read=/nothing"] }), EMPTY);
  });

  it("exits by itself, when an attempt hangs", async () => {
    emulator.inject("hang", { times: Infinity });
    const code = program(`await provider().catch(() => {});`);
    assertEquals(await runProgram(code.replace("maxRetries: 0", "maxRetries: 0, timeout: 100")), EMPTY);
  });
});

describe("a proxy variable", () => {
  for (const name of ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]) {
    it(`${name} captures no metadata request`, async () => {
      const { stdout } = await runProgram(program(PRINT_CODE), { env: { [name]: proxy.origin } });
      assertEquals([stdout.trim(), proxied], ["EC2RoleProvider", []]);
    });
  }

  it("captures no metadata request in Deno, when it may not be read there", async () => {
    const denoFlags = [`--allow-net=${new URL(server.endpoint).host}`];
    const { stdout, stderr } = await runProgram(program(PRINT_CODE), { env: { http_proxy: proxy.origin }, denoFlags });
    assertEquals([stdout.trim(), stderr, proxied], ["EC2RoleProvider", "", []]);
  });

  it("is refused before anything is sent, where Node follows it", async () => {
    const env = { http_proxy: proxy.origin, NODE_USE_ENV_PROXY: "1" };
    const { stdout } = await runProgram(program(PRINT_CODE), { env });
    const follows = RUNTIME === "node" && !process.versions.node.startsWith("20.");
    const refusal = "ImdsProxyError: Add 127.0.0.1 to NO_PROXY, and to no_proxy where it is set.";
    assertEquals([stdout.trim(), proxied], [follows ? refusal : "EC2RoleProvider", []]);
  });

  it("is no matter, where NO_PROXY exempts the host", async () => {
    const env = { http_proxy: proxy.origin, NO_PROXY: "127.0.0.1", NODE_USE_ENV_PROXY: "1" };
    const { stdout } = await runProgram(program(PRINT_CODE), { env });
    assertEquals([stdout.trim(), proxied], ["EC2RoleProvider", []]);
  });
});

describe("a runtime that lacks", () => {
  const print =
    `console.log(JSON.stringify(await provider().then(({ source }) => source, ({ code, message }) => [code, message])));`;

  it("fetch fails the first call with one clear error, and is not asked again", async () => {
    const code = `delete globalThis.fetch;
      const { fromInstanceMetadata } = await import("${moduleUrl("mod.ts")}");
      const provider = fromInstanceMetadata({ runtime: { sleep: () => Promise.reject(new Error("it retried")) } });
      ${print}`;
    assertEquals(JSON.parse((await runProgram(code)).stdout), [
      "ConfigurationError",
      "Cannot get an IMDSv2 token: there is no global fetch",
    ]);
  });

  // As in the Edge runtime of Next.js.
  it("process.versions retrieves with fetch, and says that it starts no processes", async () => {
    const code = `const env = {}, getBuiltinModule = () => undefined;
      Reflect.deleteProperty(globalThis, "Deno");
      Object.defineProperty(globalThis, "process", { value: { env, getBuiltinModule } });
      const { fromInstanceMetadata, fromProcess } = await import("${moduleUrl("mod.ts")}");
      let provider = fromInstanceMetadata({ endpoint: "${server.endpoint}" });
      ${print}
      provider = fromProcess({ command: ["/bin/true"] });
      ${print}`;
    const { stdout, stderr } = await runProgram(code);
    assertEquals([stdout.trim().split("\n").map((line) => JSON.parse(line)), stderr], [[
      "EC2RoleProvider",
      ["ProcessProviderExecutionError", "Cannot run the credential process: this runtime cannot start processes"],
    ], ""]);
  });
});
