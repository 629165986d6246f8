import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CredentialsProviderError, fromProcess, fromProfile } from "../../mod.ts";
import { describeOnPosix } from "../support/processes.ts";
import { moduleUrl, runProgram } from "../support/run_program.ts";

const DOCUMENT = '{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"secret"}';
const CONFIG = `[default]
region = r

[profile helper]
credential_process = echo '${DOCUMENT}'
aws_account_id = 123456789012

[profile keys]
region = r

[profile bad]
credential_process = exit 3 # CANARY-argument
`;

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "rolecreds-"));
  mkdirSync(join(home, ".aws"));
  writeFileSync(join(home, ".aws", "config"), CONFIG);
  writeFileSync(join(home, ".aws", "credentials"), "[keys]\naws_access_key_id = AKIAKEYS\naws_secret_access_key = s\n");
  writeFileSync(join(home, "other"), "[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = s\n");
});
afterEach(() => rmSync(home, { recursive: true }));

function runtime(env: Record<string, string> = {}) {
  return { env: (name: string) => ({ HOME: home, ...env })[name], homeDirectory: () => undefined };
}

async function failure(promise: Promise<unknown>): Promise<CredentialsProviderError> {
  return await assertRejects(() => promise, CredentialsProviderError);
}

describeOnPosix("with real files and a real process", () => {
  it("fromProfile() takes keys from the credentials file", async () => {
    assertEquals((await fromProfile({ profile: "keys", runtime: runtime() })()).accessKeyId, "AKIAKEYS");
  });

  it("fromProfile() runs the credential_process of AWS_PROFILE", async () => {
    const { accessKeyId, accountId, source } = await fromProfile({ runtime: runtime({ AWS_PROFILE: "helper" }) })();
    assertEquals([accessKeyId, accountId, source], ["AKIAPROCESS", "123456789012", "ProcessProvider"]);
  });

  it("fromProfile() reads the file that the environment or code names", async () => {
    const env = { AWS_SHARED_CREDENTIALS_FILE: join(home, "other"), AWS_PROFILE: "other" };
    assertEquals((await fromProfile({ runtime: runtime(env) })()).accessKeyId, "AKIAOTHER");
    const options = { profile: "other", filepath: "~/other", runtime: runtime() };
    assertEquals((await fromProfile(options)()).accessKeyId, "AKIAOTHER");
  });

  it("fromProcess() runs the credential_process of a profile", async () => {
    const { accessKeyId, accountId } = await fromProcess({ profile: "helper", runtime: runtime() })();
    assertEquals([accessKeyId, accountId], ["AKIAPROCESS", "123456789012"]);
  });

  it("fromProcess() fails, when the profile has no credential_process or does not exist", async () => {
    const without = await failure(fromProcess({ profile: "keys", runtime: runtime() })());
    assertEquals([without.code, without.tryNextLink], ["NoCredentialProcess", true]);
    const missing = await failure(fromProcess({ profile: "gone", runtime: runtime() })());
    assertEquals([missing.code, missing.tryNextLink], ["ProfileNotFoundError", false]);
  });

  it("fromProcess() names the profile and not the command, when the process fails", async () => {
    const error = await failure(fromProcess({ profile: "bad", runtime: runtime() })());
    assertEquals(error.message, "Cannot run the credential_process of profile bad: exit code 3");
  });

  it("fromProcess() refuses a command together with a profile", async () => {
    const making = Promise.resolve().then(() => fromProcess({ command: "x", profile: "y" }));
    assertEquals((await failure(making)).code, "ConfigurationError");
  });

  it("a folder in place of a file counts as empty", async () => {
    rmSync(join(home, ".aws", "config"));
    mkdirSync(join(home, ".aws", "config"));
    assertEquals((await fromProfile({ profile: "keys", runtime: runtime() })()).accessKeyId, "AKIAKEYS");
  });

  it("a program finds its credentials by itself", async () => {
    const code = `import { defaultProvider } from "${moduleUrl("mod.ts")}";
      console.log((await defaultProvider()()).accessKeyId);`;
    const { stdout, stderr } = await runProgram(code, { env: { HOME: home, AWS_PROFILE: "helper" } });
    assertEquals([stdout, stderr], ["AKIAPROCESS\n", ""]);
  });

  it("a program in Deno needs no permission to find nothing", async () => {
    const code = `import { defaultProvider } from "${moduleUrl("mod.ts")}";
      const runtime = { fetch: () => Promise.reject(new TypeError("no network")) };
      console.log((await defaultProvider({ runtime })().catch((error) => error)).code);`;
    const { stdout, stderr } = await runProgram(code, { denoFlags: ["--allow-env=NOTHING"] });
    assertEquals([stdout, stderr], ["NoCredentials\n", ""]);
  });
});
