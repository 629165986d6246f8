import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ImdsEmulator, type ImdsEmulatorOptions } from "../../lib/testing/mod.ts";
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
  readonly body?: string;
}

describe("ImdsEmulator", () => {
  for (const { name, options, method, path, headers = {}, status, body } of readTable<Row>("emulated_imds")) {
    it(`responds ${status} to ${name}`, async () => {
      const { emulator } = setUp(options);
      const response = await emulator.fetch(BASE + path, { method, headers });
      const text = await response.text();
      assertEquals([response.status, body ?? text], [status, text]);
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

  it("says which instance profile it has, as Go's GetIAMInfo() reads it", async () => {
    const { getDocument } = setUp({ role: "web", accountId: "111122223333" });
    const { Code, InstanceProfileArn } = await getDocument("/latest/meta-data/iam/info");
    assertEquals([Code, InstanceProfileArn], ["Success", "arn:aws:iam::111122223333:instance-profile/web"]);
  });

  it("lists its versions", async () => {
    const { get } = setUp();
    const versions = (await (await get("/")).text()).split("\n");
    assertEquals([versions.includes("2021-03-23"), versions.at(-1)], [true, "latest"]);
  });

  it("counts requests with two slashes or a dated version to the same step", async () => {
    const { emulator, get } = setUp();
    emulator.inject({ status: 500 }, { on: "list", times: 2 });
    emulator.inject({ status: 503 }, { on: "document", times: 2 });
    const statuses = [];
    for (
      const path of ["/2021-03-23/meta-data/iam/security-credentials", "//latest/meta-data/iam//security-credentials/"]
    ) {
      statuses.push((await get(path)).status, (await get(`${path}//emulated-role`)).status);
    }
    assertEquals(statuses, [500, 503, 500, 503]);
  });

  it("serves the account id on the extended path only, when asked to", async () => {
    const { getDocument } = setUp({ extended: true });
    const extended = ROLES.replace("credentials/", "credentials-extended/");
    assertEquals((await getDocument(`${extended}emulated-role`)).AccountId, "123456789012");
    assertEquals((await getDocument(`${ROLES}emulated-role`)).AccountId, undefined);
  });

  it("injects a fault into one step", async () => {
    const { emulator, get } = setUp();
    emulator.inject({ status: 500 }, { on: "list", times: 2 });
    emulator.inject({ status: 503 }, { on: "list" });
    const statuses = [];
    for (let count = 0; count < 4; count++) statuses.push((await get(ROLES)).status);
    assertEquals(statuses, [500, 500, 503, 200]);
    assertEquals((await get("/latest/meta-data/instance-id")).status, 200);
  });
});
