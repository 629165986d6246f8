import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Finding } from "../../mod.ts";
import { ImdsEmulator, type ImdsEmulatorOptions, serveEmulator, StsEmulator } from "../../lib/testing/mod.ts";
import { itOnTerminal, runCli, startInShell, startOnTerminal } from "../support/cli.ts";
import { FakeTerminal } from "../support/fake_terminal.ts";
import { describeOnPosix } from "../support/processes.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "canary" };
const DISABLED = { AWS_EC2_METADATA_DISABLED: "true" };
const ESCAPE = "\x1b";

function onInstance(options: ImdsEmulatorOptions, variables: Record<string, string> = {}): FakeTerminal {
  const terminal = new FakeTerminal(variables);
  terminal.runtime.answer = new ImdsEmulator({ runtime: terminal.runtime, ...options }).fetch;
  return terminal;
}

describe("rolecreds doctor", () => {
  it("prints a line for each finding with a symbol, and its fix below it", async () => {
    const terminal = onInstance({ role: null, tokens: "optional" });
    assertEquals([await terminal.run("doctor"), terminal.stderr], [1, ""]);
    const lines = terminal.stdout.split("\n");
    assert(lines.includes("✓ imds.token        IMDSv2 works at 169.254.169.254"), terminal.stdout);
    assert(lines.some((line) => line.startsWith("- environment       Cannot get credentials from the environment: ")));
    const failed = lines.findIndex((line) => line.startsWith("✗ imds.role         ImdsNoRole: "));
    assert(lines[failed + 1]?.startsWith("                    Attach an instance profile with a role: aws ec2 "));
    assert(lines.at(-2)?.startsWith("✗ credentials       Credentials cannot be retrieved: "), terminal.stdout);
    assertFalse(terminal.stdout.includes(ESCAPE));
  });

  it("marks what works and needs attention, and exits with 0", async () => {
    const terminal = onInstance({ tokens: "optional" });
    assertEquals([await terminal.run("doctor"), terminal.stderr], [0, ""]);
    assert(terminal.stdout.includes("\n! imds.v1           IMDSv1 is enabled: "), terminal.stdout);
    assert(terminal.printed.at(-1)?.startsWith("✓ credentials       "), terminal.stdout);
  });

  it("uses colours on a terminal, unless NO_COLOR is set", async () => {
    const print = async (variables: Record<string, string>) => {
      const terminal = onInstance({ role: null, skewMs: 600_000 }, variables);
      terminal.stdoutIsTerminal = true;
      await terminal.run("doctor");
      return terminal.stdout;
    };
    const coloured = await print({ NO_COLOR: "" });
    for (const symbol of ["[32m✓", "[2m-", "[33m!", "[31m✗"]) {
      assert(coloured.includes(`${ESCAPE}${symbol}${ESCAPE}[0m `), coloured);
    }
    const plain = await print({ NO_COLOR: "1" });
    assertEquals(coloured.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, "g"), ""), plain);
  });

  it("prints JSON lines with --json, also on a terminal", async () => {
    const terminal = new FakeTerminal(KEYS);
    terminal.stdoutIsTerminal = true;
    assertEquals([await terminal.run("doctor", "--json"), terminal.stderr], [0, ""]);
    const findings = terminal.printed.map((line): Finding => JSON.parse(line));
    assertEquals(findings.map(({ check }) => check).slice(-6), [
      ...["environment", "profile", "webIdentity", "container", "imds", "credentials"],
    ]);
    assertEquals(findings.at(-1), {
      check: "credentials",
      status: "ok",
      message: "Credentials can be retrieved: AKIAENV from the environment",
    });
  });

  it("takes the profile of --profile", async () => {
    const terminal = new FakeTerminal({ ...KEYS, AWS_CONFIG_FILE: "/config" });
    terminal.runtime.files["/config"] = "[profile dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = canary\n";
    assertEquals(await terminal.run("doctor", "--profile", "dev"), 0);
    assert(terminal.stdout.includes("✓ profile           Chosen: AKIADEV from ProfileProvider"), terminal.stdout);
  });

  it("calls STS with --online only", async () => {
    const terminal = new FakeTerminal(KEYS);
    const sts = new StsEmulator({ runtime: terminal.runtime, accessKeys: { AKIAENV: { secretAccessKey: "canary" } } });
    terminal.runtime.answer = sts.fetch;
    assertEquals([await terminal.run("doctor"), sts.requests.length], [0, 0]);
    assertEquals([await terminal.run("doctor", "--online"), sts.requests.length], [0, 1]);
    assert(terminal.stdout.includes("arn:aws:iam::123456789012:user/emulated-user"), terminal.stdout);
    sts.accessKeys.clear();
    assertEquals(await terminal.run("doctor", "--online"), 1);
  });

  it("gets the MFA code from the person at the terminal", async () => {
    const role = "arn:aws:iam::123456789012:role/emulated-role";
    const terminal = new FakeTerminal({ AWS_PROFILE: "app", AWS_CONFIG_FILE: "/config" });
    terminal.stdinIsTerminal = terminal.stderrIsTerminal = true;
    terminal.runtime.files["/config"] =
      `[profile app]\nrole_arn = ${role}\nmfa_serial = GAHT12345678\nsource_profile = base\n` +
      "[profile base]\naws_access_key_id = AKIAENV\naws_secret_access_key = canary\n";
    terminal.runtime.answer = new StsEmulator({
      runtime: terminal.runtime,
      accessKeys: { AKIAENV: { secretAccessKey: "canary" } },
      roles: { [role]: { mfa: { serial: "GAHT12345678", code: terminal.typed } } },
    }).fetch;
    assertEquals([await terminal.run("doctor"), terminal.questions], [0, ["MFA code of GAHT12345678: "]]);
    assertFalse(terminal.stdout.includes(terminal.typed));
  });

  for (const args of [["--onlin"], ["--profile"], ["--json=1"], ["prod"], ["--", "true"]]) {
    it(`refuses ${args.join(" ")}`, async () => {
      const terminal = new FakeTerminal(KEYS);
      assertEquals([await terminal.run("doctor", ...args), terminal.stdout], [2, ""]);
    });
  }
});

