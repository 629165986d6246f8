import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  AssumeRoleProvider,
  type AssumeRoleProviderOptions,
  cached,
  type Credentials,
  CredentialsProviderError,
  fromTemporaryCredentials,
} from "../../mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";
import { verifiedHeaders } from "../support/sigv4_verifier.ts";

const CANARY = "canary";
const ROLE = "arn:aws:iam::123456789012:role/app";
const SOURCE = { accessKeyId: "AKIASOURCE", secretAccessKey: `${CANARY}-source`, sessionToken: `${CANARY}-session` };
const MFA = { RoleArn: ROLE, SerialNumber: "arn:aws:iam::123456789012:mfa/me" };
const HOUR_MS = 3_600_000;

function success({ time }: FakeRuntime): Response {
  const expiration = new Date(time + HOUR_MS).toISOString();
  return new Response(
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>" +
      `<SecretAccessKey>${CANARY}-role</SecretAccessKey><SessionToken>${CANARY}-token</SessionToken>` +
      `<Expiration>${expiration}</Expiration></Credentials><AssumedRoleUser>` +
      "<Arn>arn:aws:sts::123456789012:assumed-role/app/s</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>",
  );
}

function failed(code: string, headers: Record<string, string> = {}): Response {
  return new Response(`<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>`, { status: 403, headers });
}

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
}

function setUp(
  options: Partial<AssumeRoleProviderOptions> = {},
  responses: ((runtime: FakeRuntime) => Response)[] = [],
) {
  const runtime = new FakeRuntime({ AWS_REGION: "eu-west-1" });
  const sent: Sent[] = [];
  runtime.answer = (url, init) => {
    sent.push({ url, init });
    return Promise.resolve((responses.shift() ?? success)(runtime));
  };
  const all = { params: { RoleArn: ROLE }, masterCredentials: SOURCE, ...options, runtime };
  return { runtime, sent, all, provider: new AssumeRoleProvider(all) };
}

/** The headers that the signature covers; `undefined` if it is not valid for `secret`. */
function signed({ url, init }: Sent, secret = SOURCE.secretAccessKey): readonly string[] | undefined {
  const headers = { ...init.headers as Record<string, string>, host: new URL(url).host };
  const body = new TextEncoder().encode(`${init.body}`);
  return verifiedHeaders({ method: "POST", target: new URL(url).pathname, headers, body }, secret);
}

function parameter({ init }: Sent, name: string): string | null {
  return new URLSearchParams(`${init.body}`).get(name);
}

async function failure(promise: Promise<unknown>): Promise<CredentialsProviderError> {
  const error = await assertRejects(() => promise, CredentialsProviderError);
  assertFalse(printed(error).join().includes(CANARY), printed(error).join());
  return error;
}

