import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, ImdsClient, type ImdsOptions } from "../../mod.ts";
import { ImdsEmulator, type ImdsEmulatorOptions } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { wireLog } from "../support/wire_log.ts";

const ITEM = "/latest/meta-data/instance-id";

function setUp(options: ImdsOptions = {}, emulated: ImdsEmulatorOptions = {}, env: Record<string, string> = {}) {
  const runtime = new FakeRuntime(env);
  const emulator = new ImdsEmulator({ ...emulated, runtime });
  runtime.answer = emulator.fetch;
  return { runtime, emulator, client: new ImdsClient({ ...options, runtime }) };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, CredentialsProviderError)).code;
}

describe("ImdsClient.get()", () => {
  it("reads any item, with one token for all of them", async () => {
    const { client, emulator } = setUp({}, { metadata: { "/latest/meta-data/ami-id": "ami-1" } });
    assertEquals(await client.get(ITEM), "i-0123456789abcdef0");
    assertEquals(await client.get("latest/meta-data/ami-id"), "ami-1");
    assertEquals(emulator.requests.map(({ method }) => method), ["PUT", "GET", "GET"]);
  });

  it("makes one token request, when a thousand callers start at once", async () => {
    const { client, emulator } = setUp();
    await Promise.all(Array.from({ length: 1_000 }, () => client.get(ITEM)));
    assertEquals(emulator.requests.filter(({ method }) => method === "PUT").length, 1);
    assertEquals(emulator.requests.length, 1_001);
  });

  it("makes one token request, when a thousand callers meet a revoked token", async () => {
    const { client, emulator } = setUp();
    await client.get(ITEM);
    emulator.revokeTokens();
    await Promise.all(Array.from({ length: 1_000 }, () => client.get(ITEM)));
    assertEquals(emulator.requests.filter(({ method }) => method === "PUT").length, 2);
  });

  it("sends what the protocol asks for and no more", async () => {
    const { client, runtime, emulator } = setUp();
    const sent: RequestInit[] = [];
    runtime.answer = (url, init) => {
      sent.push(init);
      return emulator.fetch(url, init);
    };
    await client.get(ITEM);
    const names = sent.map(({ headers }) => Object.keys(headers as object).map((name) => name.toLowerCase()).sort());
    assertEquals(names, [
      ["accept", "user-agent", "x-aws-ec2-metadata-token-ttl-seconds"],
      ["accept", "user-agent", "x-aws-ec2-metadata-token"],
    ]);
    assertEquals(sent.map(({ method, redirect, body }) => [method, redirect, body]), [
      ["PUT", "manual", undefined],
      ["GET", "manual", undefined],
    ]);
    assertEquals(emulator.requests[0]?.headers["x-aws-ec2-metadata-token-ttl-seconds"], "21600");
    assert(emulator.requests[0]?.headers["user-agent"]?.startsWith("rolecreds-aws/"));
  });

  it("goes to the IPv6 address, when the mode says so", async () => {
    const { client, runtime, emulator } = setUp({ endpointMode: "IPv6" });
    const urls: string[] = [];
    runtime.answer = (url, init) => {
      urls.push(url);
      return emulator.fetch(url, init);
    };
    await client.get(ITEM);
    assertEquals(urls[0], "http://[fd00:ec2::254]/latest/api/token");
  });

  it("throws ImdsHttpError with 404, when there is no such item", async () => {
    const error = await assertRejects(() => setUp().client.get("/latest/none"), CredentialsProviderError);
    assertEquals([error.code, error.statusCode], ["ImdsHttpError", 404]);
    assert(error.message.includes("/latest/none"));
  });

  it("refuses what is not a path, before anything is sent", async () => {
    const { client, emulator } = setUp();
    for (const path of ["", "/", " /latest", "/latest/a b", "//evil", "\\evil", "/a\nb", "/a#b"]) {
      assertEquals(await codeOf(client.get(path)), "ConfigurationError", JSON.stringify(path));
    }
    assertEquals(emulator.requests.length, 0);
  });

  it("gives up after `timeout`, counted on the clock", async () => {
    const { client, runtime, emulator } = setUp({ timeout: 700, maxRetries: 0 });
    emulator.inject("hang", { times: Infinity });
    const start = runtime.time;
    assertEquals(await codeOf(client.get(ITEM)), "ImdsTokenTimeout");
    assertEquals(runtime.time - start, 700);
  });

  it("takes four attempts of a second and the pauses between them, when nothing answers", async () => {
    const { client, runtime, emulator } = setUp();
    emulator.inject("hang", { times: Infinity });
    const start = runtime.time;
    await codeOf(client.get(ITEM));
    assertEquals(runtime.time - start, 4 * 1_000 + 50 + 100 + 200);
  });

  it("gives up after `connectTimeout`, when no headers arrive", async () => {
    const { client, runtime, emulator } = setUp({ connectTimeout: 200, maxRetries: 0 });
    emulator.inject("hang", { times: Infinity });
    const start = runtime.time;
    assertEquals(await codeOf(client.get(ITEM)), "ImdsTokenTimeout");
    assertEquals(runtime.time - start, 200);
  });

  it("waits for the body beyond `connectTimeout`, when the headers arrived", async () => {
    const { client, runtime, emulator } = setUp({ connectTimeout: 200, maxRetries: 0 });
    emulator.inject("drip", { times: Infinity });
    const start = runtime.time;
    assertEquals(await codeOf(client.get(ITEM)), "ImdsTokenTimeout");
    assertEquals(runtime.time - start, 1_000);
  });

  it("gives up, when a handed-in fetch ignores the signal", async () => {
    const { client, runtime } = setUp({ maxRetries: 0 });
    runtime.answer = () => {
      queueMicrotask(() => runtime.advance(1_000));
      return new Promise(() => {});
    };
    assertEquals(await codeOf(client.get(ITEM)), "ImdsTokenTimeout");
  });

  it("asks customBackoff, and stops when it says so", async () => {
    const asked: unknown[] = [];
    const customBackoff = (retryCount: number, error: CredentialsProviderError) => {
      asked.push([retryCount, error.code]);
      return retryCount === 0 ? 7 : -1;
    };
    const { client, runtime, emulator } = setUp({ retryDelayOptions: { customBackoff } });
    emulator.inject({ status: 503 }, { times: Infinity });
    await codeOf(client.get(ITEM));
    assertEquals(asked, [[0, "ImdsHttpError"], [1, "ImdsHttpError"]]);
    assertEquals(runtime.slept, [7]);
  });

  it("reads the environment at the first request, and again only after a failure to read it", async () => {
    const { client, runtime, emulator } = setUp({}, {}, { AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: "IPv5" });
    assertEquals(await codeOf(client.get(ITEM)), "ConfigurationError");
    delete runtime.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"];
    await client.get(ITEM);
    runtime.variables["AWS_EC2_METADATA_DISABLED"] = "true";
    await client.get(ITEM);
    assertEquals(emulator.requests.length, 3);
  });

  const fallbacks = [
    ["a token response is lost", { ec2MetadataV1Fallback: "always" }, "hopLimit"],
    ["IMDS refuses tokens", {}, { status: 403 }],
  ] as const;
  for (const [name, options, fault] of fallbacks) {
    it(`warns once that it uses IMDSv1, when ${name}`, async () => {
      const warnings: string[] = [];
      const logger = { warn: (message: string) => warnings.push(message) };
      const { client, emulator } = setUp({ ...options, maxRetries: 0, logger }, { tokens: "optional" });
      emulator.inject(fault, { on: "token", times: Infinity });
      await client.get(ITEM);
      await client.get(ITEM);
      assertEquals(warnings.length, 1);
      assert(warnings[0]?.includes("; using IMDSv1"), warnings[0]);
    });
  }
});

