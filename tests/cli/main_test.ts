import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "../../lib/cli/main.ts";
import { ImdsEmulator, serveEmulator } from "../../lib/testing/mod.ts";
import { moduleUrl, type ProgramOptions, type ProgramResult, runFile } from "../support/run_program.ts";

async function run(args: readonly string[], isInteractive = false): Promise<ProgramResult> {
  const [stdout, stderr]: string[][] = [[], []];
  const exitCode = await main({
    args,
    isInteractive,
    print: (line) => stdout?.push(line),
    printError: (line) => stderr?.push(line),
  });
  return { exitCode, stdout: (stdout ?? []).join("\n"), stderr: (stderr ?? []).join("\n") };
}

async function withEmulator(
  emulator: ImdsEmulator,
  body: (endpoint: string) => Promise<ProgramResult>,
): Promise<ProgramResult> {
  const server = await serveEmulator(emulator);
  try {
    return await body(server.endpoint);
  } finally {
    await server.close();
  }
}

describe("rolecreds get", () => {
  it("prints a credential_process document, when the output is not a terminal", async () => {
    const { exitCode, stdout, stderr } = await withEmulator(
      new ImdsEmulator(),
      (endpoint) => run(["get", "--endpoint", endpoint]),
    );
    const { Expiration, ...document } = JSON.parse(stdout);
    assertEquals([exitCode, stderr], [0, ""]);
    assertEquals(document, {
      Version: 1,
      AccessKeyId: "ASIAEMULATED00000002",
      SecretAccessKey: "emulated-secret-access-key-2",
      SessionToken: "emulated-session-token-2",
    });
    assert(Date.parse(Expiration) > 0);
  });

  it("prints a summary without secrets, on a terminal", async () => {
    const { exitCode, stdout, stderr } = await withEmulator(
      new ImdsEmulator({ role: "web" }),
      (endpoint) => run(["get", `--endpoint=${endpoint}`], true),
    );
    assertEquals([exitCode, stderr], [0, ""]);
    const rows = stdout.split("\n").map((line) => line.split(/\s{2,}/));
    assertEquals(rows.map(([name]) => name), [
      "source",
      "role",
      "access key id",
      "secret",
      "expiration",
      "account",
      "requests",
    ]);
    assertEquals(rows[1], ["role", "web"]);
    assertEquals(rows[6], ["requests", "3"]);
    assertFalse(/emulated-secret|emulated-session/.test(stdout));
  });

  it("says first that it emulates, and keeps the document clean", async () => {
    const text = await run(["get", "--emulate", "--format", "text"]);
    assert(text.stdout.startsWith("Emulated: "), text.stdout);
    const json = await run(["get", "--emulate", "--format", "json"], true);
    assertEquals(JSON.parse(json.stdout).Version, 1);
    assert(json.stderr.startsWith("Emulated: "), json.stderr);
  });

  it("prints code, what was tried and the hint, when there are no credentials", async () => {
    const { exitCode, stdout, stderr } = await withEmulator(
      new ImdsEmulator({ role: null }),
      (endpoint) => run(["get", "--endpoint", endpoint]),
    );
    assertEquals([exitCode, stdout], [1, ""]);
    assertEquals(stderr.split("\n"), [
      "error  ImdsNoRole",
      "tried  Cannot get credentials: IMDS returned 404, no EC2 IMDS role found",
      "hint   Attach an IAM role to the instance (an instance profile); it works within seconds.",
    ]);
  });

  it("gives up after --timeout", async () => {
    const emulator = new ImdsEmulator();
    emulator.inject("hopLimit", { times: Infinity });
    const { exitCode, stderr } = await withEmulator(
      emulator,
      (endpoint) => run(["get", "--endpoint", endpoint, "--timeout", "20"]),
    );
    assertEquals(exitCode, 1);
    assert(stderr.includes("within 20 ms"), stderr);
  });

  it("reports a bad endpoint without repeating it", async () => {
    const { exitCode, stderr } = await run(["get", "--endpoint", "http://user:CANARY@host"]);
    assertEquals(exitCode, 1);
    assert(stderr.includes("ConfigurationError"), stderr);
    assertFalse(stderr.includes("CANARY"));
  });
});