describe("AssumeRoleProvider.retrieve()", () => {
  it("sends one form, signed with the source credentials, with its parameters in order", async () => {
    const params = {
      RoleArn: ROLE,
      RoleSessionName: "me",
      DurationSeconds: 900,
      Policy: "{}",
      PolicyArns: [{ arn: "arn:aws:iam::aws:policy/A" }],
      Tags: [{ Key: "team", Value: "a b" }],
      TransitiveTagKeys: ["team"],
      ExternalId: "customer-7",
      SourceIdentity: "me@example",
    };
    const { provider, sent } = setUp({ params });
    assertEquals({ ...await provider.retrieve() }, {
      accessKeyId: "ASIAROLE",
      secretAccessKey: `${CANARY}-role`,
      sessionToken: `${CANARY}-token`,
      expiration: new Date("2026-01-01T01:00:00Z"),
      accountId: "123456789012",
      source: "AssumeRoleProvider",
    });
    const [request] = sent as [Sent];
    assertEquals(request.url, "https://sts.eu-west-1.amazonaws.com/");
    assertEquals(signed(request), ["content-type", "host", "x-amz-date", "x-amz-security-token"]);
    assertEquals(`${request.init.body}`.split("&").map((pair) => pair.split("=")[0]), [
      "Action",
      "Version",
      "RoleArn",
      "RoleSessionName",
      "PolicyArns.member.1.arn",
      "Policy",
      "DurationSeconds",
      "Tags.member.1.Key",
      "Tags.member.1.Value",
      "TransitiveTagKeys.member.1",
      "ExternalId",
      "SourceIdentity",
    ]);
    assertEquals(parameter(request, "Tags.member.1.Value"), "a b");
  });

  it("signs without a session token, where the source has none", async () => {
    const { accessKeyId, secretAccessKey } = SOURCE;
    const { provider, sent } = setUp({ masterCredentials: { accessKeyId, secretAccessKey } });
    await provider.retrieve();
    assertEquals(signed(sent[0] as Sent), ["content-type", "host", "x-amz-date"]);
  });

  it("signs each attempt with the time of that attempt", async () => {
    const { provider, sent } = setUp({}, [() => new Response(null, { status: 503 })]);
    await provider.retrieve();
    const dates = sent.map(({ init }) => (init.headers as Record<string, string>)["x-amz-date"]);
    assertEquals([sent.length, sent.every((request) => signed(request) !== undefined)], [2, true]);
    assertEquals(dates, ["20260101T000000Z", "20260101T000000Z"]);
  });

  for (const minutes of [10, -10]) {
    it(`signs once more with the clock of STS, when ours is off by ${minutes} minutes`, async () => {
      const date = new Date(Date.parse("2026-01-01T00:00:00Z") + minutes * 60_000);
      const rejected = () => failed("SignatureDoesNotMatch", { date: date.toUTCString() });
      const { provider, sent, runtime } = setUp({ maxRetries: 0 }, [rejected]);
      await provider.retrieve();
      await provider.retrieve();
      const dates = sent.map(({ init }) => (init.headers as Record<string, string>)["x-amz-date"]);
      const corrected = date.toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
      assertEquals(dates, ["20260101T000000Z", corrected, corrected]);
      assertEquals(runtime.slept, [0]);
    });
  }

  it("does not sign again, when the clocks agree: the key is wrong", async () => {
    const date = new Date("2026-01-01T00:03:00Z").toUTCString();
    const { provider, sent } = setUp({ maxRetries: 0 }, [() => failed("SignatureDoesNotMatch", { date })]);
    const error = await failure(provider.retrieve());
    assertEquals([error.code, error.stsCode, error.recoverable, sent.length], [
      "StsError",
      "SignatureDoesNotMatch",
      true,
      1,
    ]);
  });

  it("does not sign a third time, when STS rejects the corrected time, too", async () => {
    const rejected = () => failed("RequestExpired", { date: new Date("2026-01-01T01:00:00Z").toUTCString() });
    const { provider, sent } = setUp({ maxRetries: 0 }, [rejected, rejected]);
    assertEquals((await failure(provider.retrieve())).stsCode, "RequestExpired");
    assertEquals(sent.length, 2);
  });

  it("takes credentials from an object, a function and a provider", async () => {
    for (
      const masterCredentials of [SOURCE, () => Promise.resolve(SOURCE), { retrieve: () => Promise.resolve(SOURCE) }]
    ) {
      const { provider, sent } = setUp({ masterCredentials });
      await provider.retrieve();
      assert(signed(sent[0] as Sent) !== undefined);
    }
  });

  it("gets new source credentials, when STS says that they expired on the way", async () => {
    let keys = 0;
    const runtime = new FakeRuntime();
    const retrieve = () =>
      Promise.resolve({ accessKeyId: `AKIASOURCE${++keys}`, secretAccessKey: `${CANARY}-${keys}` });
    const masterCredentials = cached({ retrieve }, { runtime });
    const { provider, sent } = setUp({ masterCredentials }, [() => failed("ExpiredToken")]);
    await provider.retrieve();
    assertEquals([sent.length, keys], [2, 2]);
    assert(signed(sent[1] as Sent, `${CANARY}-2`) !== undefined);
  });

  it("fails, when the source fails, and sends nothing", async () => {
    const reason = new CredentialsProviderError("ImdsUnreachable", "Cannot reach IMDS");
    const { provider, sent } = setUp({ masterCredentials: () => Promise.reject(reason) });
    assertEquals(await provider.retrieve().catch((error: unknown) => error), reason);
    assertEquals(sent.length, 0);
  });

  it("sends nothing, when aborted before", async () => {
    const { provider, sent } = setUp();
    const reason = new Error("gave up");
    assertEquals(await provider.retrieve({ signal: AbortSignal.abort(reason) }).catch((error) => error), reason);
    assertEquals(sent.length, 0);
  });

  const bad: readonly (readonly [name: string, params: object, says: string])[] = [
    ["no role", {}, "RoleArn"],
    ["a bare role name", { RoleArn: "app" }, "RoleArn"],
    ["a session name with a slash", { RoleArn: ROLE, RoleSessionName: `${CANARY}/` }, "RoleSessionName"],
    ["an external id of one character", { RoleArn: ROLE, ExternalId: "x" }, "ExternalId"],
    ["an external id with a space", { RoleArn: ROLE, ExternalId: `${CANARY} x` }, "ExternalId"],
    ["a short serial number", { RoleArn: ROLE, SerialNumber: "short" }, "SerialNumber"],
    ["a code of five digits", { RoleArn: ROLE, TokenCode: "12345" }, "TokenCode"],
    ["a duration of 899 seconds", { RoleArn: ROLE, DurationSeconds: 899 }, "DurationSeconds"],
    ["a duration as a string", { RoleArn: ROLE, DurationSeconds: "900" }, "DurationSeconds"],
  ];
  for (const [name, params, says] of bad) {
    it(`refuses ${name}, when created, without quoting it`, () => {
      const error = assertThrows(() => setUp({ params: params as { RoleArn: string } }), CredentialsProviderError);
      assertEquals([error.code, error.recoverable, error.tryNextLink], ["AssumeRoleConfigurationError", false, false]);
      assert(error.message.includes(says), error.message);
      assertFalse(error.message.includes(CANARY));
    });
  }
});

