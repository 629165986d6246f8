import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EksEmulator, type EksEmulatorOptions, type EksErrorCode, serveEmulator } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { readTable } from "../support/tables.ts";

const URL_IPV4 = "http://169.254.170.23/v1/credentials";
const TOKEN = "emulated-service-account-token";

function setUp(options: EksEmulatorOptions = {}) {
  const runtime = new FakeRuntime();
  const emulator = new EksEmulator({ ...options, runtime });
  const get = (authorization = TOKEN) => emulator.fetch(URL_IPV4, { headers: { authorization } });
  const document = async () => await (await get()).json() as Record<string, string>;
  return { runtime, emulator, get, document };
}

interface Row {
  readonly name: string;
  readonly options?: EksEmulatorOptions;
  readonly method?: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly contains: string;
}

describe("EksEmulator", () => {
  for (const { name, options, method = "GET", url, headers = {}, status, contains } of readTable<Row>("emulated_eks")) {
    it(`responds ${status} to ${name}`, async () => {
      const { emulator } = setUp(options);
      const response = await emulator.fetch(url, { method, headers });
      const type = status === 200 ? "application/json" : "text/plain; charset=utf-8";
      assertEquals([response.status, response.headers.get("content-type")], [status, type]);
      assertStringIncludes(await response.text(), contains);
    });
  }

  it("rejects a token that was rotated away as expired", async () => {
    const { emulator, get } = setUp();
    assertEquals((await get(TOKEN)).status, 200);
    emulator.tokens.clear();
    emulator.tokens.add("new");
    const response = await get(TOKEN);
    assertEquals(response.status, 400);
    assertMatch(await response.text(), /^\[[\w-]+\]: \(ExpiredTokenException\): [^,]+, fault: client\n$/);
    assertEquals((await get("new")).status, 200);
  });

  it("writes the expiration with nanoseconds, as RFC 3339 allows", async () => {
    const { runtime, document } = setUp({ lifetimeSeconds: 900 });
    const { Expiration = "" } = await document();
    assertMatch(Expiration, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$/);
    assertEquals(Date.parse(Expiration), runtime.time + 900_000);
  });

  it("gives the same credentials until five minutes before they expire, and others after rotate()", async () => {
    const { runtime, emulator, document } = setUp({ lifetimeSeconds: 900 });
    const first = await document();
    runtime.time += 599_000;
    assertEquals(await document(), first);
    runtime.time += 1_000;
    const second = await document();
    assertNotEquals(second["AccessKeyId"], first["AccessKeyId"]);
    emulator.rotate();
    assertNotEquals((await document())["AccessKeyId"], second["AccessKeyId"]);
  });

  it("lets a test change the document and the association", async () => {
    const { emulator, document, get } = setUp();
    emulator.document = { AccountId: undefined, Code: "Success" };
    const { AccountId, Code } = await document();
    assertEquals([AccountId, Code], [undefined, "Success"]);
    emulator.isAssociated = false;
    assertEquals((await get()).status, 404);
  });

  it("allows bursts of half as many requests as per second", async () => {
    const { get } = setUp({ requestsPerSecond: 10 });
    const responses = await Promise.all(Array.from({ length: 8 }, () => get()));
    assertEquals(responses.map(({ status }) => status), [200, 200, 200, 200, 200, 429, 429, 429]);
  });

  const codes: readonly (readonly [EksErrorCode, number, "client" | "server"])[] = [
    ["AccessDeniedException", 400, "client"],
    ["ExpiredTokenException", 400, "client"],
    ["InternalServerException", 500, "server"],
    ["InvalidParameterException", 400, "client"],
    ["InvalidRequestException", 400, "client"],
    ["InvalidTokenException", 400, "client"],
    ["ResourceNotFoundException", 404, "client"],
    ["ServiceUnavailableException", 503, "server"],
    ["ThrottlingException", 429, "client"],
  ];
  for (const [code, status, fault] of codes) {
    it(`responds with an injected ${code}`, async () => {
      const { emulator, get } = setUp();
      emulator.inject(code, { on: "credentials" });
      const response = await get();
      assertEquals(response.status, status);
      assertMatch(await response.text(), new RegExp(`^\\[[\\w-]+\\]: \\(${code}\\): .+, fault: ${fault}\\n$`));
      assertEquals((await get()).status, 200);
    });
  }

  it("checks the Host header over a socket", async () => {
    const emulator = new EksEmulator({ checkHost: true });
    const { endpoint, close } = await serveEmulator(emulator);
    const response = await fetch(`${endpoint}/v1/credentials`, { headers: { authorization: TOKEN } });
    assertEquals([response.status, emulator.requests[0]?.url], [403, `${endpoint}/v1/credentials`]);
    await response.text();
    await close();
  });
});
