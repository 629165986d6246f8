import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CredentialsProviderError, fromProfile, fromTemporaryCredentials, fromTokenFile } from "../../mod.ts";
import { ImdsEmulator, type ServedEmulator, serveEmulator, StsEmulator } from "../../lib/testing/mod.ts";
import { printed } from "../support/printed.ts";
import { moduleUrl, runProgram } from "../support/run_program.ts";

const ARN = "arn:aws:iam::123456789012:role/";
const HOUR_MS = 3_600_000;
const KEYS = { accessKeyId: "AKIAEMULATED00000001", secretAccessKey: "emulated-secret-access-key" };

describe("over a real connection to STS", () => {
  let folder: string;
  let servers: ServedEmulator[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rolecreds-"));
    servers = [];
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()));
    rmSync(folder, { recursive: true });
  });

  async function serve(emulator: ImdsEmulator | StsEmulator): Promise<string> {
    const server = await serveEmulator(emulator);
    servers.push(server);
    return server.endpoint;
  }

  it("web identity: a rotated token file is read, and an outage is survived", async () => {
    let now = Date.now();
    const runtime = { now: () => now, sleep: () => Promise.resolve(), random: () => 0, env: () => undefined };
    const sts = new StsEmulator({ tokens: ["first"], roles: { [`${ARN}app`]: {} }, runtime });
    const endpoint = await serve(sts);
    const webIdentityTokenFile = join(folder, "token");
    writeFileSync(webIdentityTokenFile, "first\n");
    const options = { webIdentityTokenFile, roleArn: `${ARN}app`, endpoint, sharedConfig: {}, logger: null, runtime };
    const provider = fromTokenFile(options);
    const first = await provider();
    assertEquals([first.source, first.accountId], ["WebIdentityProvider", "123456789012"]);

    sts.tokens.delete("first");
    sts.tokens.add("second");
    writeFileSync(webIdentityTokenFile, "second\n");
    now += 50 * 60_000;
    const second = await provider();
    assert(second.accessKeyId !== first.accessKeyId);

    sts.inject("reset", { times: Infinity });
    now += 2 * HOUR_MS;
    assertEquals((await provider()).accessKeyId, second.accessKeyId);

    sts.recover();
    now += HOUR_MS;
    assert((await provider()).accessKeyId !== second.accessKeyId);
  });

  it("three hops from IMDS refresh through a rotation and an outage of STS", async () => {
    let now = Date.now();
    const runtime = { now: () => now, sleep: () => Promise.resolve(), random: () => 0, env: () => undefined };
    const imds = new ImdsEmulator({ runtime });
    const roles = { [`${ARN}a`]: { externalId: "an-id" }, [`${ARN}b`]: {}, [`${ARN}c`]: {} };
    const sts = new StsEmulator({ credentialsFrom: [imds], roles, runtime });
    const config = `[profile a]\nrole_arn = ${ARN}a\nsource_profile = b\nexternal_id = an-id\nregion = eu-west-1\n` +
      `[profile b]\nrole_arn = ${ARN}b\nsource_profile = c\n` +
      `[profile c]\nrole_arn = ${ARN}c\ncredential_source = Ec2InstanceMetadata\n`;
    const provider = fromProfile({
      profile: "a",
      sharedConfig: { config },
      imds: { endpoint: await serve(imds) },
      sts: { endpoint: await serve(sts) },
      logger: null,
      runtime,
    });
    const first = await provider();
    assertEquals([sts.requests.length, imds.requests.length], [3, 3]);
    now += 50 * 60_000;
    const second = await provider();
    assert(second.accessKeyId !== first.accessKeyId);
    assertEquals([sts.requests.length, imds.requests.length], [6, 3]);

    imds.rotate();
    now += 5 * HOUR_MS;
    const third = await provider();
    assertEquals(sts.requests.length, 9);

    sts.inject({ status: 503 }, { times: Infinity });
    now += 50 * 60_000;
    assertEquals((await provider()).accessKeyId, third.accessKeyId);
  });

  for (const minutes of [10, -10]) {
    it(`a clock that is off by ${minutes} minutes is corrected`, async () => {
      const runtime = { now: () => Date.now() + minutes * 60_000, env: () => undefined };
      const sts = new StsEmulator({ roles: { [`${ARN}app`]: {} }, maxSkewMs: 300_000 });
      const options = { params: { RoleArn: `${ARN}app` }, masterCredentials: KEYS, endpoint: await serve(sts) };
      const provider = fromTemporaryCredentials({ ...options, sharedConfig: {}, logger: null, runtime });
      await provider();
      assertEquals(sts.requests.map(({ status }) => status >= 400), [true, false]);
    });
  }

  const faults = [
    ["reset", "StsUnreachable"],
    ["truncated", "StsUnreachable"],
    ["html", "StsInvalidResponse"],
    ["oversized", "StsInvalidResponse"],
    ["binary", "StsInvalidResponse"],
    ["redirect", "StsError"],
    ["throttled", "StsError"],
    ["AccessDenied", "StsError"],
    ["RegionDisabledException", "StsError"],
  ] as const;
  for (const [fault, code] of faults) {
    it(`${fault} is ${code}, and the next retrieval works`, async () => {
      const sts = new StsEmulator({ roles: { [`${ARN}app`]: {} } });
      const endpoint = await serve(sts);
      sts.inject(fault as "reset", { times: Infinity });
      const runtime = { sleep: () => Promise.resolve(), env: () => undefined };
      const provider = fromTemporaryCredentials({
        params: { RoleArn: `${ARN}app`, ExternalId: "canary-external" },
        masterCredentials: KEYS,
        endpoint,
        sharedConfig: {},
        runtime,
      });
      const error = await assertRejects(() => provider(), CredentialsProviderError);
      assertEquals(error.code, code);
      assertFalse(/canary|emulated-secret/.test(printed(error).join()), printed(error).join());
      sts.recover();
      provider.clear();
      await provider();
    });
  }

  it("real processes get credentials through defaultProvider() with the variables of IRSA alone", async () => {
    const sts = new StsEmulator({ tokens: ["a-token"], roles: { [`${ARN}app`]: {} } });
    const file = join(folder, "token");
    writeFileSync(file, "a-token\n");
    const { stdout, stderr, exitCode } = await runProgram(printDefault(), {
      env: {
        AWS_WEB_IDENTITY_TOKEN_FILE: file,
        AWS_ROLE_ARN: `${ARN}app`,
        AWS_REGION: "eu-west-1",
        AWS_ENDPOINT_URL_STS: await serve(sts),
      },
    });
    assertEquals([exitCode, stderr], [0, ""]);
    assert(stdout.startsWith("WebIdentityProvider ASIA"), stdout);
    assertEquals(sts.requests.length, 1);
  });

  it("real processes assume the role of a profile in ~/.aws", async () => {
    const sts = new StsEmulator({ roles: { [`${ARN}app`]: {} } });
    mkdirSync(join(folder, ".aws"));
    const config = `[profile app]\nrole_arn = ${ARN}app\nsource_profile = base\nregion = eu-west-1\n`;
    const credentials =
      `[base]\naws_access_key_id = ${KEYS.accessKeyId}\naws_secret_access_key = ${KEYS.secretAccessKey}\n`;
    writeFileSync(join(folder, ".aws/config"), config);
    writeFileSync(join(folder, ".aws/credentials"), credentials);
    const { stdout, stderr, exitCode } = await runProgram(printDefault(), {
      env: { HOME: folder, AWS_PROFILE: "app", AWS_ENDPOINT_URL_STS: await serve(sts) },
    });
    assertEquals([exitCode, stderr], [0, ""]);
    assert(stdout.startsWith("AssumeRoleProvider ASIA"), stdout);
    assertEquals(sts.requests.length, 1);
  });
});

function printDefault(): string {
  return `import { defaultProvider } from ${JSON.stringify(moduleUrl("mod.ts"))};
    const { source, accessKeyId } = await defaultProvider()();
    console.log(source, accessKeyId);`;
}
