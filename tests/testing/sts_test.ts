import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { signatureHeaders } from "../../lib/sigv4.ts";
import {
  ImdsEmulator,
  serveEmulator,
  type StsAction,
  StsEmulator,
  type StsEmulatorOptions,
  type StsErrorCode,
} from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { readTable } from "../support/tables.ts";

const ROLE = "arn:aws:iam::123456789012:role/emulated-role";
const USER = { accessKeyId: "AKIAEMULATED00000001", secretAccessKey: "emulated-secret-access-key" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const DEFAULTS: Readonly<Record<StsAction, Readonly<Record<string, string>>>> = {
  AssumeRole: {},
  AssumeRoleWithWebIdentity: { WebIdentityToken: "emulated-web-identity-token" },
  GetCallerIdentity: {},
};

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request of a client: signed where the operation needs that. */
interface Call {
  readonly action?: StsAction;
  readonly parameters?: Readonly<Record<string, string | null>>;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly region?: string;
  readonly keys?: Keys;
}

async function send(emulator: StsEmulator, now: number, call: Call): Promise<Response> {
  const { action = "AssumeRole", method = "POST", headers = FORM, url = "https://sts.us-east-1.amazonaws.com/" } = call;
  const all = { Action: action, Version: "2011-06-15", RoleArn: ROLE, RoleSessionName: "test", ...DEFAULTS[action] };
  const merged = Object.entries<string | null>({ ...all, ...call.parameters });
  const given = merged.flatMap(([name, value]): [string, string][] => value === null ? [] : [[name, value]]);
  const body = new URLSearchParams(given).toString();
  if (action === "AssumeRoleWithWebIdentity") return await emulator.fetch(url, { method, headers, body });
  const plain = { method, url: new URL(url), headers: Object.entries(headers), body };
  const scope = { region: call.region ?? "us-east-1", service: "sts", date: new Date(now) };
  const signature = await signatureHeaders(plain, call.keys ?? USER, scope);
  return await emulator.fetch(url, { method, headers: { ...headers, ...signature }, body });
}

function setUp(options: StsEmulatorOptions = {}) {
  const runtime = new FakeRuntime();
  const emulator = new StsEmulator({ ...options, runtime });
  const call = async (request: Call = {}): Promise<string> => {
    const response = await send(emulator, runtime.time, request);
    return `${response.status} ${elementOf(await response.text(), "Code") ?? ""}`.trim();
  };
  const keys = async (request: Call = {}): Promise<Keys> =>
    keysOf(await (await send(emulator, runtime.time, request)).text());
  return { runtime, emulator, call, keys };
}

function elementOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

function keysOf(xml: string): Keys {
  const [accessKeyId = "", secretAccessKey = "", sessionToken = ""] = ["AccessKeyId", "SecretAccessKey", "SessionToken"]
    .map((name) => elementOf(xml, name));
  return { accessKeyId, secretAccessKey, sessionToken };
}

interface Row extends Call {
  readonly name: string;
  readonly options?: StsEmulatorOptions;
  readonly status: number;
  readonly code?: string;
  readonly contains?: string;
  readonly lacks?: string;
}

describe("StsEmulator", () => {
  for (const { name, options, status, code, contains = "", lacks, ...call } of readTable<Row>("emulated_sts")) {
    it(`responds ${status} to ${name}`, async () => {
      const runtime = new FakeRuntime();
      const response = await send(new StsEmulator({ ...options, runtime }), runtime.time, call);
      const xml = await response.text();
      assertEquals([response.status, elementOf(xml, "Code")], [status, code]);
      assertStringIncludes(xml, contains);
      if (lacks !== undefined) assertFalse(xml.includes(lacks), xml);
    });
  }

  it("writes a result as STS does", async () => {
    const { runtime, emulator } = setUp();
    const response = await send(emulator, runtime.time, { parameters: { DurationSeconds: "900" } });
    const xml = await response.text();
    assert(
      xml.startsWith(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>`),
      xml,
    );
    assertEquals(elementOf(xml, "Arn"), "arn:aws:sts::123456789012:assumed-role/emulated-role/test");
    assertEquals(Date.parse(elementOf(xml, "Expiration") ?? ""), runtime.time + 900_000);
    assertEquals(elementOf(xml, "RequestId"), response.headers.get("x-amzn-requestid"));
    assertEquals(emulator.issued.get(keysOf(xml).accessKeyId)?.sessionToken, keysOf(xml).sessionToken);
    assertEquals(response.headers.get("content-type"), "text/xml");
  });

  it("writes an error as STS does, with what the client sent escaped", async () => {
    const { runtime, emulator } = setUp();
    const response = await send(emulator, runtime.time, { parameters: { RoleSessionName: "<&>" } });
    const xml = await response.text();
    assert(
      xml.startsWith(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>`),
      xml,
    );
    assertStringIncludes(elementOf(xml, "Message") ?? "", "&lt;&amp;&gt;");
    assertEquals(elementOf(xml, "RequestId"), response.headers.get("x-amzn-requestid"));
  });

  it("makes sessions of one hour, where no duration is given", async () => {
    const { runtime, emulator } = setUp({ roles: { [ROLE]: { maxSessionSeconds: 43_200 } } });
    const xml = await (await send(emulator, runtime.time, { action: "AssumeRoleWithWebIdentity" })).text();
    assertEquals(Date.parse(elementOf(xml, "Expiration") ?? ""), runtime.time + 3_600_000);
    assertEquals(elementOf(xml, "SubjectFromWebIdentityToken"), "emulated-subject");
  });

  it("names the step of each request in its log", async () => {
    const { emulator, call } = setUp();
    await call();
    await call({ action: "AssumeRoleWithWebIdentity" });
    await call({ parameters: { Action: "GetSessionToken" } });
    const log = emulator.requests.map(({ step, status }) => [step, status]);
    assertEquals(log, [["AssumeRole", 200], ["AssumeRoleWithWebIdentity", 200], ["other", 400]]);
    assertStringIncludes(emulator.requests[1]?.body ?? "", "WebIdentityToken=emulated-web-identity-token");
  });
});

describe("StsEmulator: signatures", () => {
  it("refuses AssumeRole without one, whatever its parameters are", async () => {
    const { emulator } = setUp();
    const body = new URLSearchParams({ Action: "AssumeRole", Version: "2011-06-15" });
    const response = await emulator.fetch("https://sts.amazonaws.com/", { method: "POST", body });
    assertEquals([response.status, elementOf(await response.text(), "Code")], [403, "MissingAuthenticationToken"]);
  });

  it("refuses another secret, and an unknown key", async () => {
    const { emulator, call } = setUp();
    assertEquals(await call({ keys: { ...USER, secretAccessKey: "other" } }), "403 SignatureDoesNotMatch");
    assertEquals(await call({ keys: { ...USER, accessKeyId: "AKIAOTHER" } }), "403 InvalidClientTokenId");
    emulator.accessKeys.set("AKIAOTHER", { secretAccessKey: USER.secretAccessKey });
    assertEquals(await call({ keys: { ...USER, accessKeyId: "AKIAOTHER" } }), "200");
  });

  const hosts = [
    ["https://sts.us-east-1.amazonaws.com/", "eu-west-1", "403 SignatureDoesNotMatch"],
    ["https://sts.eu-west-1.amazonaws.com/", "eu-west-1", "200"],
    ["https://sts-fips.us-gov-west-1.amazonaws.com/", "us-east-1", "403 SignatureDoesNotMatch"],
    ["https://sts.cn-north-1.amazonaws.com.cn/", "cn-north-1", "200"],
    ["https://sts.amazonaws.com/", "us-east-1", "200"],
    ["http://127.0.0.1:8080/path", "ap-south-2", "200"],
  ] as const;
  for (const [url, region, expected] of hosts) {
    it(`responds ${expected} to a signature for ${region} at ${url}`, async () => {
      assertEquals(await setUp().call({ url, region }), expected);
    });
  }

  it("demands the region of its option", async () => {
    const { call } = setUp({ region: "eu-west-1" });
    assertEquals(await call({ url: "http://127.0.0.1/", region: "us-east-1" }), "403 SignatureDoesNotMatch");
    assertEquals(await call({ url: "http://127.0.0.1/", region: "eu-west-1" }), "200");
  });

  const skews = [
    [900_000, undefined, "200"],
    [901_000, undefined, "403 SignatureDoesNotMatch"],
    [-901_000, undefined, "403 SignatureDoesNotMatch"],
    [600_000, 300_000, "403 SignatureDoesNotMatch"],
  ] as const;
  for (const [skewMs, maxSkewMs, expected] of skews) {
    it(`responds ${expected} with a clock ${skewMs} ms ahead, and tells its time`, async () => {
      const runtime = new FakeRuntime();
      const emulator = new StsEmulator({ runtime, skewMs, ...(maxSkewMs === undefined ? {} : { maxSkewMs }) });
      const response = await send(emulator, runtime.time, {});
      assertEquals(`${response.status} ${elementOf(await response.text(), "Code") ?? ""}`.trim(), expected);
      const serverTime = Date.parse(response.headers.get("date") ?? "");
      assertEquals(serverTime, runtime.time + skewMs);
      assertEquals((await send(emulator, serverTime, {})).status, 200);
    });
  }

  it("knows the credentials of other emulators", async () => {
    const runtime = new FakeRuntime();
    const imds = new ImdsEmulator({ runtime, tokens: "optional" });
    const { call } = setUp({ credentialsFrom: [imds] });
    const path = "/latest/meta-data/iam/security-credentials/emulated-role";
    const document = await (await imds.fetch(`http://169.254.169.254${path}`)).json() as Record<string, string>;
    const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "", Token: sessionToken = "" } = document;
    assertEquals(await call({ keys: { accessKeyId, secretAccessKey, sessionToken } }), "200");
    assertEquals(await call({ keys: { accessKeyId, secretAccessKey } }), "403 InvalidClientTokenId");
  });
});

