import { assert, assertEquals, assertFalse, assertNotEquals } from "@std/assert";
import { S3Client } from "@aws-sdk/client-s3";
import { describe, it } from "@std/testing/bdd";
import { spawn, spawnSync } from "node:child_process";
import { request } from "node:http";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ImdsEmulator, serveEmulator } from "../../lib/testing/mod.ts";
import { fromContainerMetadata, fromInstanceMetadata } from "../../mod.ts";
import { type Cli, itOnTerminal, itWith, runCli, startCli, startOnTerminal } from "../support/cli.ts";
import { Scratch } from "../support/processes.ts";
import { moduleUrl, programCommand } from "../support/run_program.ts";

const KEYS = {
  AWS_ACCESS_KEY_ID: "AKIAENV",
  AWS_SECRET_ACCESS_KEY: "CANARY-secret",
  AWS_SESSION_TOKEN: "CANARY-token",
};
const URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

/** Time limits that hold also where the machine is busy. */
const PATIENT = ["--timeout", "20000"];

/** What a shell would set. */
async function variablesOf(cli: Cli): Promise<Record<string, string>> {
  await cli.until(/'\n$/);
  const lines = cli.stdout.matchAll(/^export (\w+)='([^'\r\n]*)'$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

/** Sends headers as they are, also `Host`. */
function statusOf(url: string, headers: Record<string, string>, method = "GET"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode));
    });
    sent.once("error", reject).end();
  });
}

