import { assert, assertEquals, assertFalse } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { DiagnoseOptions, Finding } from "../../mod.ts";
import {
  EcsEmulator,
  type Emulator,
  ImdsEmulator,
  type ImdsFault,
  type ImdsStep,
  type ServedEmulator,
  serveEmulator,
  StsEmulator,
} from "../../lib/testing/mod.ts";
import { findingsOf, firstProblem } from "../support/findings.ts";
import { moduleUrl, runProgram, RUNTIME } from "../support/run_program.ts";

const NO_FILES = { sharedConfig: {}, runtime: { env: () => undefined } } as const;

describe("diagnose() over a real connection", () => {
  let server: ServedEmulator | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  const serve = async (emulator: Pick<Emulator, "handle">): Promise<string> => {
    server = await serveEmulator(emulator);
    return server.endpoint;
  };

  it("walks all steps of a retrieval", async () => {
    const imds = { endpoint: await serve(new ImdsEmulator({ tokens: "optional", region: "eu-west-1" })) };
    const found = (await findingsOf({ ...NO_FILES, imds }))
      .filter(({ check }) => check.startsWith("imds"))
      .map(({ check, status }) => `${check} ${status}`);
    assertEquals(found, [
      ...["imds.token ok", "imds.clock ok", "imds.role ok", "imds.document ok", "imds.v1 warning", "imds.region ok"],
      "imds ok",
    ]);
  });

  it("a refused connection", async () => {
    const endpoint = await serve(new ImdsEmulator());
    await server?.close();
    const found = await findingsOf({ ...NO_FILES, imds: { endpoint } });
    const step = found.find(({ check }) => check === "imds.token");
    assert(step?.message.includes("the connection failed at 127.0.0.1"), step?.message);
    assertEquals(found.at(-1)?.status, "failure");
  });

  const faults: readonly (readonly [ImdsFault, ImdsStep, check: string, says: string])[] = [
    ["closed", "token", "credentials", "can be retrieved"],
    ["closed", "document", "credentials", "can be retrieved"],
    ["gzip", "document", "credentials", "can be retrieved"],
    ["wrongLength", "document", "imds.document", "ImdsInvalidResponse"],
    ["redirect", "token", "imds.token", "302"],
    ["azure", "token", "imds.token", "400"],
    ["html", "list", "imds.role", "does not hold a role name"],
    ["oversized", "document", "imds.document", "longer than 64 KiB"],
    ["drip", "document", "imds.document", "no complete response within 1000 ms"],
    ["hang", "list", "imds.role", "no complete response within 1000 ms"],
    ["reset", "document", "imds.document", "the connection failed"],
  ];
  for (const [fault, on, check, says] of faults) {
    it(`${fault} on the ${on} is found at ${check}`, async () => {
      const emulator = new ImdsEmulator();
      emulator.inject(fault, { on, times: Infinity });
      const imds = { endpoint: await serve(emulator) };
      const found = firstProblem(await findingsOf({ ...NO_FILES, imds }));
      assertEquals(found?.check, check, JSON.stringify(found));
      assert(found?.message.includes(says), found?.message);
    });
  }

  it("a container whose agent starts, and whose the credentials are", async () => {
    const emulator = new EcsEmulator({ uninitializedRequests: 1 });
    const sts = await serveEmulator(new StsEmulator({ credentialsFrom: [emulator] }));
    const container = { awsContainerCredentialsFullUri: `${await serve(emulator)}/v2/credentials/emulated-task` };
    const runtime = { ...NO_FILES.runtime, sleep: () => Promise.resolve() };
    const options: DiagnoseOptions = { ...NO_FILES, container, runtime, sts: { endpoint: sts.endpoint }, online: true };
    const found = (await findingsOf(options)).filter(({ status }) => status === "ok").map(({ check }) => check);
    await sts.close();
    assertEquals(found.slice(-4), ["container.endpoint", "container", "sts", "credentials"]);
  });
});

describe("diagnose() in a program of its own", () => {
  const CODE = `import { diagnose } from ${JSON.stringify(moduleUrl("mod.ts"))};
    for await (const finding of diagnose()) console.log(JSON.stringify(finding));`;
  const run = async (env: Record<string, string>, denoFlags = ["--allow-all"]): Promise<readonly Finding[]> => {
    const { stdout, stderr, exitCode } = await runProgram(CODE, { env, denoFlags });
    assertEquals([exitCode, stderr], [0, ""]);
    assertFalse(stdout.includes("canary"), stdout);
    return stdout.trim().split("\n").map((line) => JSON.parse(line));
  };

  it("names the runtime, and variables without their values", async () => {
    const found = await run({
      AWS_ACCESS_KEY_ID: "AKIAENV",
      AWS_SECRET_ACCESS_KEY: "canary",
      HTTPS_PROXY: "http://canary@127.0.0.1:1",
    });
    const [runtime] = found;
    assert(runtime?.message.toLowerCase().startsWith(`the runtime is ${RUNTIME} `), runtime?.message);
    const set = found.filter(({ message }) => message.startsWith("Set: ")).map(({ message }) => message);
    assertEquals(set, ["Set: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY", "Set: HTTPS_PROXY"]);
    const proxy = found.find(({ message }) => message.includes("may go through the proxy"));
    assertEquals(proxy?.hint?.includes("--use-env-proxy"), RUNTIME === "node" ? true : undefined);
    assertEquals(found.at(-1)?.status, "ok");
  });

  (RUNTIME === "deno" ? it : it.skip)("names the flag for each permission that is missing", async () => {
    const found = await run({}, ["--allow-env=AWS_*,HOME"]);
    const flags = found.filter(({ check }) => check === "permissions").map(({ hint }) => hint);
    assertEquals(flags, [
      "Start Deno with --allow-read=/nonexistent/.aws/config.",
      "Start Deno with --allow-read=/nonexistent/.aws/credentials.",
      "Start Deno with --allow-net=169.254.169.254:80.",
    ]);
    const token = found.find(({ check }) => check === "imds.token");
    assertEquals([token?.status, token?.hint], ["skipped", "Start Deno with --allow-net=169.254.169.254:80."]);
  });

  (RUNTIME === "deno" ? it : it.skip)("says that variables may not be read", async () => {
    const found = await run({ AWS_PROFILE: "canary" }, ["--allow-sys=homedir"]);
    const permission = found.find(({ check }) => check === "permissions");
    assertEquals(permission?.message, "Deno has no permission to read the variables AWS_*, which count as unset");
    assertEquals(found.at(-1)?.hint?.includes("--allow-env=AWS_*"), true);
  });
});
