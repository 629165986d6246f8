import { assert, assertEquals, assertFalse, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, InstanceMetadataProvider } from "../../mod.ts";
import type { InstanceMetadataProviderOptions } from "../../mod.ts";
import { ImdsEmulator, type ImdsEmulatorOptions, type ImdsFault } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";

function setUp(options: InstanceMetadataProviderOptions = {}, emulated: ImdsEmulatorOptions = {}) {
  const runtime = new FakeRuntime();
  const emulator = new ImdsEmulator({ ...emulated, runtime });
  runtime.answer = emulator.fetch;
  return { runtime, emulator, provider: new InstanceMetadataProvider({ ...options, runtime }) };
}

function withoutRole(): Error & { statusCode: number } {
  return Object.assign(new Error("no such item"), { statusCode: 404 });
}

describe("InstanceMetadataProvider", () => {
  it("names the role, once it knows it", async () => {
    const { provider } = setUp({}, { role: "web" });
    assertEquals(provider.roleName, undefined);
    await provider.retrieve();
    assertEquals(provider.roleName, "web");
  });

  it("keeps expired credentials, which the cache judges", async () => {
    const { provider, emulator } = setUp();
    emulator.document = { Expiration: "2020-01-01T00:00:00Z" };
    assertEquals((await provider.retrieve()).expiration?.toISOString(), "2020-01-01T00:00:00.000Z");
  });

  it("caps the expiration, when capExpirySeconds says so", async () => {
    const { provider, runtime } = setUp({ capExpirySeconds: 3_600 });
    assertEquals((await provider.retrieve()).expiration?.getTime(), runtime.time + 3_600_000);
  });

  it("leaves an earlier expiration alone, when capExpirySeconds is later", async () => {
    const { provider, runtime } = setUp({ capExpirySeconds: 3_600 }, { lifetimeSeconds: 1_800 });
    assertEquals((await provider.retrieve()).expiration?.getTime(), runtime.time + 1_800_000);
  });

  it("stands for IMDS, or for what its options say", () => {
    assertEquals(setUp().provider.providerSources(), ["IMDS"]);
    assertEquals(setUp({ providerSources: ["Profile", "IMDS"] }).provider.providerSources(), ["Profile", "IMDS"]);
  });

  it("reads through a client of the caller's", async () => {
    const paths: string[] = [];
    const client = {
      get(path: string) {
        paths.push(path);
        const document = { AccessKeyId: "AKIA", SecretAccessKey: "S", Token: "T", Expiration: "2030-01-01T00:00:00Z" };
        return Promise.resolve(path.endsWith("/") ? "web" : JSON.stringify(document));
      },
    };
    assertEquals((await setUp({ client }).provider.retrieve()).accessKeyId, "AKIA");
    const list = "/latest/meta-data/iam/security-credentials/";
    assertEquals(paths, [list, `${list}web`]);
  });

  it("takes a 404 of the caller's client for a missing item", async () => {
    const client = { get: () => Promise.reject(withoutRole()) };
    const error = await assertRejects(() => setUp({ client }).provider.retrieve(), CredentialsProviderError);
    assertEquals(error.code, "ImdsNoRole");
  });

  it("passes on any other error of the caller's client", async () => {
    const failure = new Error("something else");
    const client = { get: () => Promise.reject(failure) };
    assertStrictEquals(await setUp({ client }).provider.retrieve().catch((error) => error), failure);
  });

  it("says at debug level that it took the first of several roles", async () => {
    const lines: string[] = [];
    const { provider, emulator } = setUp({ logger: { debug: (message) => lines.push(message) } });
    emulator.inject({ status: 200, body: "emulated-role\nother" }, { on: "list" });
    await provider.retrieve();
    assertEquals(lines, ["IMDS lists 2 roles; emulated-role is used"]);
  });
});

const CANARY_DOCUMENT = { SecretAccessKey: "CANARY-secret", Token: "CANARY-token" };

describe("secrets", () => {
  it("are fields of the credentials, and not shown when these are printed", async () => {
    const { provider, emulator } = setUp();
    emulator.document = CANARY_DOCUMENT;
    const credentials = await provider.retrieve();
    assertEquals(JSON.parse(JSON.stringify(credentials)).secretAccessKey, "CANARY-secret");
    assertEquals({ ...credentials }.sessionToken, "CANARY-token");
    for (const shown of printed(credentials)) {
      assertFalse(shown.includes("CANARY"), shown);
      assert(shown.includes(credentials.accessKeyId) && shown.includes("[redacted]"), shown);
    }
    for (const shown of printed(provider)) assertFalse(shown.includes("CANARY"), shown);
  });

  const faults: readonly ImdsFault[] = ["truncated", "html", "oversized", "binary", "reset", "redirect", "azure"];
  for (const fault of [...faults, { status: 200, body: JSON.stringify(CANARY_DOCUMENT) }, { status: 500 }]) {
    it(`are in no error and no log line, after ${JSON.stringify(fault)}`, async () => {
      const lines: string[] = [];
      const log = (message: string) => lines.push(message);
      const logger = { trace: log, debug: log, info: log, warn: log, error: log };
      const { provider, emulator } = setUp({ logger, maxRetries: 1 });
      emulator.document = CANARY_DOCUMENT;
      emulator.inject(fault, { on: "document", times: Infinity });
      const error = await assertRejects(() => provider.retrieve(), CredentialsProviderError);
      for (const shown of [...printed(error), ...lines, `${error.stack}`, JSON.stringify(error)]) {
        assertFalse(/CANARY|emulated-imds-token/.test(shown), shown);
      }
    });
  }
});
