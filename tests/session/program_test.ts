import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { LoginEmulator } from "../../lib/testing/login.ts";
import { type ServedEmulator, serveEmulator } from "../../lib/testing/serve.ts";
import { SsoEmulator } from "../../lib/testing/sso.ts";
import { CONFIG, LOGIN_SESSION, loginPath, ssoTokenPath } from "../support/laptop.ts";
import { moduleUrl, type ProgramResult, runProgram, RUNTIME } from "../support/run_program.ts";

let home: string;
let servers: ServedEmulator[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "rolecreds-"));
  servers = [];
  write(join(home, ".aws", "config"), CONFIG);
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(home, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode: 0o600 });
}

function read(path: string): Record<string, string> {
  return JSON.parse(readFileSync(path, "utf8"));
}

async function serve(emulator: SsoEmulator | LoginEmulator): Promise<string> {
  const server = await serveEmulator(emulator);
  servers.push(server);
  return server.endpoint;
}

async function serveSso(emulator: SsoEmulator): Promise<Record<string, string>> {
  const origin = await serve(emulator);
  return { HOME: home, AWS_ENDPOINT_URL_SSO: origin, AWS_ENDPOINT_URL_SSO_OIDC: origin };
}

async function serveLogin(emulator: LoginEmulator): Promise<Record<string, string>> {
  return { HOME: home, AWS_ENDPOINT_URL_SIGNIN: await serve(emulator) };
}

/** What a person with SSO has to allow: the host, the files, the folder of the tokens, the variables. */
function permissions(folder: string, env: Record<string, string>): readonly string[] {
  const hosts = Object.entries(env).filter(([name]) => name !== "HOME").map(([, url]) => new URL(url).host);
  const repository = new URL("../../", import.meta.url).pathname;
  return [
    `--allow-net=${hosts.join()}`,
    `--allow-read=${repository},${home}`,
    `--allow-write=${join(home, ".aws", folder)}`,
    "--allow-env",
  ];
}

/** Prints the key and the source of what `defaultProvider()` finds. */
function getCredentials(
  env: Record<string, string>,
  denoFlags: readonly string[],
  profile: string,
): Promise<ProgramResult> {
  const code = `import { defaultProvider } from ${JSON.stringify(moduleUrl("mod.ts"))};
    await defaultProvider()().then(
      ({ accessKeyId, source }) => console.log(accessKeyId, source),
      ({ code, message, hint }) => console.log(code, message, hint));`;
  return runProgram(code, { env: { ...env, AWS_PROFILE: profile }, denoFlags });
}

/** Runs Python with botocore, if it is there. */
function python(code: string, env: Record<string, string>): Promise<string> {
  const inherited = { PATH: process.env["PATH"] ?? "", AWS_EC2_METADATA_DISABLED: "true" };
  const child = spawn(PYTHON, ["-c", code], { env: { ...inherited, ...env } });
  let output = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => output += chunk);
  return new Promise((resolve) => child.once("close", () => resolve(output)));
}

const PYTHON = process.env["ROLECREDS_TEST_PYTHON"] ?? "python3";
const has = (name: string) => spawnSync(PYTHON, ["-c", `import ${name}`]).status === 0;
const itWithBotocore = has("botocore") ? it : it.skip;
const itWithCrt = has("botocore") && has("awscrt") ? it : it.skip;

