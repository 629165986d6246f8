import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  cached,
  chain,
  createCredentialChain,
  type Credentials,
  CredentialsCache,
  CredentialsProviderError,
  defaultProvider,
  fromContainerMetadata,
  fromHttp,
  fromIni,
  fromInstanceMetadata,
  fromNodeProviderChain,
  fromProcess,
  fromProfile,
  fromSSO,
  fromTemporaryCredentials,
  fromTokenFile,
  fromWebToken,
  InstanceMetadataProvider,
  type SpawnOptions,
} from "../mod.ts";
import { EcsEmulator, ImdsEmulator, StsEmulator } from "../lib/testing/mod.ts";
import { FakeRuntime } from "./support/fake_runtime.ts";

// Covers each row of the table "Coming from another library" in the README, and more of these libraries.

const DOCUMENT = { Version: 1, AccessKeyId: "AKIAPROCESS", SecretAccessKey: "secret" };

function onEc2() {
  const runtime = new FakeRuntime();
  const emulator = new ImdsEmulator({ runtime });
  runtime.answer = emulator.fetch;
  return { runtime, emulator };
}

function withProcess(document: object = DOCUMENT, exitCode = 0) {
  const runtime = new FakeRuntime();
  const runs: { readonly command: readonly string[]; readonly options: SpawnOptions }[] = [];
  runtime.spawn = (command, options) => {
    runs.push({ command, options });
    return Promise.resolve({ kind: "exited", exitCode, stdout: new TextEncoder().encode(JSON.stringify(document)) });
  };
  return { runtime, runs };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, CredentialsProviderError)).code;
}

describe("coming from Go v2 ec2rolecreds", () => {
  it("ec2rolecreds.New() is new InstanceMetadataProvider()", async () => {
    const provider = new InstanceMetadataProvider({ runtime: onEc2().runtime });
    assertEquals((await provider.retrieve()).source, "EC2RoleProvider");
  });

  it("aws.NewCredentialsCache(provider) is new CredentialsCache(provider), and both are fromInstanceMetadata()", async () => {
    const { runtime, emulator } = onEc2();
    const cache = new CredentialsCache(new InstanceMetadataProvider({ runtime }), { runtime });
    await Promise.all([cache.get(), cache.get()]);
    assertEquals(emulator.requests.length, 3);
  });

  it("o.Client is `client`", async () => {
    const document = {
      AccessKeyId: "ASIAEXAMPLE",
      SecretAccessKey: "S",
      Token: "T",
      Expiration: "2030-01-01T00:00:00Z",
    };
    const client = { get: (path: string) => Promise.resolve(path.endsWith("/") ? "role" : JSON.stringify(document)) };
    assertEquals((await new InstanceMetadataProvider({ client }).retrieve()).accessKeyId, "ASIAEXAMPLE");
  });

  it("http.Client{Timeout} is `timeout`, in milliseconds", async () => {
    const { runtime, emulator } = onEc2();
    emulator.inject("hang", { times: Infinity });
    const start = runtime.time;
    await codeOf(new InstanceMetadataProvider({ runtime, timeout: 5_000, maxRetries: 0 }).retrieve());
    assertEquals(runtime.time - start, 5_000);
  });

  it("provider.Retrieve(ctx) is provider.retrieve({ signal })", async () => {
    const provider = new InstanceMetadataProvider({ runtime: onEc2().runtime });
    await assertRejects(() => provider.retrieve({ signal: AbortSignal.abort() }), DOMException);
  });

  it('"no EC2 IMDS role found" is code ImdsNoRole, with these words in the message', async () => {
    const { runtime, emulator } = onEc2();
    emulator.role = null;
    const provider = new InstanceMetadataProvider({ runtime });
    const error = await assertRejects(() => provider.retrieve(), CredentialsProviderError);
    assertEquals(error.code, "ImdsNoRole");
    assert(error.message.includes("no EC2 IMDS role found"));
  });

  it("HandleFailToRefresh, AdjustExpiresBy and ProviderSources are methods", () => {
    const { runtime } = onEc2();
    const provider = new InstanceMetadataProvider({ runtime });
    const previous = { accessKeyId: "A", secretAccessKey: "S", source: "x", expiration: new Date(runtime.time) };
    runtime.nextRandom = 0;
    const extended = provider.handleFailToRefresh(previous, new Error("unavailable"));
    assertEquals(extended.expiration?.getTime(), runtime.time + 300_000);
    const later: Credentials = { ...previous, expiration: new Date(runtime.time + 3_600_000) };
    assertEquals(provider.adjustExpiresBy(later, -60_000).expiration?.getTime(), runtime.time + 3_540_000);
    assertEquals(provider.providerSources(), ["IMDS"]);
  });

  it("the expiration of an hour at most is `capExpirySeconds: 3600`", async () => {
    const { runtime } = onEc2();
    const { expiration } = await fromInstanceMetadata({ runtime, capExpirySeconds: 3_600 })();
    assertEquals(expiration?.getTime(), runtime.time + 3_600_000);
  });

  it("credential_source = Ec2InstanceMetadata is fromProfile()", async () => {
    const sharedConfig = { config: "[default]\ncredential_source = Ec2InstanceMetadata\n" };
    assertEquals((await fromProfile({ runtime: onEc2().runtime, sharedConfig })()).source, "EC2RoleProvider");
  });
});