describe("StsEmulator: sessions", () => {
  const LONG = { roles: { [ROLE]: { maxSessionSeconds: 43_200 } } };

  it("lets the credentials of a role assume the next, for 3600 seconds at most", async () => {
    const { keys, call } = setUp(LONG);
    const first = await keys();
    assertEquals(await call({ keys: first, parameters: { DurationSeconds: "3600" } }), "200");
    assertEquals(await call({ keys: first, parameters: { DurationSeconds: "3601" } }), "400 ValidationError");
    assertEquals(await call({ parameters: { DurationSeconds: "3601" } }), "200");
    const second = await keys({ keys: first });
    assertEquals(await call({ keys: second }), "200");
  });

  it("says whose the credentials of a role are", async () => {
    const { runtime, emulator, keys } = setUp();
    const parameters = { RoleArn: null, RoleSessionName: null };
    const response = await send(emulator, runtime.time, {
      action: "GetCallerIdentity",
      keys: await keys(),
      parameters,
    });
    const xml = await response.text();
    assertEquals(elementOf(xml, "Arn"), "arn:aws:sts::123456789012:assumed-role/emulated-role/test");
    assertEquals(elementOf(xml, "Account"), "123456789012");
  });

  it("refuses the credentials of a role once they have expired", async () => {
    const { runtime, keys, call } = setUp();
    const first = await keys({ parameters: { DurationSeconds: "900" } });
    runtime.time += 899_999;
    assertEquals(await call({ keys: first }), "200");
    runtime.time += 1;
    assertEquals(await call({ keys: first }), "403 ExpiredToken");
  });

  it("accepts a code of MFA once", async () => {
    const mfa = { serial: "GAHT12345678", code: "123456" };
    const { emulator, call } = setUp({ roles: { [ROLE]: { mfa } } });
    const withCode = (TokenCode: string) => call({ parameters: { SerialNumber: mfa.serial, TokenCode } });
    assertEquals([await withCode("123456"), await withCode("123456")], ["200", "403 AccessDenied"]);
    emulator.roles.set(ROLE, { mfa: { ...mfa, code: "654321" } });
    assertEquals([await withCode("123456"), await withCode("654321")], ["403 AccessDenied", "200"]);
  });

  it("does not use a code up for a request that is refused", async () => {
    const mfa = { serial: "GAHT12345678", code: "123456" };
    const { call } = setUp({ roles: { [ROLE]: { mfa } } });
    const parameters = { SerialNumber: mfa.serial, TokenCode: mfa.code };
    assertEquals(await call({ parameters: { ...parameters, DurationSeconds: "3601" } }), "400 ValidationError");
    assertEquals(await call({ parameters }), "200");
  });

  it("lets a test add and remove roles", async () => {
    const { emulator, call } = setUp();
    emulator.roles.delete(ROLE);
    assertEquals(await call(), "403 AccessDenied");
    emulator.roles.set(ROLE, {});
    assertEquals(await call(), "200");
  });

  it("takes a web identity token that was rotated away as expired", async () => {
    const { emulator, call } = setUp({ tokens: ["first"], acceptToken: (token) => token.startsWith("jwt-") });
    const withToken = (WebIdentityToken: string) =>
      call({ action: "AssumeRoleWithWebIdentity", parameters: { WebIdentityToken } });
    assertEquals([await withToken("first"), await withToken("jwt-1"), await withToken("second")], [
      ...["200", "200", "400 InvalidIdentityToken"],
    ]);
    emulator.tokens.delete("first");
    emulator.tokens.add("second");
    assertEquals([await withToken("first"), await withToken("second")], ["400 ExpiredTokenException", "200"]);
  });
});