describe("rolecreds doctor as a program", () => {
  it("exits with 0 where there are credentials, and with 1 where there are none", async () => {
    const found = await runCli(["doctor"], { env: KEYS });
    assertEquals([found.exitCode, found.stderr], [0, ""]);
    assertFalse(found.stdout.includes("canary"), found.stdout);
    const missing = await runCli(["doctor", "--json"], { env: DISABLED });
    assertEquals([missing.exitCode, missing.stderr], [1, ""]);
    const findings = missing.stdout.trim().split("\n").map((line): Finding => JSON.parse(line));
    assertEquals(findings.at(-1)?.check, "credentials");
  });

  it("explains an instance over a real connection", async () => {
    const { endpoint, close } = await serveEmulator(new ImdsEmulator({ region: "eu-west-1" }));
    const { exitCode, stdout } = await runCli(["doctor"], { env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint } });
    await close();
    assertEquals(exitCode, 0, stdout);
    assert(stdout.includes("✓ imds.region       The region of the instance is eu-west-1\n"), stdout);
  });

  itOnTerminal("uses colours on a pseudo-terminal", async () => {
    using cli = startOnTerminal(["doctor"], { env: KEYS });
    const { exitCode } = await cli.exit;
    assertEquals(exitCode, 0);
    assert(cli.stdout.includes(`${ESCAPE}[32m✓${ESCAPE}[0m credentials`), cli.stdout);
  });
});

describeOnPosix("the output of rolecreds doctor", () => {
  it("is not needed, where the first byte is enough for the reader", async () => {
    using cli = startInShell('"$@" --json | head -c1', ["doctor"], { env: KEYS });
    await cli.exit;
    assertEquals([cli.stdout, cli.stderr], ["{", ""]);
  });
});