describe("coming from Go v1 processcreds", () => {
  it("NewCredentials(command) is fromProcess({ command })", async () => {
    const { runtime, runs } = withProcess();
    assertEquals((await fromProcess({ command: "/path/to/command", runtime })()).accessKeyId, "AKIAPROCESS");
    assertEquals(runs[0]?.command, ["/bin/sh", "-c", "/path/to/command"]);
  });

  it("NewCredentialsTimeout(command, d) is `timeout` in milliseconds, MaxBufSize is `maxBufferSize`", async () => {
    const { runtime, runs } = withProcess();
    await fromProcess({ command: "x", timeout: 120_000, maxBufferSize: 2_048, runtime })();
    assertEquals([runs[0]?.options.timeoutMs, runs[0]?.options.maxOutputBytes], [120_000, 2_048]);
  });

  it("NewCredentialsCommand(exec.Command(…)) is an array as `command`, with `env`", async () => {
    const { runtime, runs } = withProcess();
    await fromProcess({ command: ["/path/to/command", "a b"], env: { KEY: "value" }, runtime })();
    assertEquals(runs[0]?.command, ["/path/to/command", "a b"]);
    assertEquals(runs[0]?.options.env["KEY"], "value");
  });

  it("ExpiryWindow is `expiryWindowSeconds`", async () => {
    const document = { ...DOCUMENT, Expiration: "2026-01-01T00:01:00Z" };
    const { runtime, runs } = withProcess(document);
    const provider = fromProcess({ command: "x", expiryWindowSeconds: 10, runtime });
    await provider();
    runtime.time += 49_999;
    await provider();
    assertEquals(runs.length, 1);
    runtime.time += 1;
    await provider();
    assertEquals(runs.length, 2);
  });

  it("Duration is left out: there, too, credentials without Expiration are kept", async () => {
    const { runtime, runs } = withProcess();
    const provider = fromProcess({ command: "x", runtime });
    await provider();
    runtime.time += 365 * 86_400_000;
    await provider();
    assertEquals(runs.length, 1);
  });

  const failing: readonly [string, object, number][] = [
    ["ProcessProviderExecutionError", DOCUMENT, 1],
    ["ProcessProviderParseError", [DOCUMENT], 0],
    ["ProcessProviderVersionError", { ...DOCUMENT, Version: 2 }, 0],
    ["ProcessProviderRequiredError", { ...DOCUMENT, AccessKeyId: "" }, 0],
  ];
  for (const [code, document, exitCode] of failing) {
    it(`ErrCode ${code} is the code ${code}`, async () => {
      const { runtime } = withProcess(document, exitCode);
      assertEquals(await codeOf(fromProcess({ command: "x", runtime })()), code);
    });
  }

  it("credential_process in the config file is fromProfile(), where static keys win, or fromProcess({ profile })", async () => {
    const keys = "aws_access_key_id = AKIASTATIC\naws_secret_access_key = s\n";
    const { runtime, runs } = withProcess();
    const alone = { config: "[default]\ncredential_process = /path\n" };
    const both = { config: `[default]\ncredential_process = /path\n${keys}` };
    assertEquals((await fromProfile({ runtime, sharedConfig: alone })()).accessKeyId, "AKIAPROCESS");
    assertEquals((await fromProfile({ runtime, sharedConfig: both })()).accessKeyId, "AKIASTATIC");
    assertEquals((await fromProcess({ profile: "default", runtime, sharedConfig: both })()).accessKeyId, "AKIAPROCESS");
    assertEquals(runs.length, 2);
  });
});