describe("defaultProvider() on a laptop with SSO", () => {
  const LIFETIME = { tokenLifetimeSeconds: 200 }; // always within the last five minutes

  it("gets credentials, and refreshes the token in its file", async () => {
    const emulator = new SsoEmulator(LIFETIME);
    const env = await serveSso(emulator);
    const path = ssoTokenPath("corp", home);
    write(path, emulator.login());
    const before = read(path);
    const { stdout, stderr } = await getCredentials(env, permissions("sso/cache", env), "dev");
    assertEquals([stdout, stderr], ["ASIAEMULATEDSSO00004 SsoProvider\n", ""]);
    assertEquals(emulator.requests.map(({ status }) => status), [200, 200]);
    const { accessToken, refreshToken, clientId } = read(path);
    assert(accessToken !== before["accessToken"] && refreshToken !== before["refreshToken"]);
    assertEquals(clientId, before["clientId"]);
    assertEquals(readdirSync(dirname(path)).length, 1);
    if (process.platform !== "win32") assertEquals(statSync(path).mode & 0o777, 0o600);
  });

  it("goes on when the file may not be written, and says so once", async () => {
    const emulator = new SsoEmulator(LIFETIME);
    const env = await serveSso(emulator);
    const path = ssoTokenPath("corp", home);
    write(path, emulator.login());
    const before = readFileSync(path, "utf8");
    if (RUNTIME !== "deno") return; // elsewhere root may write everywhere, so the adapters are tested by their errors
    const flags = permissions("nowhere", env);
    const { stdout, stderr } = await getCredentials(env, flags, "dev");
    assertEquals(stdout, "ASIAEMULATEDSSO00004 SsoProvider\n");
    assertEquals(
      stderr,
      `Cannot write ${path}: Deno needs --allow-write=${dirname(path)}; the new token is kept in memory, ` +
        "and lost when this program ends\n",
    );
    assertEquals(readFileSync(path, "utf8"), before);
  });

  it("names the command when nobody has signed in", async () => {
    const env = await serveSso(new SsoEmulator());
    const { stdout } = await getCredentials(env, permissions("sso/cache", env), "dev");
    assertStringIncludes(stdout, "SsoTokenError Cannot use the token of SSO session corp: ");
    assertStringIncludes(stdout, " does not exist, or this program is not permitted to read it");
    assertStringIncludes(stdout, "Run `aws sso login --sso-session corp`.");
  });

  it("survives a directory in place of the token file", async () => {
    const env = await serveSso(new SsoEmulator());
    mkdirSync(ssoTokenPath("corp", home), { recursive: true });
    const { stdout } = await getCredentials(env, permissions("sso/cache", env), "dev");
    assertStringIncludes(stdout, "SsoTokenError Cannot use the token of SSO session corp: ");
  });

  it("names the flag when Deno may not connect", async () => {
    if (RUNTIME !== "deno") return;
    const emulator = new SsoEmulator();
    const env = await serveSso(emulator);
    write(ssoTokenPath("corp", home), emulator.login());
    const flags = permissions("sso/cache", env).filter((flag) => !flag.startsWith("--allow-net"));
    const { stdout } = await getCredentials(env, flags, "dev");
    const host = new URL(env["AWS_ENDPOINT_URL_SSO"] ?? "").host;
    assertEquals(
      stdout,
      `SsoError Cannot get the credentials of the role: Deno has no permission to connect to ${host} ` +
        `Start Deno with --allow-net=${host}.\n`,
    );
  });

  for (const refreshTokens of ["replace", "reuse"] as const) {
    it(`shares one file with another process, where refresh tokens have the rule ${refreshTokens}`, async () => {
      const emulator = new SsoEmulator({ ...LIFETIME, refreshTokens, roleLifetimeSeconds: 1_000_000 });
      const env = await serveSso(emulator);
      const path = ssoTokenPath("corp", home);
      write(path, emulator.login());
      // For each round the clock is an hour ahead, so that the token of the round before has expired.
      const code = `import { SsoProvider } from ${JSON.stringify(moduleUrl("mod.ts"))};
        let skewMs = 0;
        const provider = new SsoProvider({ profile: "dev", runtime: { now: () => Date.now() + skewMs } });
        for (let round = 0; round < 25; round++) {
          await provider.retrieve();
          skewMs += 3_600_000;
        }
        console.log("done");`;
      const programs = Promise.all([runProgram(code, { env }), runProgram(code, { env })]);
      let [isRunning, reads] = [true, 0];
      programs.finally(() => isRunning = false);
      for (; isRunning; reads++) {
        assertEquals(Object.keys(read(path)).includes("accessToken"), true); // never torn
        await new Promise((resolve) => setTimeout(resolve));
      }
      assertEquals((await programs).map(({ stdout, stderr }) => stdout + stderr), ["done\n", "done\n"]);
      assert(reads > 0);
      assertEquals(readdirSync(dirname(path)).length, 1);
      // The refresh token in the file is one that still works.
      const { accessToken: _, expiresAt: __, ...registration } = read(path);
      const last = await emulator.fetch("https://any/token", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          clientId: registration["clientId"],
          clientSecret: registration["clientSecret"],
          grantType: "refresh_token",
          refreshToken: registration["refreshToken"],
        }),
      });
      assertEquals(last.status, 200);
    });
  }

  itWithBotocore("leaves a file that botocore reads and refreshes (skipped where Python has no botocore)", async () => {
    const emulator = new SsoEmulator(LIFETIME);
    const env = await serveSso(emulator);
    const path = ssoTokenPath("corp", home);
    write(path, emulator.login());
    await getCredentials(env, permissions("sso/cache", env), "dev");
    const ours = read(path);
    const code = `import botocore.session
credentials = botocore.session.Session(profile="dev").get_credentials()
print(credentials.method, credentials.get_frozen_credentials().access_key)`;
    assertEquals(await python(code, env), "sso ASIAEMULATEDSSO00006\n");
    const theirs = read(path);
    assert(theirs["accessToken"] !== ours["accessToken"]);
    const { stdout } = await getCredentials(env, permissions("sso/cache", env), "dev");
    assertEquals(stdout, "ASIAEMULATEDSSO00008 SsoProvider\n");
    assertEquals(emulator.requests.map(({ status }) => status), [200, 200, 200, 200, 200, 200]);
  });
});

