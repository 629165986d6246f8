import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { containerEndpoint, type EndpointOptions, imdsEndpoint } from "../../lib/cli/served_endpoints.ts";
import { ImdsEmulator } from "../../lib/testing/mod.ts";
import {
  type Credentials,
  CredentialsProviderError,
  fromContainerMetadata,
  fromInstanceMetadata,
  InstanceMetadataProvider,
} from "../../mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";

const TOKEN = "CANARY-token-of-the-endpoint";
const CREDENTIALS: Credentials = {
  accessKeyId: "ASIASERVED",
  secretAccessKey: "CANARY-secret",
  sessionToken: "CANARY-session",
  expiration: new Date("2026-01-01T06:00:00.789Z"),
  accountId: "123456789012",
  source: "custom",
};

function setUp(options: Partial<EndpointOptions> = {}) {
  const refused: string[] = [];
  const runtime = new FakeRuntime();
  let retrievals = 0;
  const all: EndpointOptions = {
    credentials() {
      retrievals++;
      return Promise.resolve(CREDENTIALS);
    },
    token: TOKEN,
    region: "eu-west-1",
    now: runtime.now,
    onFailure: (request, status, reason) => refused.push(`${request.method} ${status} ${reason}`),
    ...options,
  };
  const send = (
    handler: (request: Request) => Promise<Response>,
    path: string,
    headers: Record<string, string>,
    method = "GET",
  ) => handler(new Request(`http://127.0.0.1${path}`, { method, headers: { host: "127.0.0.1:1234", ...headers } }));
  const [container, imds] = [containerEndpoint(all), imdsEndpoint(all)];
  return {
    refused,
    runtime,
    retrievals: () => retrievals,
    get: (headers: Record<string, string>, path = "/credentials", method = "GET") =>
      send(container, path, { authorization: TOKEN, ...headers }, method),
    getWithoutToken: () => send(container, "/credentials", {}),
    imds: (path: string, headers: Record<string, string> = {}, method = "GET") => send(imds, path, headers, method),
  };
}

