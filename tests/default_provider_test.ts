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
    const [, ...lines] = error.message.split("\n");
    const errors = (error.errors ?? []) as readonly CredentialsProviderError[];
    assertEquals(lines, errors.map(({ code, message, hint }) => `  ${code}: ${message}. ${hint}`));
  });

  it("gives up as fast where a profile names the instance role", async () => {
    const runtime = new FakeRuntime();
    const emulator = new ImdsEmulator({ runtime });
    emulator.inject("hang", { times: Infinity });
    runtime.answer = emulator.fetch;
    const start = runtime.time;
    const sharedConfig = { config: "[default]\ncredential_source = Ec2InstanceMetadata\n" };
    const error = await assertRejects(() => defaultProvider({ runtime, sharedConfig })(), CredentialsProviderError);
    assertEquals([error.code, runtime.time - start], ["ImdsTokenTimeout", 1_000]);
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

describe("defaultProvider(), in a container", () => {
  const EXPIRATION = "2026-01-01T01:00:00Z";
  const SET = { AccessKeyId: "ASIACONTAINER", SecretAccessKey: "secret", Token: "token", Expiration: EXPIRATION };
  const STS =
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAWEB</AccessKeyId>" +
    `<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${EXPIRATION}</Expiration>` +
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
  const CONTAINER = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials" };
  const WEB_IDENTITY = { AWS_WEB_IDENTITY_TOKEN_FILE: "/token", AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/app" };

  function inContainer(variables: Record<string, string>) {
    const runtime = new FakeRuntime(variables);
    runtime.files["/token"] = "web-identity-token";
    const urls: string[] = [];
    runtime.answer = (url) => {
      urls.push(url);
      return Promise.resolve(url.startsWith("http://169.254.170.2/") ? Response.json(SET) : new Response(STS));
    };
    return { runtime, urls };
  }

  it("takes the credentials of the container before those of the instance, and refreshes them ahead of time", async () => {
    const { runtime, urls } = inContainer(CONTAINER);
    const provider = defaultProvider({ runtime });
    assertEquals((await provider()).accessKeyId, "ASIACONTAINER");
    assertEquals(urls, ["http://169.254.170.2/v2/credentials"]);
    assertEquals(provider.cache.nextRefresh, new Date(Date.parse(EXPIRATION) - 15 * 60_000));
  });

  it("takes the web identity before the container", async () => {
    const { runtime, urls } = inContainer({ ...CONTAINER, ...WEB_IDENTITY });
    const provider = defaultProvider({ runtime, region: "eu-west-1" });
    assertEquals((await provider()).accessKeyId, "ASIAWEB");
    assertEquals(urls, ["https://sts.eu-west-1.amazonaws.com/"]);
  });

  it("hands the options of container and sts to these two only", async () => {
    const { runtime, urls } = inContainer({});
    const container = { awsContainerCredentialsFullUri: "http://127.0.0.1:8080/creds" };
    runtime.answer = (url) => {
      urls.push(url);
      return Promise.resolve(new Response(null, { status: 500 }));
    };
    await assertRejects(() => defaultProvider({ runtime, container: { ...container, maxRetries: 0 } })());
    assertEquals(urls, ["http://127.0.0.1:8080/creds"]);
    await assertRejects(() => defaultProvider({ runtime, sts: { endpoint: "http://127.0.0.1:8081" } })());
    assertEquals(urls.slice(1), ["http://169.254.169.254/latest/api/token"]);
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