describe("rolecreds get --process", () => {
  const document = { Version: 1, AccessKeyId: "AKIAPROCESS", SecretAccessKey: "CANARY" };

  it("prints the document of the program after --", async () => {
    const args = ["get", "--process", "--format", "json", "--", "echo", JSON.stringify(document)];
    const { exitCode, stdout } = await run(args);
    assertEquals([exitCode, JSON.parse(stdout)], [0, document]);
  });

  it("prints a summary without secrets, role and requests", async () => {
    const { stdout } = await run(["get", "--process", "--", "echo", JSON.stringify(document)], true);
    assertEquals(stdout.split("\n").map((line) => line.split(/\s{2,}/)), [
      ["source", "ProcessProvider"],
      ["access key id", "AKIAPROCESS"],
      ["secret", "[redacted]"],
      ["expiration", "never"],
      ["account", "not named by this source"],
    ]);
  });

  it("prints the diagnosis without the arguments, when the program fails", async () => {
    const { exitCode, stderr } = await run(["get", "--process", "--", "/nonexistent/helper", "CANARY"]);
    assertEquals(exitCode, 1);
    assert(stderr.startsWith("error  ProcessProviderExecutionError\ntried  Cannot run"), stderr);
    assertFalse(stderr.includes("CANARY"), stderr);
  });
});

describe("rolecreds", () => {
  const wrong = [
    [],
    ["put"],
    ["get", "put"],
    ["get", "--nonsense"],
    ["get", "-x"],
    ["get", "--format"],
    ["get", "--format", "xml"],
    ["get", "--timeout", "soon"],
    ["get", "--timeout=0"],
    ["get", "--process"],
    ["get", "--process", "--"],
    ["get", "--", "echo"],
    ["get", "--profile", "dev", "--emulate"],
  ];
  for (const args of wrong) {
    it(`exits with 2 and shows usage, when called with ${JSON.stringify(args)}`, async () => {
      const { exitCode, stdout, stderr } = await run(args);
      assertEquals([exitCode, stdout], [2, ""]);
      assert(stderr.startsWith("rolecreds: ") && stderr.includes("Usage: rolecreds"), stderr);
    });
  }

  it("prints its usage, when asked for help", async () => {
    for (const args of [["--help"], ["get", "--help"]]) {
      const { exitCode, stdout } = await run(args);
      assertEquals(exitCode, 0);
      assert(stdout.startsWith("Usage: rolecreds"));
    }
  });
});

describe("lib/cli/main.ts as a program", () => {
  function start(args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
    return runFile(fileURLToPath(moduleUrl("lib/cli/main.ts")), { args, ...options });
  }

  it("needs no permission but the network in Deno, and exits by itself", async () => {
    const { exitCode, stdout, stderr } = await start(["get", "--emulate"], { denoFlags: ["--allow-net"] });
    assertEquals(exitCode, 0, stderr);
    assertEquals(JSON.parse(stdout).AccessKeyId, "ASIAEMULATED00000002");
  });

  it("takes the credentials of a profile", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rolecreds-"));
    const file = join(folder, "credentials");
    writeFileSync(file, "[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n");
    const env = { AWS_SHARED_CREDENTIALS_FILE: file };
    const { stdout } = await start(["get", "--profile", "dev"], { env });
    rmSync(folder, { recursive: true });
    assertEquals(JSON.parse(stdout).AccessKeyId, "AKIADEV");
  });

  it("emulates also where the environment disables IMDS", async () => {
    const { exitCode } = await start(["get", "--emulate"], { env: { AWS_EC2_METADATA_DISABLED: "true" } });
    assertEquals(exitCode, 0);
  });

  it("exits with 1 without credentials, and with 2 on wrong usage", async () => {
    const { exitCode, stderr } = await start(["get"], { env: { AWS_EC2_METADATA_DISABLED: "true" } });
    assertEquals(exitCode, 1);
    assert(stderr.includes("ImdsDisabled"), stderr);
    assertEquals((await start(["nonsense"])).exitCode, 2);
  });
});