describe("StsEmulator: faults", () => {
  const codes: readonly (readonly [StsErrorCode, number])[] = [
    ["AccessDenied", 403],
    ["ExpiredToken", 403],
    ["ExpiredTokenException", 400],
    ["IDPCommunicationError", 400],
    ["IDPRejectedClaim", 403],
    ["IncompleteSignature", 400],
    ["InternalFailure", 500],
    ["InvalidAction", 400],
    ["InvalidClientTokenId", 403],
    ["InvalidIdentityToken", 400],
    ["InvalidParameterValue", 400],
    ["MalformedPolicyDocument", 400],
    ["MissingAuthenticationToken", 403],
    ["MissingParameter", 400],
    ["PackedPolicyTooLarge", 400],
    ["RegionDisabledException", 403],
    ["RequestExpired", 400],
    ["RequestLimitExceeded", 503],
    ["ServiceUnavailable", 503],
    ["SignatureDoesNotMatch", 403],
    ["Throttling", 400],
    ["UnrecognizedClientException", 403],
    ["ValidationError", 400],
  ];
  for (const [code, status] of codes) {
    it(`responds with an injected ${code}`, async () => {
      const { emulator, call } = setUp();
      emulator.inject(code, { on: "AssumeRole" });
      const identity = { action: "AssumeRoleWithWebIdentity" } as const;
      assertEquals([await call(identity), await call(), await call()], ["200", `${status} ${code}`, "200"]);
    });
  }

  it("rewrites a result", async () => {
    const { runtime, emulator } = setUp();
    emulator.inject({ rewrite: (xml) => `<!DOCTYPE x>${xml}` });
    const xml = await (await send(emulator, runtime.time, {})).text();
    assert(xml.startsWith("<!DOCTYPE x><AssumeRoleResponse "), xml);
    assertEquals(emulator.issued.has(keysOf(xml).accessKeyId), true);
  });

  it("is served by serveEmulator()", async () => {
    const emulator = new StsEmulator();
    const { endpoint, close } = await serveEmulator(emulator);
    const body = new URLSearchParams({
      ...{ Action: "AssumeRole", Version: "2011-06-15", RoleArn: ROLE, RoleSessionName: "test" },
    }).toString();
    const plain = { method: "POST", url: new URL(`${endpoint}/`), headers: Object.entries(FORM), body };
    const signature = await signatureHeaders(plain, USER, { region: "eu-west-1", service: "sts", date: new Date() });
    const response = await fetch(plain.url, { method: "POST", headers: { ...FORM, ...signature }, body });
    assertEquals([response.status, elementOf(await response.text(), "Code")], [200, undefined]);
    await close();
  });
});
