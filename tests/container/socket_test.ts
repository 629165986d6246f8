import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CredentialsProviderError, fromContainerMetadata } from "../../mod.ts";
import { EcsEmulator, EksEmulator, type ServedEmulator, serveEmulator } from "../../lib/testing/mod.ts";
import { printed } from "../support/printed.ts";
import { moduleUrl, runProgram } from "../support/run_program.ts";

const HOUR_MS = 3_600_000;

describe("over a real connection", () => {
  let folder: string;
  let server: ServedEmulator;
  beforeEach(() => folder = mkdtempSync(join(tmpdir(), "rolecreds-")));
  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it("EKS: a rotated token file is read, new credentials are used, and an outage is survived", async () => {
    let now = Date.now();
    const runtime = { now: () => now, sleep: () => Promise.resolve(), random: () => 0, env: () => undefined };
    const emulator = new EksEmulator({ tokens: ["first"], runtime });
    server = await serveEmulator(emulator);
    const file = join(folder, "token");
    writeFileSync(file, "first\n");
    const provider = fromContainerMetadata({
      awsContainerCredentialsFullUri: `${server.endpoint}/v1/credentials`,
      awsContainerAuthorizationTokenFile: file,
      logger: null,
      runtime,
    });
    const first = await provider();
    assertEquals([first.source, first.accountId], ["ContainerProvider", "123456789012"]);

    emulator.tokens.delete("first");
    emulator.tokens.add("second");
    writeFileSync(file, "second\n");
    emulator.rotate();
    now += 5 * HOUR_MS;
    const second = await provider();
    assert(second.accessKeyId !== first.accessKeyId);

    emulator.inject("reset", { times: Infinity });
    now += 24 * HOUR_MS;
    assertEquals((await provider()).accessKeyId, second.accessKeyId);

    emulator.recover();
    now += HOUR_MS;
    assert((await provider()).accessKeyId !== second.accessKeyId);
  });

  it("ECS: an agent that starts is waited for", async () => {
    const emulator = new EcsEmulator({ uninitializedRequests: 2 });
    server = await serveEmulator(emulator);
    const runtime = { sleep: () => Promise.resolve(), env: () => undefined };
    const awsContainerCredentialsFullUri = `${server.endpoint}/v2/credentials/emulated-task`;
    await fromContainerMetadata({ awsContainerCredentialsFullUri, runtime })();
    assertEquals(emulator.requests.map(({ status }) => status), [503, 503, 200]);
  });

  const faults = [
    ["reset", "ContainerUnreachable"],
    ["truncated", "ContainerUnreachable"],
    ["html", "ContainerInvalidResponse"],
    ["oversized", "ContainerInvalidResponse"],
    ["binary", "ContainerInvalidResponse"],
    ["redirect", "ContainerHttpError"],
    ["NoCredentialsAssociated", "ContainerHttpError"],
  ] as const;
  for (const [fault, code] of faults) {
    it(`ECS: ${fault} is ${code}, and the next retrieval works`, async () => {
      const emulator = new EcsEmulator();
      server = await serveEmulator(emulator);
      emulator.inject(fault, { times: Infinity });
      const runtime = { sleep: () => Promise.resolve(), env: () => undefined };
      const awsContainerCredentialsFullUri = `${server.endpoint}/v2/credentials/emulated-task`;
      const provider = fromContainerMetadata({ awsContainerCredentialsFullUri, runtime });
      assertEquals((await assertRejects(() => provider(), CredentialsProviderError)).code, code);
      emulator.recover();
      await provider();
    });
  }

  it("real processes get credentials through defaultProvider() with the variables alone", async () => {
    const emulator = new EksEmulator({ tokens: ["first"] });
    server = await serveEmulator(emulator);
    const file = join(folder, "token");
    writeFileSync(file, "first");
    const code = `import { defaultProvider } from ${JSON.stringify(moduleUrl("mod.ts"))};
      const { source, accessKeyId } = await defaultProvider()();
      console.log(source, accessKeyId);`;
    const { stdout, stderr, exitCode } = await runProgram(code, {
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.endpoint}/v1/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
      },
    });
    assertEquals([exitCode, stderr], [0, ""]);
    assert(stdout.startsWith("ContainerProvider ASIA"), stdout);
    assertEquals(emulator.requests.length, 1);
  });
});

describe("a redirect to another host", () => {
  it("does not get the token", async () => {
    const received: string[] = [];
    const other = await listen((headers) => received.push(JSON.stringify(headers)), 200);
    const first = await listen(() => {}, 302, `http://localhost:${other.port}/`);
    const error = await assertRejects(
      () =>
        fromContainerMetadata({
          awsContainerCredentialsFullUri: `http://127.0.0.1:${first.port}/`,
          awsContainerAuthorizationToken: "canary-token",
          runtime: { env: () => undefined },
        })(),
      CredentialsProviderError,
    );
    assertEquals([error.code, error.statusCode, received], ["ContainerHttpError", 302, []]);
    assertFalse(printed(error).join().includes("canary"));
    await Promise.all([first.close(), other.close()]);
  });
});

async function listen(seen: (headers: object) => void, status: number, location?: string) {
  const server: Server = createServer((request, response) => {
    seen(request.headers);
    response.writeHead(status, location === undefined ? {} : { location });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: (server.address() as { port: number }).port, close };
}