describe("AssumeRoleProvider.retrieve() with an MFA device", () => {
  it("sends the code of the device, and asks for another at the next retrieval", async () => {
    const requests: unknown[] = [];
    const codes = ["111111", " 222222\n"];
    const mfaCodeProvider: AssumeRoleProviderOptions["mfaCodeProvider"] = (request) => {
      requests.push(`${request}`, request.serial);
      return Promise.resolve(codes.shift() ?? "");
    };
    const { provider, sent } = setUp({ params: MFA, mfaCodeProvider });
    assertEquals(provider.staticStability, false);
    await provider.retrieve();
    await provider.retrieve();
    assertEquals(sent.map((request) => parameter(request, "TokenCode")), ["111111", "222222"]);
    assertEquals(requests, Array(4).fill(MFA.SerialNumber));
  });

  it("is not called again where mfaRefresh is false", async () => {
    const { provider, sent } = setUp({ params: MFA, mfaCodeProvider: () => "111111", mfaRefresh: false });
    await provider.retrieve();
    const error = await failure(provider.retrieve());
    assertEquals([error.code, sent.length], ["MfaCodeError", 1]);
    assert(error.message.includes("mfaRefresh"));
  });

  it("does not repeat the call, when the code was wrong", async () => {
    const { provider, sent } = setUp({ params: MFA, mfaCodeProvider: () => "111111" }, [() => failed("AccessDenied")]);
    assertEquals((await failure(provider.retrieve())).stsCode, "AccessDenied");
    assertEquals(sent.length, 1);
  });

  const broken:
    readonly (readonly [name: string, provider: AssumeRoleProviderOptions["mfaCodeProvider"], says: string])[] = [
      ["there is none", undefined, "there is no mfaCodeProvider"],
      ["it throws", () => {
        throw new Error(CANARY);
      }, "mfaCodeProvider failed"],
      ["it rejects", () => Promise.reject(new Error(CANARY)), "mfaCodeProvider failed"],
      ["it returns rubbish", () => `${CANARY}1234`, "no code of six digits"],
      ["it returns a number", () => 123_456 as never, "no code of six digits"],
      ["it returns nothing", () => undefined as never, "no code of six digits"],
    ];
  it("fails with the error of mfaCodeProvider, where that says why there is no code", async () => {
    const own = new CredentialsProviderError("MfaCodeError", "Cannot assume the role: there is no terminal");
    const { provider, sent } = setUp({ params: MFA, mfaCodeProvider: () => Promise.reject(own) });
    assertEquals(await provider.retrieve().catch((error: unknown) => error), own);
    assertEquals(sent.length, 0);
  });

  for (const [name, mfaCodeProvider, says] of broken) {
    it(`is MfaCodeError and sends nothing, when ${name}`, async () => {
      const { provider, sent } = setUp({ params: MFA, mfaCodeProvider, profile: "dev" });
      const error = await failure(provider.retrieve());
      assertEquals([error.code, error.recoverable, error.tryNextLink, sent.length], ["MfaCodeError", false, false, 0]);
      assert(error.message.includes(says) && error.message.includes("profile dev"), error.message);
    });
  }

  it("gives up after five minutes, when it never settles", async () => {
    const { provider, runtime } = setUp({ params: MFA, mfaCodeProvider: () => new Promise<string>(() => {}) });
    const retrieving = failure(provider.retrieve());
    await new Promise((resolve) => setTimeout(resolve));
    runtime.advance(300_000);
    assert((await retrieving).message.includes("5 minutes"));
  });

  it("rejects with the reason, when the caller aborts while a person types", async () => {
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const { provider } = setUp({
      params: MFA,
      mfaCodeProvider: ({ signal }) => {
        seen = signal;
        controller.abort(new Error("gave up"));
        return new Promise<string>(() => {});
      },
    });
    const error = await provider.retrieve({ signal: controller.signal }).catch((error: unknown) => error);
    assertEquals([(error as Error).message, seen?.aborted], ["gave up", true]);
  });
});

