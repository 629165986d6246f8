import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, fromInstanceMetadata, InstanceMetadataProvider } from "../../mod.ts";
import { ImdsEmulator, type ServedEmulator, serveEmulator } from "../../lib/testing/mod.ts";
import { detectRuntime } from "../../lib/runtime/detect.ts";
import { wireLog } from "../support/wire_log.ts";

const NO_ENVIRONMENT = { env: () => undefined, homeDirectory: () => undefined };
const ONE_TRY = { maxRetries: 0, runtime: NO_ENVIRONMENT } as const;
const COLD_START = ["PUT token 200", "GET v2 list 200", "GET v2 document emulated-role 200"];

let server: ServedEmulator | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(emulator: ImdsEmulator, options = {}): Promise<string> {
  server = await serveEmulator(emulator, options);
  return server.endpoint;
}

async function failure(promise: Promise<unknown>): Promise<CredentialsProviderError> {
  return await assertRejects(() => promise, CredentialsProviderError);
}

describe("over a real connection", () => {
  it("fromInstanceMetadata() takes three requests, when a thousand callers start at once", async () => {
    const emulator = new ImdsEmulator();
    const provider = fromInstanceMetadata({ endpoint: await serve(emulator), runtime: NO_ENVIRONMENT });
    await Promise.all(Array.from({ length: 1_000 }, () => provider()));
    assertEquals(wireLog(emulator), COLD_START);
    await provider({ forceRefresh: true });
    assertEquals(wireLog(emulator).slice(3), ["GET v2 document emulated-role 200"]);
  });

  it("the endpoint may be an IPv6 address", async () => {
    const emulator = new ImdsEmulator();
    const endpoint = await serve(emulator, { ipv6: true });
    await fromInstanceMetadata({ endpoint, runtime: NO_ENVIRONMENT })();
    assert(endpoint.startsWith("http://[::1]:"));
    assertEquals(wireLog(emulator), COLD_START);
  });

  it("the token request says Content-Length: 0, and who asks", async () => {
    const emulator = new ImdsEmulator();
    await fromInstanceMetadata({ endpoint: await serve(emulator), runtime: NO_ENVIRONMENT })();
    const headers: Readonly<Record<string, string>> = emulator.requests[0]?.headers ?? {};
    assertEquals(headers["content-length"], "0");
    assertEquals(headers["x-aws-ec2-metadata-token-ttl-seconds"], "21600");
    assert(headers["user-agent"]?.startsWith("rolecreds-aws/"));
    assertEquals(headers["x-forwarded-for"], undefined);
  });

  it("a refused connection is ImdsUnreachable", async () => {
    const endpoint = await serve(new ImdsEmulator());
    await server?.close();
    const error = await failure(new InstanceMetadataProvider({ endpoint, ...ONE_TRY }).retrieve());
    assertEquals([error.code, error.tryNextLink], ["ImdsUnreachable", true]);
    assert(error.message.includes(new URL(endpoint).host), error.message);
  });

  const lost = [
    ["reset", "token", "ImdsUnreachable"],
    ["reset", "document", "ImdsUnreachable"],
    ["truncated", "token", "ImdsUnreachable"],
    ["truncated", "document", "ImdsUnreachable"],
    ["oversized", "document", "ImdsInvalidResponse"],
    ["binary", "document", "ImdsInvalidResponse"],
    ["html", "list", "ImdsInvalidResponse"],
    ["azure", "token", "ImdsTokenError"],
    ["redirect", "document", "ImdsHttpError"],
  ] as const;
  for (const [fault, on, code] of lost) {
    it(`${fault} in place of the ${on} is ${code}`, async () => {
      const emulator = new ImdsEmulator();
      const provider = new InstanceMetadataProvider({ endpoint: await serve(emulator), ...ONE_TRY });
      emulator.inject(fault, { on, times: Infinity });
      assertEquals((await failure(provider.retrieve())).code, code);
      assert(!emulator.requests.some(({ path }) => path === "/redirected"), "followed the redirect");
      emulator.recover();
      await provider.retrieve();
    });
  }

  for (const fault of ["hang", "drip"] as const) {
    it(`${fault} ends with the timeout, and the next retrieval works`, async () => {
      const emulator = new ImdsEmulator();
      const endpoint = await serve(emulator);
      const provider = new InstanceMetadataProvider({ endpoint, timeout: 250, ...ONE_TRY });
      await provider.retrieve();
      emulator.inject(fault, { on: "document", times: Infinity });
      const error = await failure(provider.retrieve());
      assertEquals(error.code, "ImdsUnreachable");
      assert(error.message.includes("within 250 ms"), error.message);
      emulator.recover();
      await provider.retrieve();
    });
  }

  it("a lost token answer is ImdsTokenTimeout, and names the hop limit", async () => {
    const emulator = new ImdsEmulator();
    const endpoint = await serve(emulator);
    emulator.inject("hopLimit", { times: Infinity });
    const error = await failure(new InstanceMetadataProvider({ endpoint, timeout: 100, ...ONE_TRY }).retrieve());
    assertEquals(error.code, "ImdsTokenTimeout");
    assert(error.hint?.includes("HttpPutResponseHopLimit"), error.hint);
  });

  it("aborting ends the wait at once", async () => {
    const emulator = new ImdsEmulator();
    const endpoint = await serve(emulator);
    emulator.inject("hang", { on: "document", times: Infinity });
    const controller = new AbortController();
    const provider = new InstanceMetadataProvider({ endpoint, timeout: 60_000, ...ONE_TRY });
    const retrieving = provider.retrieve({ signal: controller.signal });
    const aborter = setInterval(() => emulator.requests.length === 3 && controller.abort(), 5);
    assertEquals((await assertRejects(() => retrieving, DOMException)).name, "AbortError");
    clearInterval(aborter);
  });
});

describe("a stall of the event loop", () => {
  it("does not count as a timeout: the limit starts when the request is sent", async () => {
    const emulator = new ImdsEmulator();
    const endpoint = await serve(emulator);
    const { fetchDirect } = detectRuntime();
    let stalls = 1;
    const provider = new InstanceMetadataProvider({
      endpoint,
      timeout: 1_000,
      maxRetries: 0,
      runtime: {
        ...NO_ENVIRONMENT,
        fetchDirect(url, init) {
          const pending = fetchDirect(url, init);
          const stalled = performance.now() + 1_100 * stalls--;
          queueMicrotask(() => {
            while (performance.now() < stalled) { /* the program computes */ }
          });
          return pending;
        },
      },
    });
    await provider.retrieve();
    assertEquals(wireLog(emulator), COLD_START);
  });
});
