import { assert, assertEquals, assertFalse, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, fromTokenFile, fromWebToken, WebIdentityProvider } from "../../mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";
import { readTable } from "../support/tables.ts";

const CANARY = "canary";
const ROLE = "arn:aws:iam::123456789012:role/app";
const TOKEN = "eyJhbGciOi.canary-jwt.signature";
const ENVIRONMENT = { AWS_WEB_IDENTITY_TOKEN_FILE: "/token", AWS_ROLE_ARN: ROLE, AWS_REGION: "eu-west-1" };

function success(expiration = "2026-01-01T01:00:00Z"): Response {
  return new Response(
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>" +
      `<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>${CANARY}-secret</SecretAccessKey>` +
      `<SessionToken>${CANARY}-token</SessionToken><Expiration>${expiration}</Expiration>` +
      "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
  );
}

interface SentRequest {
  readonly url: string;
  readonly init: RequestInit;
}

/** Only `fetch` responds: STS must not be called past the user's proxy. */
function setUp(env: Record<string, string> = ENVIRONMENT, responses: () => Response = success) {
  const runtime = new FakeRuntime(env);
  const sent: SentRequest[] = [];
  const send = (url: string, init: RequestInit) => {
    sent.push({ url, init });
    return Promise.resolve(responses());
  };
  runtime.files["/token"] = `${TOKEN}\n`;
  runtime.answer = send;
  const fetchDirect = () => Promise.reject(new Error("STS was called past the proxy of the user"));
  return { runtime: Object.assign(runtime, { fetchDirect }), sent };
}

async function failure(promise: Promise<unknown>): Promise<CredentialsProviderError> {
  const error = await assertRejects(() => promise, CredentialsProviderError);
  assertFalse(printed(error).join().includes(CANARY), printed(error).join());
  return error;
}