describe("coming from AWS SDK for JavaScript v2 EC2MetadataCredentials", () => {
  it("the constructor's options are those of fromInstanceMetadata()", async () => {
    const { runtime, emulator } = onEc2();
    const lines: string[] = [];
    emulator.inject({ status: 503 }, { times: 10 });
    await fromInstanceMetadata({
      httpOptions: { timeout: 5_000, connectTimeout: 5_000 },
      maxRetries: 10,
      retryDelayOptions: { base: 200 },
      logger: { debug: (line: string) => lines.push(line) },
      ec2MetadataV1Disabled: false,
      runtime,
    })();
    assertEquals(runtime.slept.slice(0, 3), [100, 200, 400]);
    assert(lines.some((line) => line.includes("EC2RoleProvider")), lines.join());
  });

  it("getPromise() is the provider itself, refreshPromise() is cache.refresh(), needsRefresh() the cache's", async () => {
    const { runtime, emulator } = onEc2();
    const provider = fromInstanceMetadata({ runtime });
    assertEquals(provider.cache.needsRefresh(), true);
    await provider();
    assertEquals([provider.cache.needsRefresh(), provider.cache.expired], [false, false]);
    await provider.cache.refresh();
    assertEquals(emulator.requests.length, 4);
  });

  it("accessKeyId, secretAccessKey and sessionToken are those of cache.peek()", async () => {
    const { runtime, emulator } = onEc2();
    const provider = fromInstanceMetadata({ runtime });
    assertEquals(provider.cache.peek(), undefined);
    const credentials = await provider();
    assertEquals({ ...provider.cache.peek() }, { ...credentials });
    assertEquals(emulator.requests.length, 3);
  });

  it("expiryWindow is `expiryWindowSeconds`, for expired and needsRefresh()", async () => {
    const { runtime } = onEc2();
    const { cache } = fromInstanceMetadata({ runtime, expiryWindowSeconds: 60 });
    await cache.get();
    runtime.time = Number(cache.expireTime) - 60_001;
    assertEquals([cache.needsRefresh(), cache.expired], [false, false]);
    runtime.time += 1;
    assertEquals([cache.needsRefresh(), cache.expired], [true, true]);
  });

  it("expireTime is the cache's, originalExpiration is in the credentials", async () => {
    const { runtime, emulator } = onEc2();
    const provider = fromInstanceMetadata({ runtime, logger: null });
    const { expiration } = await provider();
    assertEquals(provider.cache.expireTime, expiration);
    emulator.inject("reset", { times: Infinity });
    runtime.time += 6 * 3_600_000;
    const extended = await provider();
    assertEquals(extended.originalExpiration, expiration);
    assert(extended.expiration !== undefined && extended.expiration.getTime() > runtime.time);
  });
});