describe("fromTemporaryCredentials()", () => {
  it("sends one request, when a thousand callers start at once, and one per refresh", async () => {
    const { all, sent, runtime } = setUp();
    const provider = fromTemporaryCredentials(all);
    await Promise.all(Array.from({ length: 1_000 }, () => provider()));
    assertEquals(sent.length, 1);
    runtime.time += 46 * 60_000; // within the last 15 minutes
    await provider();
    assertEquals(sent.length, 2);
  });

  it("takes the region of clientConfig, as AWS SDK v3 does", async () => {
    const { all, sent } = setUp();
    await fromTemporaryCredentials({ ...all, clientConfig: { region: "ap-south-1" } })();
    assertEquals(sent[0]?.url, "https://sts.ap-south-1.amazonaws.com/");
  });

  it("never asks for a code before the credentials expire", async () => {
    let codes = 0;
    const { all, runtime, sent } = setUp({ params: MFA, mfaCodeProvider: () => `${100_000 + codes++}` });
    const provider = fromTemporaryCredentials(all);
    await provider();
    runtime.time += HOUR_MS - 1;
    await provider();
    assertEquals([sent.length, codes], [1, 1]);
    runtime.time += 1;
    await provider();
    assertEquals([sent.length, codes], [2, 2]);
  });

  it("uses the default provider, where no credentials are given", async () => {
    const { all, runtime, sent } = setUp();
    Object.assign(runtime.variables, { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: `${CANARY}-env` });
    const { masterCredentials: _unused, ...options } = all;
    await fromTemporaryCredentials(options)();
    assert(signed(sent[0] as Sent, `${CANARY}-env`) !== undefined);
  });

  it("hands the settings of STS to no other source of the default provider", async () => {
    const { all, runtime } = setUp({ endpoint: "https://sts.example", timeout: 1_500, maxRetries: 0 });
    const urls: string[] = [];
    runtime.answer = (url) => {
      urls.push(url);
      return Promise.reject(new TypeError("offline"));
    };
    const { masterCredentials: _unused, ...options } = all;
    await assertRejects(() => fromTemporaryCredentials(options)());
    assertEquals(urls.map((url) => new URL(url).host), ["169.254.169.254"]);
  });

  it("shows no secret when printed", async () => {
    const { all } = setUp({ params: { RoleArn: ROLE, ExternalId: `${CANARY}-external` } });
    const provider = fromTemporaryCredentials(all);
    const credentials: Credentials = await provider();
    assertFalse(printed(provider).join().includes(CANARY));
    assertFalse(printed(credentials).join().includes(CANARY));
  });
});