describe("defaultProvider() on a laptop with a login", () => {
  const LIFETIME = { lifetimeSeconds: 200 };

  it("gets credentials, and refreshes them in their file", async () => {
    const emulator = new LoginEmulator(LIFETIME);
    const env = await serveLogin(emulator);
    const path = loginPath(LOGIN_SESSION, home);
    write(path, await emulator.login());
    const { stdout, stderr } = await getCredentials(env, permissions("login/cache", env), "signed-in");
    assertEquals([stdout, stderr], ["ASIAEMULATEDLOG00003 LoginProvider\n", ""]);
    assertEquals(emulator.requests.map(({ status }) => status), [200]);
    assertEquals(readdirSync(dirname(path)).length, 1);
    if (process.platform !== "win32") assertEquals(statSync(path).mode & 0o777, 0o600);
  });

  itWithBotocore("leaves a file that botocore loads (skipped where Python has no botocore)", async () => {
    const emulator = new LoginEmulator(LIFETIME);
    const env = await serveLogin(emulator);
    write(loginPath(LOGIN_SESSION, home), await emulator.login());
    await getCredentials(env, permissions("login/cache", env), "signed-in");
    const code = `from botocore.utils import JSONFileCache, LoginTokenLoader, get_login_token_cache_directory
token = LoginTokenLoader(JSONFileCache(get_login_token_cache_directory())).load_token(${JSON.stringify(LOGIN_SESSION)})
print(token["accessToken"]["accessKeyId"])`;
    assertEquals(await python(code, env), "ASIAEMULATEDLOG00003\n");
  });

  itWithCrt("leaves a file that botocore refreshes (skipped where Python has no botocore and awscrt)", async () => {
    const emulator = new LoginEmulator(LIFETIME);
    const env = await serveLogin(emulator);
    write(loginPath(LOGIN_SESSION, home), await emulator.login());
    await getCredentials(env, permissions("login/cache", env), "signed-in");
    const code = `import botocore.session
print(botocore.session.Session(profile="signed-in").get_credentials().get_frozen_credentials().access_key)`;
    assertEquals(await python(code, env), "ASIAEMULATEDLOG00005\n");
    const { stdout } = await getCredentials(env, permissions("login/cache", env), "signed-in");
    assertEquals(stdout, "ASIAEMULATEDLOG00007 LoginProvider\n");
    assertEquals(emulator.requests.map(({ status }) => status), [200, 200, 200]);
  });
});