describe("containerEndpoint()", () => {
  it("serves the document of a container, without fractions of a second", async () => {
    const { get, refused } = setUp();
    const response = await get({});
    assertEquals(response.status, 200);
    assertEquals(await response.json(), {
      AccessKeyId: "ASIASERVED",
      SecretAccessKey: "CANARY-secret",
      Token: "CANARY-session",
      Expiration: "2026-01-01T06:00:00Z",
      AccountId: "123456789012",
    });
    assertEquals(refused, []);
  });

  it("serves keys without an end for an hour, with an empty token", async () => {
    const keys = { accessKeyId: "AKIASERVED", secretAccessKey: "s", source: "custom" };
    const { get } = setUp({ credentials: () => Promise.resolve(keys) });
    assertEquals(await (await get({})).json(), {
      AccessKeyId: "AKIASERVED",
      SecretAccessKey: "s",
      Token: "",
      Expiration: "2026-01-01T01:00:00Z",
    });
  });

  const strangers: readonly (readonly [headers: Record<string, string>, reason: string])[] = [
    [{ host: "evil.example" }, "its Host header does not name this machine"],
    [{ host: "evil.example:1234" }, "its Host header does not name this machine"],
    [{ host: "127.0.0.1.evil.example" }, "its Host header does not name this machine"],
    [{ host: "localhost.evil.example:1234" }, "its Host header does not name this machine"],
    [{ host: "127.0.0.1@evil.example" }, "its Host header does not name this machine"],
    [{ host: "169.254.170.2" }, "its Host header does not name this machine"],
    [{ host: "10.0.0.1:1234" }, "its Host header does not name this machine"],
    [{ host: "" }, "its Host header does not name this machine"],
    [{ host: "[::2]:1234" }, "its Host header does not name this machine"],
    [{ origin: "https://evil.example" }, "a browser sent it"],
    [{ origin: "http://127.0.0.1:1234" }, "a browser sent it"],
    [{ origin: "null" }, "a browser sent it"],
    [{ "sec-fetch-site": "none" }, "a browser sent it"],
  ];
  for (const [headers, reason] of strangers) {
    it(`refuses a request with ${JSON.stringify(headers)}, also with the token`, async () => {
      const { get, refused, retrievals } = setUp();
      const response = await get(headers);
      assertEquals([response.status, await response.text(), retrievals()], [403, "", 0]);
      assertEquals(refused, [`GET 403 ${reason}`]);
    });
  }

  for (const host of ["127.0.0.1", "127.0.0.1:80", "localhost:1234", "LOCALHOST", "[::1]:1234"]) {
    it(`knows itself as ${host}`, async () => {
      assertEquals((await setUp().get({ host })).status, 200);
    });
  }

  it("refuses every token but its own, and logs it without the token", async () => {
    const wrong = ["CANARY", "", `${TOKEN}x`, TOKEN.slice(1), `Bearer ${TOKEN}`, TOKEN.toLowerCase(), "\u00e9"];
    for (const authorization of wrong) {
      const { get, refused, retrievals } = setUp();
      const response = await get({ authorization });
      assertEquals([response.status, await response.text(), retrievals()], [403, "", 0]);
      assertEquals(refused, ["GET 403 its Authorization header is wrong"]);
    }
    const { getWithoutToken, refused } = setUp();
    assertEquals((await getWithoutToken()).status, 403);
    assertEquals(refused, ["GET 403 it has no Authorization header"]);
  });

  it("says 404 and 405 to whoever has the token, and nothing about paths to others", async () => {
    const { get } = setUp();
    assertEquals((await get({}, "/")).status, 404);
    assertEquals((await get({}, "/credentials/x")).status, 404);
    assertEquals((await get({}, "/credentials", "POST")).status, 405);
    assertEquals((await get({ authorization: "wrong" }, "/")).status, 403);
    assertEquals((await get({ authorization: "wrong" }, "/credentials", "POST")).status, 403);
  });

  it("forbids to store any response, and allows no other origin", async () => {
    const { get, getWithoutToken, imds } = setUp();
    const failing = setUp({ credentials: () => Promise.reject(new Error("x")) });
    const responses = [
      await get({}),
      await get({}, "/"),
      await get({ origin: "x" }),
      await get({}, "/credentials", "OPTIONS"),
      await getWithoutToken(),
      await failing.get({}),
      await imds("/latest/meta-data/"),
    ];
    for (const { headers } of responses) {
      assertEquals(headers.get("cache-control"), "no-store");
      assertFalse([...headers.keys()].some((name) => name.startsWith("access-control-")));
    }
  });

  it("responds to a failure of the provider with its code and message, and of foreign errors with nothing", async () => {
    const error = new CredentialsProviderError("ImdsUnreachable", "Cannot get credentials: IMDS did not respond");
    const own = setUp({ credentials: () => Promise.reject(error) });
    const response = await own.get({});
    assertEquals([response.status, await response.json()], [500, { Code: error.code, Message: error.message }]);
    assertEquals(own.refused, [`GET 500 ImdsUnreachable: ${error.message}`]);
    const foreign = setUp({ credentials: () => Promise.reject(new Error("CANARY")) });
    const text = await (await foreign.get({})).text();
    assertFalse((text + foreign.refused).includes("CANARY"), text + foreign.refused);
  });

  it("serves new credentials to this library when the first ones expire", async () => {
    const runtime = new FakeRuntime();
    const emulator = new ImdsEmulator({ runtime });
    const provider = fromInstanceMetadata({ runtime: Object.assign(runtime, { answer: emulator.fetch }) });
    const { get } = setUp({ credentials: () => provider() });
    const client = Object.assign(new FakeRuntime(), {
      answer: (_url: string, { headers }: RequestInit) => get(Object.fromEntries(new Headers(headers))),
    });
    const served = fromContainerMetadata({
      awsContainerCredentialsFullUri: "http://127.0.0.1:1234/credentials",
      awsContainerAuthorizationToken: TOKEN,
      runtime: client,
    });
    const first = await served();
    runtime.time = client.time = (first.expiration as Date).getTime() + 1;
    const second = await served();
    assert(first.accessKeyId !== second.accessKeyId && second.expiration as Date > (first.expiration as Date));
  });
});

