// AWS SDK v3 gets its credentials from the command line of this library: from `exec`, `exec --serve`, and from `get` as a
// credential process.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromIni } from "@aws-sdk/credential-providers";
import { ImdsEmulator, serveEmulator } from "../../../.build/lib/testing/mod.js";
import { DENO_FLAGS } from "../../support/runtimes.js";
import { serveAws } from "../support/aws_server.js";

const ROOT = join(import.meta.dirname, "../../..");
const FLAGS = "Deno" in globalThis ? ["run", ...DENO_FLAGS] : [];
const CLI = [process.execPath, ...FLAGS, `${ROOT}/.build/lib/cli/main.js`];
const PROGRAM = [process.execPath, ...FLAGS, `${ROOT}/tests/interop/support/sdk_program.js`];
const LIFETIME_SECONDS = 200; // so short that AWS SDK v3 soon requests new ones

let imds;
let imdsServer;
let aws;
let folder;
before(async () => {
  imds = new ImdsEmulator({ lifetimeSeconds: LIFETIME_SECONDS });
  imdsServer = await serveEmulator(imds);
  aws = await serveAws(imds.issued);
  folder = mkdtempSync(join(tmpdir(), "rolecreds-"));
});
after(async () => {
  await imdsServer.close();
  await aws.close();
  rmSync(folder, { recursive: true });
});

function variables() {
  return {
    AWS_EC2_METADATA_DISABLED: "false",
    AWS_EC2_METADATA_SERVICE_ENDPOINT: imdsServer.endpoint,
    AWS_CONFIG_FILE: join(folder, "config"),
    AWS_URL: aws.endpoint,
  };
}

async function run([program, ...args]) {
  const { PATH } = process.env;
  const env = { PATH, HOME: "/nonexistent", ...variables() };
  const child = spawn(program, args, { env, cwd: ROOT, stdio: ["ignore", "ignore", "pipe"], timeout: 60_000 });
  let stderr = "";
  child.stderr.on("data", (chunk) => stderr += chunk);
  const exitCode = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(exitCode, 0, stderr);
}

function keysOf(requests) {
  return new Set(requests.map(({ accessKeyId }) => accessKeyId));
}

describe("AWS SDK v3 signs with the credentials of", () => {
  it("rolecreds exec", async () => {
    await run([...CLI, "exec", "--source", "imds", "--", ...PROGRAM]);
    const requests = aws.requests.splice(0);
    assert.equal(requests.length, 20);
    assert.ok(requests.every(({ code }) => code === "ok"));
    assert.equal(keysOf(requests).size, 1);
  });

  it("rolecreds exec --serve, and of new ones when the old ones expire soon", async () => {
    await run([...CLI, "exec", "--serve", "--source", "imds", "--", ...PROGRAM]);
    const requests = aws.requests.splice(0);
    assert.ok(requests.every(({ code }) => code === "ok"));
    assert.ok(keysOf(requests).size > 1);
  });

  it("rolecreds get, as the credential_process of a profile", async () => {
    const command = [...CLI, "get", "--source", "imds"].map((word) => `"${word}"`).join(" ");
    writeFileSync(join(folder, "config"), `[profile app]\ncredential_process = ${command}\n`);
    Object.assign(process.env, variables());
    const credentials = fromIni({ profile: "app", configFilepath: join(folder, "config") });
    const sts = new STSClient({ region: "eu-west-1", endpoint: aws.endpoint, credentials, maxAttempts: 1 });
    await sts.send(new GetCallerIdentityCommand({}));
    assert.deepEqual(aws.requests.splice(0).map(({ code }) => code), ["ok"]);
  });
});
