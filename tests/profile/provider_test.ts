import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, fromProcess, fromProfile, type ProfileOptions, ProfileProvider } from "../../mod.ts";
import { ImdsEmulator } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";

const STATIC = "aws_access_key_id = AKIASTATIC\naws_secret_access_key = CANARY-secret\n";

async function failure(promise: Promise<unknown>): Promise<CredentialsProviderError> {
  return await assertRejects(() => promise, CredentialsProviderError);
}

function provide(config: string, options: ProfileOptions = {}) {
  const runtime = new FakeRuntime();
  runtime.answer = new ImdsEmulator({ runtime }).fetch;
  return fromProfile({ sharedConfig: { config }, runtime, ...options });
}

describe("fromProfile()", () => {
  it("returns static keys, with token and account where the profile has them", async () => {
    const config = `[default]\n${STATIC}aws_session_token = CANARY-token\naws_account_id = 123456789012\n`;
    const credentials = await provide(config)();
    assertEquals({ ...credentials }, {
      accessKeyId: "AKIASTATIC",
      secretAccessKey: "CANARY-secret",
      sessionToken: "CANARY-token",
      accountId: "123456789012",
      source: "ProfileProvider",
    });
    for (const shown of printed(credentials)) assertFalse(shown.includes("CANARY"), shown);
  });

  it("warns that static keys win over credential_process", async () => {
    const lines: string[] = [];
    const logger = { warn: (message: string) => lines.push(message) };
    await provide(`[default]\n${STATIC}credential_process = CANARY\n`, { logger })();
    assertEquals(lines, ["profile default uses its static keys, and ignores credential_process"]);
    assertFalse(lines.join().includes("CANARY"));
  });

  it("asks the instance for credential_source = Ec2InstanceMetadata, and keeps the answer through an outage", async () => {
    const runtime = new FakeRuntime();
    const emulator = new ImdsEmulator({ runtime });
    runtime.answer = emulator.fetch;
    const config = "[default]\ncredential_source = Ec2InstanceMetadata\n";
    const provider = fromProfile({ sharedConfig: { config }, runtime });
    const { source, accessKeyId } = await provider();
    assertEquals(source, "EC2RoleProvider");
    runtime.time += 24 * 3_600_000;
    emulator.inject("reset", { times: Infinity });
    assertEquals((await provider()).accessKeyId, accessKeyId);
  });

  it("passes `imds` on", async () => {
    const config = "[default]\ncredential_source = Ec2InstanceMetadata\n";
    assertEquals((await failure(provide(config, { imds: { disabled: true } })())).code, "ImdsDisabled");
  });

  const failing: readonly [string, string, string, boolean][] = [
    ["[default]\nrole_arn = arn\nsource_profile = x\n", "AssumeRoleConfigurationError", "role_arn", false],
    ["[default]\nlogin_session = x\n", "ConfigurationError", "login", false],
    ["[default]\naws_access_key_id = A\n", "ConfigurationError", "aws_secret_access_key", false],
    ["[default]\ncredential_source = Elsewhere\n", "AssumeRoleConfigurationError", "credential_source", false],
    ["[default]\nregion = r\n", "NoCredentials", "profile default", true],
    ["", "ProfileNotFoundError", "profile default", true],
    ["[default]\nbroken\n", "ConfigParseError", "line 2", false],
  ];
  for (const [config, code, says, tryNextLink] of failing) {
    it(`fails with ${code}, for ${JSON.stringify(config)}`, async () => {
      const error = await failure(provide(config)());
      assertEquals([error.code, error.tryNextLink], [code, tryNextLink]);
      assert(error.message.includes(says), error.message);
      assert(error.hint !== undefined);
    });
  }

  it("makes profile names printable", async () => {
    const name = "a\u001b[31m\u2028b";
    const configs = ["", `[profile ${name}]\n`];
    for (const make of [fromProfile, fromProcess]) {
      for (const config of configs) {
        const error = await failure(make({ profile: name, sharedConfig: { config }, runtime: new FakeRuntime() })());
        assert(error.message.includes("profile a [31m b"), error.message);
        assertFalse(/[\p{Cc}\p{Zl}]/u.test(`${error.message}${error.hint}`), error.message);
      }
    }
  });

  it("stops a chain at a named profile that does not exist", async () => {
    const error = await failure(provide("[default]\n" + STATIC, { profile: "gone" })());
    assertEquals([error.code, error.tryNextLink], ["ProfileNotFoundError", false]);
  });
});

