import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, defaultProvider, type DefaultProviderOptions } from "../mod.ts";
import { ImdsEmulator } from "../lib/testing/mod.ts";
import { FakeRuntime } from "./support/fake_runtime.ts";
import { readTable } from "./support/tables.ts";

interface Row {
  readonly name: string;
  readonly env?: Record<string, string>;
  readonly options?: DefaultProviderOptions;
  readonly role?: null;
  readonly accessKeyId?: string;
  readonly error?: string;
  readonly says?: readonly string[];
  readonly requests: number;
  readonly warns?: string;
}

describe("defaultProvider()", () => {
  for (const { name, env = {}, options = {}, role, accessKeyId, error, says = [], requests, warns } of rows()) {
    it(name, async () => {
      const warnings: string[] = [];
      const runtime = new FakeRuntime(env);
      const emulator = new ImdsEmulator({ runtime, ...(role === null ? { role } : {}) });
      runtime.answer = emulator.fetch;
      const logger = { warn: (message: string) => warnings.push(message) };
      const provider = defaultProvider({ sharedConfig: {}, ...options, runtime, logger });
      if (error === undefined) assertEquals((await provider()).accessKeyId, accessKeyId);
      else {
        const thrown = await assertRejects(() => provider(), CredentialsProviderError);
        assertEquals(thrown.code, error);
        for (const part of says) assert(thrown.message.includes(part), thrown.message);
      }
      assertEquals(emulator.requests.length, requests);
      assert(warnings.join("\n").includes(warns ?? ""), warnings.join());
      if (warns === undefined) assertEquals(warnings, []);
    });
  }
});

function rows(): readonly Row[] {
  return readTable<Row>("default_chain");
}

describe("defaultProvider(), off EC2", () => {
  it("gives up after one attempt of a second, and says what was tried", async () => {
    const runtime = new FakeRuntime();
    const emulator = new ImdsEmulator({ runtime });
    emulator.inject("hang", { times: Infinity });
    runtime.answer = emulator.fetch;
    const start = runtime.time;
    const error = await assertRejects(() => defaultProvider({ runtime })(), CredentialsProviderError);
    assertEquals(runtime.time - start, 1_000);
    assertEquals((error.errors ?? []).map((each) => (each as CredentialsProviderError).code), [
      "NoCredentials",
      "ProfileNotFoundError",
      "NoCredentials",
      "NoCredentials",
      "ImdsTokenTimeout",
    ]);
    assertEquals(error.message.split("\n").length, 6);
  });

  it("tries as often as the environment says", async () => {
    const runtime = new FakeRuntime({ AWS_METADATA_SERVICE_NUM_ATTEMPTS: "2" });
    const emulator = new ImdsEmulator({ runtime });
    emulator.inject("reset", { times: Infinity });
    runtime.answer = emulator.fetch;
    await assertRejects(() => defaultProvider({ runtime })(), CredentialsProviderError);
    assertEquals(emulator.requests.length, 2);
  });
});

describe("defaultProvider(), on EC2", () => {
  it("keeps the role's credentials through an outage", async () => {
    const runtime = new FakeRuntime();
    const emulator = new ImdsEmulator({ runtime });
    runtime.answer = emulator.fetch;
    const provider = defaultProvider({ runtime });
    const { accessKeyId } = await provider();
    emulator.inject("hang", { times: Infinity });
    runtime.time += 24 * 3_600_000;
    assertEquals((await provider()).accessKeyId, accessKeyId);
  });
});