describe("imdsEndpoint()", () => {
  const ROLES = "/latest/meta-data/iam/security-credentials";
  const TTL = { "x-aws-ec2-metadata-token-ttl-seconds": "21600" };
  const TOKENS = "/latest/api/token";

  it("serves this library as an instance does", async () => {
    const { imds, refused } = setUp();
    const runtime = new FakeRuntime();
    runtime.answer = (url, { method = "GET", headers }) =>
      imds(new URL(url).pathname, Object.fromEntries(new Headers(headers)), method);
    const provider = new InstanceMetadataProvider({ runtime });
    const { accessKeyId, sessionToken, expiration } = await provider.retrieve();
    assertEquals([accessKeyId, sessionToken, provider.roleName], ["ASIASERVED", "CANARY-session", "rolecreds"]);
    assertEquals(expiration?.toISOString(), "2026-01-01T06:00:00.000Z");
    assertEquals(refused, []);
  });

  it("requires an IMDS token, with 401", async () => {
    const { imds, refused, retrievals } = setUp();
    const wrong: readonly Record<string, string>[] = [{}, { "x-aws-ec2-metadata-token": "CANARY" }];
    for (const headers of wrong) {
      for (const path of [`${ROLES}/`, `${ROLES}/rolecreds`, "/", "/latest/meta-data/placement/region"]) {
        assertEquals((await imds(path, headers)).status, 401);
      }
    }
    assertEquals(retrievals(), 0);
    assertFalse(refused.join().includes("CANARY"), refused.join());
  });

  const token: readonly (readonly [headers: Record<string, string>, method: string, status: number])[] = [
    [TTL, "PUT", 200],
    [{ "x-aws-ec2-metadata-token-ttl-seconds": "1" }, "PUT", 200],
    [{}, "PUT", 400],
    [{ "x-aws-ec2-metadata-token-ttl-seconds": "0" }, "PUT", 400],
    [{ "x-aws-ec2-metadata-token-ttl-seconds": "21601" }, "PUT", 400],
    [{ "x-aws-ec2-metadata-token-ttl-seconds": "x" }, "PUT", 400],
    [TTL, "GET", 405],
    [{ ...TTL, "x-forwarded-for": "10.0.0.1" }, "PUT", 403],
    [{ ...TTL, origin: "http://evil.example" }, "PUT", 403],
    [{ ...TTL, "sec-fetch-site": "cross-site" }, "PUT", 403],
    [{ ...TTL, host: "evil.example" }, "PUT", 403],
  ];
  for (const [headers, method, status] of token) {
    it(`responds to ${method} of a token with ${JSON.stringify(headers)} by ${status}`, async () => {
      const { imds, refused } = setUp();
      const response = await imds(TOKENS, headers, method);
      assertEquals([response.status, await response.text()], [status, status === 200 ? TOKEN : ""]);
      assertEquals(refused.length, status === 200 ? 0 : 1);
      if (status !== 200) return;
      const name = "x-aws-ec2-metadata-token-ttl-seconds";
      assertEquals(response.headers.get(name), new Headers(headers).get(name));
    });
  }

  it("refuses what a proxy forwarded, and other methods", async () => {
    const { imds } = setUp();
    const headers = { "x-aws-ec2-metadata-token": TOKEN };
    assertEquals((await imds(`${ROLES}/`, { ...headers, "x-forwarded-for": "10.0.0.1" })).status, 403);
    assertEquals((await imds(`${ROLES}/`, headers, "POST")).status, 405);
    assertEquals((await imds(`${ROLES}/`, headers, "PUT")).status, 405);
  });

  it("serves the role list with and without a slash, the region, and 404 for the rest", async () => {
    const headers = { "x-aws-ec2-metadata-token": TOKEN };
    const { imds } = setUp();
    const read = async (path: string) => {
      const response = await imds(path, headers);
      return response.status === 200 ? await response.text() : response.status;
    };
    assertEquals(await read(ROLES), "rolecreds");
    assertEquals(await read(`${ROLES}/`), "rolecreds");
    assertEquals(await read("/latest/meta-data/placement/region"), "eu-west-1");
    assertEquals(await read(`${ROLES}/other`), 404);
    assertEquals(await read("/latest/meta-data/ami-id"), 404);
    const elsewhere = setUp({ region: undefined });
    assertEquals((await elsewhere.imds("/latest/meta-data/placement/region", headers)).status, 404);
  });
});