describe("WebIdentityProvider.retrieve()", () => {
  it("sends one unsigned form with its parameters in order", async () => {
    const { runtime, sent } = setUp({ ...ENVIRONMENT, AWS_ROLE_SESSION_NAME: "web" });
    const options = { durationSeconds: 900, policy: '{"a":"*"}', policyArns: [{ arn: "arn:aws:iam::aws:policy/P" }] };
    const credentials = await new WebIdentityProvider({ ...options, runtime }).retrieve();
    assertEquals(credentials.source, "WebIdentityProvider");
    const [{ url, init }] = sent as [SentRequest];
    assertEquals([url, init.method], ["https://sts.eu-west-1.amazonaws.com/", "POST"]);
    assertEquals({ ...init.headers as object }, { "content-type": "application/x-www-form-urlencoded" });
    assertEquals(
      init.body,
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fapp" +
        `&RoleSessionName=web&WebIdentityToken=${TOKEN}&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FP` +
        "&Policy=%7B%22a%22%3A%22%2A%22%7D&DurationSeconds=900",
    );
  });

  it("makes up a session name from the time", async () => {
    const { runtime, sent } = setUp();
    await new WebIdentityProvider({ runtime }).retrieve();
    assert(`${sent[0]?.init.body}`.includes(`&RoleSessionName=rolecreds-${runtime.time}&`));
  });

  it("reads the token file again for each retrieval", async () => {
    const { runtime, sent } = setUp();
    const provider = new WebIdentityProvider({ runtime });
    await provider.retrieve();
    runtime.files["/token"] = "second.token";
    await provider.retrieve();
    assert(`${sent[1]?.init.body}`.includes("WebIdentityToken=second.token"));
  });

  it("uses the default region of the role's partition, where no region is set", async () => {
    const { runtime, sent } = setUp({ ...ENVIRONMENT, AWS_REGION: "", AWS_ROLE_ARN: ROLE.replace("aws", "aws-cn") });
    await new WebIdentityProvider({ runtime }).retrieve();
    assertEquals(sent[0]?.url, "https://sts.cn-north-1.amazonaws.com.cn/");
  });

  it("calls the endpoint that the environment names", async () => {
    const { runtime, sent } = setUp({ ...ENVIRONMENT, AWS_ENDPOINT_URL_STS: "http://127.0.0.1:4566/sts" });
    await new WebIdentityProvider({ runtime }).retrieve();
    assertEquals(sent[0]?.url, "http://127.0.0.1:4566/sts/");
  });

  it("refuses a region that would be another host", async () => {
    const { runtime, sent } = setUp({ ...ENVIRONMENT, AWS_REGION: "evil.example/" });
    assertEquals((await failure(new WebIdentityProvider({ runtime }).retrieve())).code, "ConfigurationError");
    assertEquals(sent.length, 0);
  });

  const absent: readonly (readonly [name: string, env: Record<string, string>, warns: boolean])[] = [
    ["neither variable is set", {}, false],
    ["only the role is set", { AWS_ROLE_ARN: ROLE }, false],
    ["only the token file is set", { AWS_WEB_IDENTITY_TOKEN_FILE: "/token" }, true],
    ["both are blank", { AWS_ROLE_ARN: " ", AWS_WEB_IDENTITY_TOKEN_FILE: "" }, false],
  ];
  for (const [name, env, warns] of absent) {
    it(`is not available, when ${name}`, async () => {
      const { runtime, sent } = setUp(env);
      const warnings: string[] = [];
      const logger = { warn: (message: string) => warnings.push(message) };
      const error = await failure(new WebIdentityProvider({ runtime, logger }).retrieve());
      assertEquals([error.code, error.tryNextLink, sent.length], ["NoCredentials", true, 0]);
      assertEquals(warnings.some((line) => line.includes("AWS_ROLE_ARN")), warns);
    });
  }

  const tokens: readonly (readonly [name: string, file: string | Error | undefined, says: string])[] = [
    ["is missing", undefined, "cannot be read"],
    ["cannot be read", new Error(`${CANARY}: EACCES`), "cannot be read"],
    ["is empty while it is replaced", "", "is empty"],
    ["holds white space only", " \n", "is empty"],
    ["holds two tokens", `${TOKEN}\n${TOKEN}\n`, "without white space"],
    ["is too short", "abc", "3 characters"],
    ["is too long", `${CANARY}${"x".repeat(20_000)}`, "20006 characters"],
  ];
  for (const [name, file, says] of tokens) {
    it(`sends nothing, when the token file ${name}`, async () => {
      const { runtime, sent } = setUp();
      delete runtime.files["/token"];
      if (file !== undefined) runtime.files["/token"] = file;
      const error = await failure(new WebIdentityProvider({ runtime }).retrieve());
      assertEquals([error.code, error.recoverable, error.tryNextLink], ["TokenFileError", true, false]);
      assert(error.message.includes(says), error.message);
      assertEquals(sent.length, 0);
    });
  }

  it("reads the file once more, when its token was expired and another is there now", async () => {
    const responses = [expiredToken(), success()];
    const { runtime, sent } = setUp(ENVIRONMENT, () => responses.shift() as Response);
    const { answer } = runtime;
    runtime.answer = (url, init) => {
      runtime.files["/token"] = "newer.token";
      return answer(url, init);
    };
    assertEquals((await new WebIdentityProvider({ runtime }).retrieve()).accessKeyId, "ASIAEXAMPLE");
    assertEquals(sent.map(({ init }) => /WebIdentityToken=([^&]+)/.exec(`${init.body}`)?.[1]), [TOKEN, "newer.token"]);
  });

  it("fails at once, when its token was expired and the file still holds it", async () => {
    const { runtime, sent } = setUp(ENVIRONMENT, expiredToken);
    const error = await failure(new WebIdentityProvider({ runtime }).retrieve());
    assertEquals([error.code, error.stsCode, error.recoverable, sent.length], ["StsError", "ExpiredToken", true, 1]);
  });
});

function expiredToken(): Response {
  const body =
    "<ErrorResponse><Error><Code>ExpiredTokenException</Code><Message>expired</Message></Error></ErrorResponse>";
  return new Response(body, { status: 400 });
}

interface ErrorRow {
  readonly name: string;
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
  readonly requests: number;
  readonly recoverable: boolean;
  readonly stsCode: string | null;
  readonly says?: string;
  readonly slept?: readonly number[];
}

describe("WebIdentityProvider.retrieve(): errors of STS", () => {
  for (
    const { name, status, body, headers = {}, requests, recoverable, stsCode, says = "", slept } of readTable<ErrorRow>(
      "sts_errors",
    )
  ) {
    it(name, async () => {
      const { runtime, sent } = setUp(ENVIRONMENT, () => new Response(body, { status, headers }));
      const error = await failure(new WebIdentityProvider({ runtime }).retrieve());
      assertEquals([error.code, error.statusCode, error.tryNextLink], ["StsError", status, false]);
      assertEquals([error.stsCode ?? null, error.recoverable, sent.length], [stsCode, recoverable, requests]);
      if (slept !== undefined) assertEquals(runtime.slept, slept);
      assert(`${error.message}\n${error.hint}`.includes(says), `${error.message}\n${error.hint}`);
    });
  }

  it("is StsUnreachable after three attempts, when there is no response", async () => {
    const { runtime } = setUp();
    let requests = 0;
    runtime.answer = () => {
      requests++;
      return Promise.reject(Object.assign(new TypeError(CANARY), { code: "ECONNREFUSED" }));
    };
    const error = await failure(new WebIdentityProvider({ runtime }).retrieve());
    assertEquals([error.code, error.recoverable, error.tryNextLink, requests], ["StsUnreachable", true, false, 3]);
    assert(error.hint?.includes("--allow-net=sts.eu-west-1.amazonaws.com"));
  });
});

