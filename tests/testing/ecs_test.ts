import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EcsEmulator, type EcsEmulatorOptions, type EcsErrorCode, serveEmulator } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { readTable } from "../support/tables.ts";

function setUp(options: EcsEmulatorOptions = {}) {
  const runtime = new FakeRuntime();
  const emulator = new EcsEmulator({ ...options, runtime });
  const get = () => emulator.fetch(`http://169.254.170.2${emulator.relativeUri}`);
  const status = async () => (await get()).status;
  const document = async () => await (await get()).json() as Record<string, string>;
  return { runtime, emulator, get, status, document };
}

interface Row {
  readonly name: string;
  readonly options?: EcsEmulatorOptions;
  readonly method?: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly contains: string;
}

describe("EcsEmulator", () => {
  for (const { name, options, method = "GET", url, headers = {}, status, contains } of readTable<Row>("emulated_ecs")) {
    it(`responds ${status} to ${name}`, async () => {
      const { emulator } = setUp(options);
      const response = await emulator.fetch(url, { method, headers });
      assertEquals(response.status, status);
      assertStringIncludes(await response.text(), contains);
    });
  }

  it("is initialized after the given number of requests", async () => {
    const { status } = setUp({ uninitializedRequests: 2 });
    assertEquals([await status(), await status(), await status()], [503, 503, 200]);
  });

  it("allows 40 requests per second, and 60 at once", async () => {
    const { runtime, status } = setUp();
    const allowed = async (count: number) => {
      const statuses = await Promise.all(Array.from({ length: count }, status));
      return statuses.filter((code) => code === 200).length;
    };
    assertEquals(await allowed(100), 60);
    runtime.time += 1_000;
    assertEquals(await allowed(100), 40);
    runtime.time += 3_600_000;
    assertEquals(await allowed(100), 60);
  });

  it("gives the same credentials until five minutes before they expire, and others after rotate()", async () => {
    const { runtime, emulator, document } = setUp({ lifetimeSeconds: 900 });
    const first = await document();
    assertEquals(Date.parse(first["Expiration"] ?? ""), runtime.time + 900_000);
    runtime.time += 599_000;
    assertEquals(await document(), first);
    runtime.time += 1_000;
    const second = await document();
    assertNotEquals(second["AccessKeyId"], first["AccessKeyId"]);
    emulator.rotate();
    assertNotEquals((await document())["AccessKeyId"], second["AccessKeyId"]);
  });

  it("lets a test change the document, the role and the token", async () => {
    const { emulator, document, status } = setUp();
    emulator.document = { Expiration: undefined };
    assertEquals(Object.keys(await document()), ["RoleArn", "AccessKeyId", "SecretAccessKey", "Token"]);
    emulator.role = null;
    assertEquals(await status(), 400);
    emulator.authorizationToken = "t";
    assertEquals(await status(), 403);
  });

  const codes: readonly (readonly [EcsErrorCode, number])[] = [
    ["NoIdInRequest", 400],
    ["InvalidIdInRequest", 400],
    ["NoCredentialsAssociated", 400],
    ["CredentialsUninitialized", 503],
    ["InternalServerError", 500],
  ];
  for (const [code, status] of codes) {
    it(`responds with an injected ${code}`, async () => {
      const { emulator, get, document } = setUp();
      emulator.inject(code, { on: "credentials" });
      const response = await get();
      const { message, ...rest } = await response.json() as Record<string, unknown>;
      assertEquals([response.status, rest, typeof message], [status, { code, HTTPErrorCode: status }, "string"]);
      assertEquals((await document())["AccessKeyId"], "ASIAEMULATEDECS00001");
    });
  }

  it("logs the step of each request", async () => {
    const { emulator, get } = setUp();
    emulator.inject("throttled");
    await get();
    await emulator.fetch("http://169.254.170.2/");
    assertEquals(emulator.requests.map(({ step, status }) => [step, status]), [["credentials", 429], ["other", 404]]);
  });

  it("is served by serveEmulator(), for a full URI", async () => {
    const emulator = new EcsEmulator({ authorizationToken: "t" });
    const { endpoint, close } = await serveEmulator(emulator);
    const response = await fetch(endpoint + emulator.relativeUri, { headers: { authorization: "t" } });
    assertEquals((await response.json() as Record<string, string>)["Token"], "emulated-ecs-session-token-1");
    await close();
  });
});