describe("fromProfile() with a credential_process", () => {
  const config = "[default]\ncredential_process = x\naws_account_id = 111111111111\n";
  const cases = [[{}, "111111111111"], [{ accountId: "222222222222" }, "222222222222"]] as const;
  for (const [process, expected] of cases) {
    it(`names the account ${expected}, with process: ${JSON.stringify(process)}`, async () => {
      const runtime = new FakeRuntime();
      const stdout = new TextEncoder().encode('{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"s"}');
      runtime.spawn = () => Promise.resolve({ kind: "exited", exitCode: 0, stdout });
      const { accountId } = await fromProfile({ sharedConfig: { config }, runtime, process })();
      assertEquals(accountId, expected);
    });
  }
});

describe("fromProfile() with a file that changes", () => {
  const PATH = "/home/me/.aws/credentials";
  const keys = (id: string) => `[default]\naws_access_key_id = ${id}\naws_secret_access_key = s\n`;

  function setUp(options: ProfileOptions = {}) {
    const runtime = new FakeRuntime({ HOME: "/home/me" });
    runtime.files[PATH] = keys("AKIAOLD");
    return { runtime, provider: fromProfile({ runtime, ...options }) };
  }

  it("reads it again with forceRefresh", async () => {
    const { runtime, provider } = setUp();
    await provider();
    runtime.files[PATH] = keys("AKIANEW");
    assertEquals((await provider()).accessKeyId, "AKIAOLD");
    assertEquals((await provider({ forceRefresh: true })).accessKeyId, "AKIANEW");
    assertEquals((await provider()).accessKeyId, "AKIANEW");
  });

  it("reads it again after invalidate()", async () => {
    const { runtime, provider } = setUp();
    const rejected = await provider();
    runtime.files[PATH] = keys("AKIANEW");
    provider.invalidate(rejected);
    assertEquals((await provider()).accessKeyId, "AKIANEW");
  });

  it("reads it for each retrieval with ignoreCache", async () => {
    const { runtime } = setUp();
    const provider = new ProfileProvider({ runtime, ignoreCache: true });
    await provider.retrieve();
    runtime.files[PATH] = keys("AKIANEW");
    assertEquals((await provider.retrieve()).accessKeyId, "AKIANEW");
  });

  it("does what the profile says now, when it named something else before", async () => {
    const { runtime, provider } = setUp();
    await provider();
    const Version = 1;
    const document = JSON.stringify({ Version, AccessKeyId: "AKIAPROCESS", SecretAccessKey: "s" });
    runtime.spawn = () => Promise.resolve({ kind: "exited", exitCode: 0, stdout: new TextEncoder().encode(document) });
    runtime.files[PATH] = "[default]\ncredential_process = x\naws_account_id = 123456789012\n";
    const { accessKeyId, accountId } = await provider({ forceRefresh: true });
    assertEquals([accessKeyId, accountId], ["AKIAPROCESS", "123456789012"]);
  });

  it("gives the new command to fromProcess({ profile }) with forceRefresh", async () => {
    const { runtime } = setUp();
    const commands: string[] = [];
    runtime.spawn = (command) => {
      commands.push(command.join(" "));
      return Promise.resolve({ kind: "notStarted", cause: new Error("no process") });
    };
    runtime.files[PATH] = "[default]\ncredential_process = old\n";
    const provider = fromProcess({ profile: "default", runtime });
    await provider().catch(() => {});
    runtime.files[PATH] = "[default]\ncredential_process = new\n";
    await provider({ forceRefresh: true }).catch(() => {});
    assertEquals(commands, ["/bin/sh -c old", "/bin/sh -c new"]);
  });
});

describe("ProfileProvider", () => {
  it("shows no secret when printed", async () => {
    const sharedConfig = { config: `[default]\n${STATIC}` };
    const provider = new ProfileProvider({ sharedConfig, runtime: new FakeRuntime() });
    await provider.retrieve();
    for (const shown of printed(provider)) assertFalse(shown.includes("CANARY"), shown);
    assertEquals(provider.providerSources(), ["Profile"]);
  });
});
