import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ImdsEmulator, type ImdsEmulatorOptions, type ImdsFault } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { readTable } from "../support/tables.ts";

const BASE = "http://169.254.169.254";
const ROLES = "/latest/meta-data/iam/security-credentials/";
const TTL = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };

function setUp(options: ImdsEmulatorOptions = {}) {
  const runtime = new FakeRuntime();
  const emulator = new ImdsEmulator({ ...options, runtime });
  async function token(): Promise<string> {
    return await (await emulator.fetch(`${BASE}/latest/api/token`, { method: "PUT", headers: TTL })).text();
  }
  async function get(path: string, value?: string): Promise<Response> {
    const headers = { "x-aws-ec2-metadata-token": value ?? await token() };
    return await emulator.fetch(BASE + path, { headers });
  }
  async function getDocument(path: string): Promise<Record<string, string>> {
    return await (await get(path)).json() as Record<string, string>;
  }
  return { runtime, emulator, token, get, getDocument };
}

interface Row {
  readonly name: string;
  readonly options?: ImdsEmulatorOptions;
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly status: number;
}

describe("ImdsEmulator", () => {
  for (const { name, options, method, path, headers = {}, status } of readTable<Row>("emulator_protocol")) {
    it(`answers ${status} to ${name}`, async () => {
      const { emulator } = setUp(options);
      assertEquals((await emulator.fetch(BASE + path, { method, headers })).status, status);
      assertEquals(emulator.requests.map((request) => [request.method, request.path, request.status]), [
        [method, new URL(BASE + path).pathname, status],
      ]);
    });
  }

  it("grants the TTL that was asked for, and no more", async () => {
    const { emulator, runtime, get, token } = setUp();
    const answer = await emulator.fetch(`${BASE}/latest/api/token`, { method: "PUT", headers: TTL });
    assertEquals(answer.headers.get("x-aws-ec2-metadata-token-ttl-seconds"), "60");
    const value = await token();
    runtime.time += 59_999;
    assertEquals((await get(ROLES, value)).status, 200);
    runtime.time += 1;
    assertEquals((await get(ROLES, value)).status, 401);
  });

  it("serves the role list with and without a slash, and the document without", async () => {
    const { get, getDocument } = setUp({ role: "web" });
    assertEquals(await (await get(ROLES)).text(), "web");
    assertEquals(await (await get(ROLES.slice(0, -1))).text(), "web");
    const document = await getDocument(`${ROLES}web`);
    assertEquals([document.Code, document.Type], ["Success", "AWS-HMAC"]);
  });

  it("hands out the same credentials until five minutes before their end", async () => {
    const { runtime, getDocument } = setUp({ lifetimeSeconds: 3_600 });
    const key = async () => (await getDocument(`${ROLES}emulated-role`)).AccessKeyId;
    const first = await key();
    runtime.time += 3_299_000;
    assertEquals(await key(), first);
    runtime.time += 1_000;
    assertNotEquals(await key(), first);
  });

  it("hands out others after rotate(), and for another role", async () => {
    const { emulator, get, getDocument } = setUp();
    const before = await getDocument(`${ROLES}emulated-role`);
    emulator.rotate();
    emulator.role = "other";
    assertEquals((await get(`${ROLES}emulated-role`)).status, 404);
    assertNotEquals((await getDocument(`${ROLES}other`)).AccessKeyId, before.AccessKeyId);
  });

  it("has its own clock, when skewed", async () => {
    const { runtime, getDocument } = setUp({ skewMs: -86_400_000 });
    const { Expiration } = await getDocument(`${ROLES}emulated-role`);
    assert(Date.parse(Expiration ?? "") < runtime.time);
  });

  it("serves the account id on the extended path only, when asked to", async () => {
    const { getDocument } = setUp({ extended: true });
    const extended = ROLES.replace("credentials/", "credentials-extended/");
    assertEquals((await getDocument(`${extended}emulated-role`)).AccountId, "123456789012");
    assertEquals((await getDocument(`${ROLES}emulated-role`)).AccountId, undefined);
  });

  it("uses faults up in order, each for its kind of request", async () => {
    const { emulator, get } = setUp();
    emulator.inject({ status: 500 }, { on: "list", times: 2 });
    emulator.inject({ status: 503 }, { on: "list" });
    const statuses = [];
    for (let count = 0; count < 4; count++) statuses.push((await get(ROLES)).status);
    assertEquals(statuses, [500, 500, 503, 200]);
    assertEquals((await get("/latest/meta-data/instance-id")).status, 200);
  });

  it("ends all faults with recover()", async () => {
    const { emulator, get } = setUp();
    emulator.inject("html", { times: Infinity });
    emulator.recover();
    assertEquals((await get(ROLES)).status, 200);
  });

  const lost: readonly ImdsFault[] = ["hang", "reset"];
  for (const fault of lost) {
    it(`logs status 0 for ${fault}`, async () => {
      const { emulator, runtime } = setUp();
      emulator.inject(fault);
      await assertRejects(() => emulator.fetch(`${BASE}${ROLES}`, { signal: runtime.timeout(1_000) }));
      assertEquals(emulator.requests.map(({ status }) => status), [0]);
    });
  }
});