describe("rolecreds serve", () => {
  it("prints the two variables, and serves credentials to whoever has them", async () => {
    using cli = startCli(["serve", "--source", "env"], { env: KEYS });
    const variables = await variablesOf(cli);
    assertEquals(Object.keys(variables), [URI, TOKEN]);
    assert(/^http:\/\/127\.0\.0\.1:\d+\/credentials$/.test(variables[URI] ?? ""), variables[URI]);
    assert(/^[0-9a-f]{64}$/.test(variables[TOKEN] ?? ""), variables[TOKEN]);
    const credentials = await fromContainerMetadata({
      timeout: 20_000,
      connectTimeout: 20_000,
      runtime: { env: (name) => variables[name] },
    })();
    assertEquals([credentials.accessKeyId, credentials.sessionToken], ["AKIAENV", "CANARY-token"]);
    assertEquals(cli.stderr, "");
  });

  it("removes what comes before it, where that is set in the environment", async () => {
    using cli = startCli(["serve", "--source", "env"], { env: { ...KEYS, AWS_PROFILE: "dev" } });
    await variablesOf(cli);
    const removed = cli.stdout.split("\n").filter((line) => line.startsWith("unset "));
    assertEquals(removed.map((line) => line.slice(6)).sort(), ["AWS_PROFILE", ...Object.keys(KEYS)].sort());
  });

  it("has another port and another token at each start", async () => {
    using first = startCli(["serve", "--source", "env"], { env: KEYS });
    using second = startCli(["serve", "--source", "env"], { env: KEYS });
    const [one, other] = [await variablesOf(first), await variablesOf(second)];
    assertNotEquals(one[URI], other[URI]);
    assertNotEquals(one[TOKEN], other[TOKEN]);
    assertEquals(await statusOf(one[URI] ?? "", { authorization: other[TOKEN] ?? "" }), 403);
  });

  it("makes one retrieval for a thousand concurrent requests", async () => {
    const emulator = new ImdsEmulator();
    const server = await serveEmulator(emulator);
    using cli = startCli(["serve", "--source", "imds", "--endpoint", server.endpoint, ...PATIENT]);
    const { [URI]: uri = "", [TOKEN]: authorization = "" } = await variablesOf(cli);
    emulator.rotate();
    const bodies = await Promise.all(Array.from({ length: 1_000 }, async () => {
      const response = await fetch(uri, { headers: { authorization } });
      return await response.text();
    }));
    assertEquals(new Set(bodies).size, 1);
    assertEquals(emulator.requests.length, 3);
    await server.close();
  });

  it("refuses strangers with 403 and a line in the log, without credentials", async () => {
    using cli = startCli(["serve", "--source", "env"], { env: KEYS });
    const { [URI]: uri = "", [TOKEN]: authorization = "" } = await variablesOf(cli);
    const strangers: readonly Record<string, string>[] = [
      { authorization: "CANARY" },
      {},
      { authorization, host: "evil.example" },
      { authorization, origin: "https://evil.example" },
      { authorization, "sec-fetch-site": "cross-site" },
    ];
    for (const headers of strangers) assertEquals(await statusOf(uri, headers), 403);
    assertEquals(await statusOf(uri, { authorization }), 200);
    await cli.until(/(.*\n){5}/, () => cli.stderr);
    const lines = cli.stderr.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ time: _time, ...line }) => line), [
      { method: "GET", path: "/credentials", status: 403, message: "its Authorization header is wrong" },
      { method: "GET", path: "/credentials", status: 403, message: "it has no Authorization header" },
      { method: "GET", path: "/credentials", status: 403, message: "its Host header does not name this machine" },
      { method: "GET", path: "/credentials", status: 403, message: "a browser sent it" },
      { method: "GET", path: "/credentials", status: 403, message: "a browser sent it" },
    ]);
    assertFalse((cli.stderr + cli.stdout).includes("CANARY"), cli.stderr);
  });

  it("stands in for the instance metadata service, with --imds", async () => {
    using cli = startCli(["serve", "--imds", "--source", "env", "--region", "eu-west-1"], { env: KEYS });
    const { AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint = "" } = await variablesOf(cli);
    assertEquals((await fromInstanceMetadata({ endpoint, timeout: 20_000 })()).accessKeyId, "AKIAENV");
    const path = `${endpoint}/latest/meta-data/iam/security-credentials/`;
    assertEquals(await statusOf(path, {}), 401);
    const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60", "x-forwarded-for": "10.0.0.1" };
    assertEquals(await statusOf(`${endpoint}/latest/api/token`, ttl, "PUT"), 403);
  });

  it("exits with 1 where there are no credentials, or where the port is in use", async () => {
    const without = await runCli(["serve"], { env: { AWS_EC2_METADATA_DISABLED: "true" } });
    assertEquals([without.exitCode, without.stdout], [1, ""]);
    using cli = startCli(["serve", "--source", "env"], { env: KEYS });
    const { port } = new URL((await variablesOf(cli))[URI] ?? "");
    for (const command of [["serve", "--source", "env"], ["emulate", "imds"]]) {
      const { exitCode, stdout, stderr } = await runCli([...command, "--port", port], { env: KEYS });
      assertEquals([exitCode, stdout], [1, ""]);
      assert(stderr.startsWith(`error  Cannot listen on port ${port} of 127.0.0.1: the port is in use\n`), stderr);
    }
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    it(`ends by ${signal}, and with it the endpoint`, async () => {
      using cli = startCli(["serve", "--source", "env"], { env: KEYS });
      const { [URI]: uri = "" } = await variablesOf(cli);
      cli.signal(signal);
      assertEquals(await cli.exit, { exitCode: null, signal });
      assertEquals(await fetch(uri).then(() => "open", () => "closed"), "closed");
    });
  }

  itOnTerminal("logs in colour on a terminal, unless NO_COLOR is set, and without control characters", async () => {
    for (const [env, code] of [[{}, "\x1b[33m403\x1b[0m"], [{ NO_COLOR: "1" }, " 403 "]] as const) {
      using cli = startOnTerminal(["serve", "--source", "env"], { env: { ...KEYS, ...env } });
      await cli.until(/AUTHORIZATION_TOKEN='[^']+'/);
      const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(cli.stdout)?.[0];
      await statusOf(`${origin}/%1b[2J%c2%9b`, {});
      await cli.until("it has no Authorization header");
      const line = cli.stdout.split(/\r?\n/).find((line) => line.includes("it has no")) ?? "";
      assert(line.includes(code) && line.includes("/%1b"), line);
      const rest = ["\x1b[2m", "\x1b[33m", "\x1b[0m"].reduce((text, colour) => text.replaceAll(colour, ""), line);
      assertFalse(/\p{Cc}/u.test(rest), rest);
      await cli.kill();
    }
  });
});