describe("ImdsClient.get() with a signal", () => {
  it("sends nothing, when aborted before", async () => {
    const { client, emulator } = setUp();
    const reason = await assertRejects(() => client.get(ITEM, { signal: AbortSignal.abort() }), DOMException);
    assertEquals(reason.name, "AbortError");
    assertEquals(emulator.requests.filter(({ method }) => method === "GET"), []);
  });

  it("rejects with the reason, when aborted during the token request, which goes on for the others", async () => {
    const { client, emulator } = setUp();
    const controller = new AbortController();
    const reason = new Error("enough");
    const [given, kept] = [client.get(ITEM, { signal: controller.signal }), client.get(ITEM)];
    controller.abort(reason);
    assertEquals(await given.catch((error) => error), reason);
    assertEquals(await kept, "i-0123456789abcdef0");
    assertEquals(wireLog(emulator), ["PUT token 200", `GET v2 ${ITEM} 200`]);
  });

  it("rejects with the reason, when aborted during the read, without a retry", async () => {
    const { client, runtime } = setUp();
    await client.get(ITEM);
    const controller = new AbortController();
    let reads = 0;
    runtime.answer = () => {
      reads++;
      controller.abort();
      return new Promise(() => {});
    };
    const reading = client.get(ITEM, { signal: controller.signal });
    assertEquals((await assertRejects(() => reading, DOMException)).name, "AbortError");
    assertEquals(reads, 1);
  });

  it("does nothing, when aborted after", async () => {
    const { client } = setUp();
    const controller = new AbortController();
    const item = await client.get(ITEM, { signal: controller.signal });
    controller.abort();
    assertEquals(item, "i-0123456789abcdef0");
  });
});

describe("ImdsClient.region()", () => {
  it("is the region without white space", async () => {
    const metadata = { "/latest/meta-data/placement/region": "eu-west-3\n" };
    assertEquals(await setUp({}, { metadata }).client.region(), "eu-west-3");
  });
});

describe("ImdsClient.instanceIdentityDocument()", () => {
  it("is the parsed document", async () => {
    const { accountId, region, instanceId } = await setUp().client.instanceIdentityDocument();
    assertEquals([accountId, region, instanceId], ["123456789012", "us-east-1", "i-0123456789abcdef0"]);
  });

  for (const body of ["", "null", "[]", "{}", "<html>", '{"accountId":1,"instanceId":"i","region":"r"}']) {
    it(`throws ImdsInvalidResponse, when the answer is ${body || "empty"}`, async () => {
      const { client } = setUp({}, { metadata: { "/latest/dynamic/instance-identity/document": body } });
      assertEquals(await codeOf(client.instanceIdentityDocument()), "ImdsInvalidResponse");
    });
  }
});

describe("new ImdsClient()", () => {
  it("throws at construction, when an option is out of range", () => {
    assertThrows(() => new ImdsClient({ timeout: -1 }), CredentialsProviderError, "timeout must be");
  });

  it("shows nothing when printed", async () => {
    const { client } = setUp();
    await client.get(ITEM);
    assertEquals(JSON.stringify(client), "{}");
  });
});
