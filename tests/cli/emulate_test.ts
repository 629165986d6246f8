import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  CredentialsProviderError,
  fromContainerMetadata,
  fromEnv,
  fromInstanceMetadata,
  fromTemporaryCredentials,
} from "../../mod.ts";
import { type Cli, itOnTerminal, runCli, startCli, startOnTerminal } from "../support/cli.ts";

/** What a shell would set. */
async function variablesOf(cli: Cli): Promise<Record<string, string>> {
  await cli.until(/'\n$/);
  const lines = cli.stdout.matchAll(/^export (\w+)='([^'\r\n]*)'$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

async function endpointOf(cli: Cli): Promise<string> {
  return (await variablesOf(cli))["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? "";
}

function log(cli: Cli): readonly Record<string, unknown>[] {
  return cli.stderr.trim().split("\n").map((line) => JSON.parse(line));
}

describe("rolecreds emulate imds", () => {
  it("prints where it listens, and logs each request as a JSON line", async () => {
    using cli = startCli(["emulate", "imds", "--role", "web", "--ttl", "7200"]);
    const endpoint = await endpointOf(cli);
    const { accessKeyId, expiration } = await fromInstanceMetadata({ endpoint, timeout: 20_000 })();
    assert(accessKeyId.startsWith("ASIAEMULATED"), accessKeyId);
    assert(Math.abs((expiration?.getTime() ?? 0) - Date.now() - 7_200_000) < 60_000);
    await cli.until("/web", () => cli.stderr);
    assertEquals(log(cli).map(({ method, path, status }) => [method, path, status]), [
      ["PUT", "/latest/api/token", 200],
      ["GET", "/latest/meta-data/iam/security-credentials/", 200],
      ["GET", "/latest/meta-data/iam/security-credentials/web", 200],
    ]);
    assert(log(cli).every(({ time }) => Math.abs(Date.parse(`${time}`) - Date.now()) < 60_000));
  });

  const faults: readonly (readonly [fault: string, code: string, statuses: readonly number[]])[] = [
    ["503", "ImdsHttpError", [503]],
    ["list:404", "ImdsNoRole", [200, 404]],
    ["document:html", "ImdsInvalidResponse", [200, 200, 200]],
    ["token:reset", "ImdsUnreachable", [0]],
    ["throttled", "ImdsHttpError", [429]],
  ];
  for (const [fault, code, statuses] of faults) {
    it(`fails as --fault ${fault} says, for every request`, async () => {
      using cli = startCli(["emulate", "imds", "--fault", fault]);
      const endpoint = await endpointOf(cli);
      const provider = fromInstanceMetadata({ endpoint, timeout: 20_000, maxRetries: 0 });
      assertEquals((await assertRejects(() => provider(), CredentialsProviderError)).code, code);
      await cli.until(new RegExp(`"status":${statuses.at(-1)}`), () => cli.stderr);
      const logged = log(cli).map(({ status }) => status);
      assertEquals(logged.slice(0, statuses.length), [...statuses]); // Deno sends a request again by itself after a reset
    });
  }

  it("issues new credentials every so many seconds, with --rotate", async () => {
    using cli = startCli(["emulate", "imds", "--rotate", "1"]);
    const provider = fromInstanceMetadata({ endpoint: await endpointOf(cli), timeout: 20_000 });
    const first = await provider();
    await cli.until('"message":"new credentials"', () => cli.stderr);
    const second = await provider({ forceRefresh: true });
    assertNotEquals(first.accessKeyId, second.accessKeyId);
  });

  it("listens on --port, and speaks to the shell of --format", async () => {
    using first = startCli(["emulate", "imds"]);
    const { port } = new URL(await endpointOf(first));
    await first.kill();
    using cli = startCli(["emulate", "imds", "--port", port, "--format", "fish"]);
    await cli.until(/\n$/);
    assertEquals(cli.stdout, `set -gx AWS_EC2_METADATA_SERVICE_ENDPOINT 'http://127.0.0.1:${port}'\n`);
  });

  it("feeds rolecreds get of another process", async () => {
    using cli = startCli(["emulate", "imds"]);
    const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: await endpointOf(cli) };
    const { exitCode, stdout } = await runCli(["get", "--timeout", "20000"], { env });
    assertEquals([exitCode, JSON.parse(stdout).AccessKeyId.slice(0, 12)], [0, "ASIAEMULATED"]);
  });

  itOnTerminal("logs in colour on a terminal, and ends by Ctrl-C", async () => {
    using cli = startOnTerminal(["emulate", "imds", "--fault", "list:404"]);
    await cli.until(/ENDPOINT='[^']+'/);
    const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(cli.stdout)?.[0] ?? "";
    await assertRejects(() => fromInstanceMetadata({ endpoint, timeout: 20_000 })());
    await cli.until("PUT  /latest/api/token \x1b[32m200\x1b[0m");
    await cli.until("GET  /latest/meta-data/iam/security-credentials/ \x1b[33m404\x1b[0m");
    cli.child.stdin?.write("\x03");
    assertEquals((await cli.exit).exitCode, 130);
    assertEquals(await fetch(endpoint).then(() => "open", () => "closed"), "closed");
  });
});

describe("rolecreds emulate", () => {
  const role = "arn:aws:iam::123456789012:role/deploy";

  /** What this library gets where a shell has set the variables. */
  async function retrieve(service: string, variables: Record<string, string>) {
    const sharedConfig = {};
    const runtime = { env: (name: string) => variables[name] };
    const sts = { params: { RoleArn: role }, masterCredentials: fromEnv({ runtime }), region: "eu-west-1" };
    switch (service) {
      case "imds":
        return await fromInstanceMetadata({ runtime, sharedConfig, timeout: 20_000, maxRetries: 0 })();
      case "sts":
        return await fromTemporaryCredentials({ ...sts, runtime, sharedConfig })();
      default:
        return await fromContainerMetadata({ runtime, timeout: 20_000, connectTimeout: 20_000, maxRetries: 0 })();
    }
  }

  const services: readonly (readonly [service: string, options: readonly string[], id: string])[] = [
    ["imds", ["--role", "web", "--ttl", "900"], "ASIAEMULATED0"],
    ["ecs", ["--role", "task", "--ttl", "900"], "ASIAEMULATEDECS0"],
    ["eks", ["--ttl", "900"], "ASIAEMULATEDEKS0"],
    ["sts", ["--role", "deploy"], "ASIAEMULATEDSTS0"],
  ];
  for (const [service, options, id] of services) {
    it(`${service} serves whoever has the variables`, async () => {
      using cli = startCli(["emulate", service, ...options]);
      const { accessKeyId } = await retrieve(service, await variablesOf(cli));
      assert(accessKeyId.startsWith(id), accessKeyId);
      await cli.until('"status":200', () => cli.stderr);
    });
  }

  const faults: readonly (readonly [service: string, fault: string, code: string])[] = [
    ["imds", "azure", "ImdsTokenError"],
    ["ecs", "NoCredentialsAssociated", "NoCredentialsAssociated"],
    ["eks", "credentials:ResourceNotFoundException", "ResourceNotFoundException"],
    ["sts", "AssumeRole:AccessDenied", "AccessDenied"],
  ];
  for (const [service, fault, code] of faults) {
    it(`${service} knows its own --fault ${fault}`, async () => {
      const options = service === "sts" ? ["--role", "deploy"] : [];
      using cli = startCli(["emulate", service, "--fault", fault, ...options]);
      const variables = await variablesOf(cli);
      const error = await assertRejects(() => retrieve(service, variables), CredentialsProviderError);
      assert([error.code, error.containerCode, error.stsCode].includes(code), `${error.code}: ${error.message}`);
    });
  }

  it("refuses options that mean nothing to a service", async () => {
    for (const args of [["sts", "--ttl", "900"], ["sts", "--rotate", "1"], ["eks", "--role", "x"]]) {
      const { exitCode, stdout, stderr } = await runCli(["emulate", ...args]);
      assertEquals([exitCode, stdout, stderr], [2, "", `rolecreds: ${args[1]} cannot be used with ${args[0]}\n`]);
    }
  });
});