describe("other AWS SDKs", () => {
  const NO_FILES = { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };

  it("AWS SDK v3 gets credentials from serve, through a rotation", async () => {
    const server = await serveEmulator(new ImdsEmulator({ lifetimeSeconds: 300 })); // refreshed at each request
    using cli = startCli(["serve", "--source", "imds", "--endpoint", server.endpoint, ...PATIENT]);
    const before = { ...process.env };
    Object.assign(process.env, NO_FILES, await variablesOf(cli), { AWS_EC2_METADATA_DISABLED: "true" });
    const { credentials } = new S3Client({ region: "us-east-1" }).config;
    const [first, second] = [await credentials(), await credentials({ forceRefresh: true })];
    for (const name of [URI, TOKEN, "AWS_EC2_METADATA_DISABLED", ...Object.keys(NO_FILES)]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    assert(first.accessKeyId.startsWith("ASIAEMULATED"), first.accessKeyId);
    assertNotEquals(first.accessKeyId, second.accessKeyId);
    await server.close();
  });

  const PRINT_KEYS = `
import botocore.session
credentials = botocore.session.get_session().get_credentials()
print(credentials.method, *(credentials.get_frozen_credentials().access_key for _ in range(2)))`;

  async function botocore(env: Record<string, string>): Promise<readonly string[]> {
    const home = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" };
    const child = spawn("python3", ["-c", PRINT_KEYS], { env: { ...home, ...NO_FILES, ...env } });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output += chunk);
    await new Promise((resolve) => child.once("close", resolve));
    return output.trim().split(" ");
  }

  const hasBotocore = spawnSync("python3", ["-c", "import botocore"]).status === 0;
  const itWithBotocore = hasBotocore ? itWith("python3") : itWith("botocore of python3");

  itWithBotocore("botocore gets credentials from serve, through a rotation", async () => {
    const server = await serveEmulator(new ImdsEmulator({ lifetimeSeconds: 300 }));
    using cli = startCli(["serve", "--source", "imds", "--endpoint", server.endpoint, ...PATIENT]);
    const [method, first = "", second] = await botocore(await variablesOf(cli));
    assertEquals([method, first.startsWith("ASIAEMULATED")], ["container-role", true], `${method} ${first} ${second}`);
    assertNotEquals(first, second);
    await server.close();
  });

  itWithBotocore("botocore gets credentials from serve --imds", async () => {
    using cli = startCli(["serve", "--imds", "--source", "env"], { env: KEYS });
    const [method, ...keys] = await botocore(await variablesOf(cli));
    assertEquals([method, keys], ["iam-role", ["AKIAENV", "AKIAENV"]]);
  });

  itWithBotocore("botocore gets credentials from get as credential_process, through a rotation", async () => {
    const server = await serveEmulator(new ImdsEmulator({ lifetimeSeconds: 300 }));
    using scratch = new Scratch();
    const args = ["get", "--source", "imds", "--endpoint", server.endpoint, ...PATIENT];
    const command = programCommand(fileURLToPath(moduleUrl("lib/cli/main.ts")), { args });
    const config = scratch.file("config", `[default]\ncredential_process = ${command.join(" ")}\n`);
    const [method, first = "", second] = await botocore({ AWS_CONFIG_FILE: config });
    assertEquals([method, first.startsWith("ASIAEMULATED")], ["custom-process", true], `${method} ${first} ${second}`);
    assertNotEquals(first, second);
    await server.close();
  });
});