describe("coming from AWS SDK for JavaScript v3", () => {
  it("fromInstanceMetadata({ timeout, maxRetries, ec2MetadataV1Disabled, profile, logger }) is the same", async () => {
    const { runtime } = onEc2();
    const options = { timeout: 1_000, maxRetries: 0, ec2MetadataV1Disabled: true, profile: "dev", logger: {} };
    assertEquals((await fromInstanceMetadata({ ...options, runtime })()).source, "EC2RoleProvider");
  });

  it("fromProcess({ profile, filepath, configFilepath }) is the same", async () => {
    const { runtime } = withProcess();
    runtime.files["/config"] = "[profile dev]\ncredential_process = /path\n";
    runtime.files["/credentials"] = "";
    const options = { profile: "dev", configFilepath: "/config", filepath: "/credentials", runtime };
    assertEquals((await fromProcess(options)()).accessKeyId, "AKIAPROCESS");
  });

  it("fromIni({ profile, filepath, configFilepath, ignoreCache, logger }) is the same, as fromProfile()", async () => {
    const runtime = new FakeRuntime();
    runtime.files["/config"] = "[profile dev]\nregion = eu-west-1\n";
    runtime.files["/credentials"] = "[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n";
    const files = { configFilepath: "/config", filepath: "/credentials", ignoreCache: true };
    assertEquals((await fromIni({ profile: "dev", ...files, logger: {}, runtime })()).accessKeyId, "AKIADEV");
    assertStrictEquals(fromIni, fromProfile);
  });

  it("fromNodeProviderChain({ profile, … }) is the same, as defaultProvider()", async () => {
    const { runtime } = onEc2();
    assertEquals((await fromNodeProviderChain({ runtime })()).source, "EC2RoleProvider");
    assertStrictEquals(fromNodeProviderChain, defaultProvider);
  });

  it("fromHttp({ awsContainerCredentials…, awsContainerAuthorization… }) is the same, as fromContainerMetadata()", async () => {
    const runtime = new FakeRuntime();
    runtime.answer = new EcsEmulator({ runtime, authorizationToken: "token" }).fetch;
    const options = {
      awsContainerCredentialsRelativeUri: "/v2/credentials/emulated-task",
      awsContainerAuthorizationToken: "token",
    };
    assertEquals((await fromHttp({ ...options, runtime })()).source, "ContainerProvider");
    assertStrictEquals(fromHttp, fromContainerMetadata);
  });

  const ROLE = "arn:aws:iam::123456789012:role/emulated-role";
  function withSts() {
    const runtime = new FakeRuntime();
    runtime.answer = new StsEmulator({ runtime }).fetch;
    runtime.files["/token"] = "emulated-web-identity-token";
    runtime.home = "/home/me";
    return { runtime, sharedConfig: {} };
  }

  it("fromTokenFile({ roleArn, webIdentityTokenFile, roleSessionName }) is the same", async () => {
    const options = { roleArn: ROLE, webIdentityTokenFile: "/token", roleSessionName: "me" };
    assertEquals((await fromTokenFile({ ...options, ...withSts() })()).source, "WebIdentityProvider");
  });

  it("fromWebToken({ roleArn, webIdentityToken, durationSeconds }) is the same", async () => {
    const options = { roleArn: ROLE, webIdentityToken: "emulated-web-identity-token", durationSeconds: 900 };
    assertEquals((await fromWebToken({ ...options, ...withSts() })()).source, "WebIdentityProvider");
  });

  it("fromTemporaryCredentials({ params, masterCredentials, clientConfig: { region } }) is the same", async () => {
    const masterCredentials = {
      accessKeyId: "AKIAEMULATED00000001",
      secretAccessKey: "emulated-secret-access-key",
    };
    const options = { params: { RoleArn: ROLE }, masterCredentials, clientConfig: { region: "eu-west-1" } };
    assertEquals((await fromTemporaryCredentials({ ...options, ...withSts() })()).source, "AssumeRoleProvider");
  });

  it("fromSSO({ ssoStartUrl, ssoRegion, ssoAccountId, ssoRoleName }) is the same", async () => {
    const options = { ssoStartUrl: "https://x.awsapps.com/start", ssoRegion: "eu-west-1" };
    const role = { ssoAccountId: "123456789012", ssoRoleName: "admin" };
    assertEquals(await codeOf(fromSSO({ ...options, ...role, ...withSts() })()), "SsoTokenError");
  });

  it("createCredentialChain(a, b) is the same, as chain()", async () => {
    const absent = Object.assign(new Error("none"), { tryNextLink: true });
    const { runtime } = onEc2();
    const links = createCredentialChain(() => Promise.reject(absent), fromInstanceMetadata({ runtime }));
    assertEquals((await cached(links, { runtime })()).source, "EC2RoleProvider");
    assertStrictEquals(createCredentialChain, chain);
  });

  it("a client's `credentials` takes all of them, and adds no cache", () => {
    const providers = [fromInstanceMetadata(), fromIni(), fromNodeProviderChain(), createCredentialChain(fromIni())];
    assertEquals(providers.map(({ memoized }) => memoized), [true, true, true, true]);
  });

  const refused: readonly [string, (options: never) => unknown, readonly string[]][] = [
    ["fromIni", fromIni, ["roleAssumer", "clientConfig", "parentClientConfig", "clientPlugins"]],
    [
      "fromNodeProviderChain",
      fromNodeProviderChain,
      ["clientConfig", "timeout", "maxRetries", "ec2MetadataV1Disabled", "roleArn", "ssoStartUrl"],
    ],
    ["fromTokenFile", fromTokenFile, [
      "roleAssumerWithWebIdentity",
      "clientConfig",
      "parentClientConfig",
      "clientPlugins",
    ]],
    ["fromWebToken", fromWebToken, [
      "roleAssumerWithWebIdentity",
      "clientConfig",
      "parentClientConfig",
      "clientPlugins",
    ]],
    ["fromSSO", fromSSO, ["ssoClient", "clientConfig", "parentClientConfig"]],
    ["fromTemporaryCredentials", withRole(fromTemporaryCredentials), ["parentClientConfig", "clientPlugins"]],
  ];
  for (const [name, make, options] of refused) {
    for (const option of options) {
      it(`${name}({ ${option} }) is refused, with a reason`, () => {
        make({ [option]: undefined } as never);
        const error = assertThrows(() => make({ [option]: {} } as never), CredentialsProviderError);
        assertEquals(error.code, "ConfigurationError");
        assertMatch(error.message, new RegExp(`: ${option} must be left out \\(.+\\), received an? object$`));
      });
    }
  }
});

function withRole(make: typeof fromTemporaryCredentials): (options: never) => unknown {
  return (options) => make({ params: { RoleArn: "arn:aws:iam::123456789012:role/x" }, ...options as object });
}