describe("fromTokenFile()", () => {
  it("sends one request, when a thousand callers start at once", async () => {
    const { runtime, sent } = setUp();
    const provider = fromTokenFile({ runtime });
    await Promise.all(Array.from({ length: 1_000 }, () => provider()));
    assertEquals(sent.length, 1);
  });

  it("serves what it holds through an outage of STS, and throws once access is denied", async () => {
    const { runtime } = setUp();
    const provider = fromTokenFile({ runtime });
    await provider();
    runtime.answer = () => Promise.reject(new TypeError("no network"));
    runtime.time = Date.parse("2026-01-01T02:00:00Z");
    assertEquals((await provider()).accessKeyId, "ASIAEXAMPLE");
    runtime.time += 601_000;
    const denied = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
    runtime.answer = () => Promise.resolve(new Response(denied, { status: 403 }));
    assertEquals((await failure(provider())).stsCode, "AccessDenied");
  });

  const bad: readonly (readonly [name: string, options: object, code: string])[] = [
    ["a role that is no ARN", { roleArn: "app" }, "AssumeRoleConfigurationError"],
    ["a short session name", { roleArn: ROLE, roleSessionName: "x" }, "AssumeRoleConfigurationError"],
    ["a session name with a space", { roleArn: ROLE, roleSessionName: `${CANARY} x` }, "AssumeRoleConfigurationError"],
    ["a duration below 900", { roleArn: ROLE, durationSeconds: 899 }, "AssumeRoleConfigurationError"],
    ["a duration above 43200", { roleArn: ROLE, durationSeconds: 43_201 }, "AssumeRoleConfigurationError"],
    ["a duration with a fraction", { roleArn: ROLE, durationSeconds: 900.5 }, "AssumeRoleConfigurationError"],
    ["a blank region", { region: " " }, "ConfigurationError"],
  ];
  for (const [name, options, code] of bad) {
    it(`refuses ${name}, when created`, () => {
      const error = assertThrows(() => fromTokenFile(options), CredentialsProviderError);
      assertEquals(error.code, code);
      assertFalse(error.message.includes(CANARY));
    });
  }

  it("names the variable of a session name that STS would refuse", async () => {
    const { runtime } = setUp({ ...ENVIRONMENT, AWS_ROLE_SESSION_NAME: "two words" });
    const error = await failure(fromTokenFile({ runtime })());
    assertEquals(error.code, "AssumeRoleConfigurationError");
    assert(error.message.includes("AWS_ROLE_SESSION_NAME"), error.message);
  });
});

describe("fromWebToken()", () => {
  it("calls the function of the token once for each retrieval", async () => {
    const { runtime, sent } = setUp({ AWS_REGION: "eu-west-1" });
    let calls = 0;
    const provider = fromWebToken({
      roleArn: ROLE,
      webIdentityToken: () => Promise.resolve(`token-${++calls}`),
      runtime,
    });
    await Promise.all([provider(), provider()]);
    await provider({ forceRefresh: true });
    assertEquals(sent.map(({ init }) => /WebIdentityToken=([^&]+)/.exec(`${init.body}`)?.[1]), ["token-1", "token-2"]);
  });

  it("takes a string", async () => {
    const { runtime, sent } = setUp({});
    await fromWebToken({ roleArn: ROLE, webIdentityToken: TOKEN, runtime })();
    assertEquals(sent[0]?.url, "https://sts.us-east-1.amazonaws.com/");
  });

  it("is WebIdentityTokenError, when the function fails or returns no token", async () => {
    const reason = new Error("the issuer is down");
    const functions = [() => Promise.reject(reason), () => Promise.resolve(""), () => Promise.resolve(7 as never)];
    for (const webIdentityToken of functions) {
      const { runtime, sent } = setUp({});
      const error = await fromWebToken({ roleArn: ROLE, webIdentityToken, runtime })().catch((error) => error);
      assertInstanceOf(error, CredentialsProviderError);
      assertEquals([error.code, error.recoverable, sent.length], ["WebIdentityTokenError", true, 0]);
    }
  });
});
