import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenOnLoopback } from "../../lib/runtime/loopback.ts";
import { ImdsEmulator, serveEmulator } from "../../lib/testing/mod.ts";
import process from "node:process";
import { type Cli, itOnTerminal, itWith, runCli, startCli, startOnTerminal } from "../support/cli.ts";
import { FakeSts } from "../support/fake_sts.ts";
import { FakeTerminal } from "../support/fake_terminal.ts";
import { describeOnPosix, Scratch } from "../support/processes.ts";
import { moduleUrl, RUNTIME } from "../support/run_program.ts";

const KEYS = {
  AWS_ACCESS_KEY_ID: "AKIAENV",
  AWS_SECRET_ACCESS_KEY: "CANARY-secret",
  AWS_SESSION_TOKEN: "CANARY-token",
};

describe("rolecreds exec", () => {
  it("gives the program keys, token, expiration, account and region, and removes what names others", async () => {
    const config = "[profile dev]\nregion = eu-west-1\naws_account_id = 123456789012\n" +
      "aws_access_key_id = AKIADEV\naws_secret_access_key = s\n";
    const terminal = new FakeTerminal({ ...KEYS, AWS_CONFIG_FILE: "/config", AWS_PROFILE: "other" });
    terminal.runtime.files["/config"] = config;
    assertEquals(await terminal.run("exec", "--profile", "dev", "--", "printenv", "-0"), 0);
    assertEquals(terminal.programs, [{
      command: ["printenv", "-0"],
      variables: {
        AWS_ACCESS_KEY_ID: "AKIADEV",
        AWS_SECRET_ACCESS_KEY: "s",
        AWS_SESSION_TOKEN: undefined,
        AWS_CREDENTIAL_EXPIRATION: undefined,
        AWS_ACCOUNT_ID: "123456789012",
        AWS_REGION: "eu-west-1",
        AWS_DEFAULT_REGION: "eu-west-1",
        AWS_PROFILE: undefined,
        AWS_DEFAULT_PROFILE: undefined,
        AWS_SECURITY_TOKEN: undefined,
        AWS_CREDENTIAL_SCOPE: undefined,
      },
    }]);
    assertEquals([terminal.stdout, terminal.stderr], ["", ""]);
  });

  it("gives the expiration of an instance role", async () => {
    const terminal = new FakeTerminal();
    terminal.runtime.answer = new ImdsEmulator({ runtime: terminal.runtime }).fetch;
    await terminal.run("exec", "--source", "imds", "--region", "us-west-2", "--", "x");
    const variables = terminal.programs[0]?.variables;
    assertEquals(variables?.["AWS_CREDENTIAL_EXPIRATION"], "2026-01-01T06:00:00.000Z");
    assertEquals(variables?.["AWS_DEFAULT_REGION"], "us-west-2");
  });

  it("starts nothing without credentials, and exits with 1", async () => {
    const terminal = new FakeTerminal({ AWS_EC2_METADATA_DISABLED: "true" });
    assertEquals([await terminal.run("exec", "--", "x"), terminal.programs], [1, []]);
    assertEquals([await terminal.run("exec", "--serve", "--", "x"), terminal.programs], [1, []]);
  });

  it("ends by the signal that ended the program", async () => {
    const terminal = new FakeTerminal(KEYS);
    terminal.programExit = { exitCode: 137, signal: "SIGKILL" };
    assertEquals([await terminal.run("exec", "--", "x"), terminal.signals], [137, ["SIGKILL"]]);
  });
});

describeOnPosix("rolecreds exec as a process", () => {
  it("passes arguments as they are: no shell sees them", async () => {
    const { exitCode, stdout } = await runCli(["exec", "--", "printf", "<%s>", "a b", "$HOME", "*", ""], { env: KEYS });
    assertEquals([exitCode, stdout], [0, "<a b><$HOME><*><>"]);
  });

  it("replaces the variables of the environment, and keeps the rest", async () => {
    const env = { ...KEYS, AWS_PROFILE: "other", OTHER: "kept", AWS_SECURITY_TOKEN: "old" };
    const { stdout } = await runCli(["exec", "--source", "env", "--region", "eu-west-1", "--", "env"], { env });
    const variables = Object.fromEntries(stdout.split("\n").map((line) => line.split("=")));
    assertEquals([variables["AWS_ACCESS_KEY_ID"], variables["AWS_REGION"]], ["AKIAENV", "eu-west-1"]);
    assertEquals([variables["OTHER"], variables["AWS_PROFILE"], variables["AWS_SECURITY_TOKEN"]], [
      "kept",
      undefined,
      undefined,
    ]);
  });

  it("hands on the standard input and the exit code", async () => {
    using cli = startCli(["exec", "--", "sh", "-c", "cat; echo error >&2; exit 7"], { env: KEYS });
    cli.child.stdin?.end("typed");
    assertEquals([await cli.exit, cli.stdout, cli.stderr], [{ exitCode: 7, signal: null }, "typed", "error\n"]);
  });

  for (const signal of ["SIGTERM", "SIGKILL", "SIGHUP"] as const) {
    it(`dies of ${signal}, when the program does`, async () => {
      const { exitCode, signal: own } = await runCli(["exec", "--", "sh", "-c", `kill -${signal.slice(3)} $$`], {
        env: KEYS,
      });
      assertEquals([exitCode, own], [null, signal]);
    });
  }

  it("exits with 127 where there is no such program, with 126 where it does not start", async () => {
    using scratch = new Scratch();
    const plain = scratch.file("plain", "#!/bin/sh\n", 0o644);
    for (
      const [program, exitCode, state] of [[`${scratch.folder}/missing`, 127, "no such program"], [
        plain,
        126,
        "not be executed",
      ]]
    ) {
      const result = await runCli(["exec", "--", `${program}`, "CANARY"], { env: KEYS });
      assertEquals([result.exitCode, result.stdout], [exitCode, ""]);
      assert(result.stderr.startsWith("error  Cannot run the program: ") && result.stderr.includes(`${state}`));
      assertFalse(result.stderr.includes("CANARY"), result.stderr);
    }
  });

  it("says which permissions it needs in Deno", async () => {
    const denoFlags = ["--allow-env", "--allow-read"];
    const { exitCode, stderr } = await runCli(["exec", "--", "true"], { env: KEYS, denoFlags });
    if (RUNTIME !== "deno") return assertEquals(exitCode, 0);
    assertEquals(exitCode, 126);
    assert(stderr.includes("hint   Start Deno with --allow-run and --allow-env."), stderr);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
    it(`forwards ${signal}, and exits as the program does`, async () => {
      const name = signal.slice(3);
      using cli = startCli(["exec", "--", "sh", "-c", `trap 'echo got ${name}; exit 3' ${name}; ${WAIT}`], {
        env: KEYS,
      });
      await cli.until("ready");
      cli.signal(signal);
      assertEquals([await cli.exit, cli.stdout], [{ exitCode: 3, signal: null }, `ready\ngot ${name}\n`]);
    });
  }

  it("leaves no program behind, when a signal ends both", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", WAIT);
    using cli = startCli(["exec", "--", program], { env: KEYS });
    await cli.until("ready");
    cli.signal("SIGTERM");
    assertEquals(await cli.exit, { exitCode: null, signal: "SIGTERM" });
    assertEquals(await scratch.survivors(), []);
  });

  it("starts no program, when a signal comes while it waits for credentials", async () => {
    const emulator = new ImdsEmulator();
    emulator.inject("hang", { times: Infinity });
    let wake = () => {};
    const requested = new Promise<void>((resolve) => wake = resolve);
    const server = await listenOnLoopback((request) => {
      wake();
      return emulator.handle(request);
    }, {});
    const args = [
      "exec",
      "--source",
      "imds",
      "--endpoint",
      server.origin,
      "--timeout",
      "20000",
      "--",
      "echo",
      "started",
    ];
    using cli = startCli(args);
    await requested;
    cli.signal("SIGINT");
    assertEquals([await cli.exit, cli.stdout, cli.stderr], [{ exitCode: null, signal: "SIGINT" }, "", ""]);
    await server.close();
  });
});

describeOnPosix("rolecreds exec on a terminal", () => {
  itOnTerminal("lets Ctrl-C reach the program once, and goes on", async () => {
    const script =
      `trap 'n=$((n+1)); echo "got $n"' INT; trap 'echo "all $n"; exit 5' TERM; echo "parent $PPID"; ${WAIT}`;
    using cli = startOnTerminal(["exec", "--", "sh", "-c", script], { env: KEYS });
    await cli.until("ready");
    for (const interrupts of [1, 2, 3]) {
      cli.child.stdin?.write("\x03");
      await cli.until(`got ${interrupts}`);
    }
    process.kill(Number(/parent (\d+)/.exec(cli.stdout)?.[1]), "SIGTERM");
    assertEquals((await cli.exit).exitCode, 5);
    assert(cli.stdout.includes("all 3"), cli.stdout);
  });

  itOnTerminal("gives the program the terminal", async () => {
    using cli = startOnTerminal(
      ["exec", "--", "sh", "-c", 'test -t 0 && test -t 1 && read line && echo "read $line"'],
      {
        env: KEYS,
      },
    );
    cli.child.stdin?.write("typed\n");
    await cli.until("read typed");
    assertEquals((await cli.exit).exitCode, 0);
  });

  itOnTerminal("leaves no credential process behind after Ctrl-C", async () => {
    using scratch = new Scratch();
    const config = `[profile dev]\ncredential_process = "${scratch.script("helper", WAIT)}"\n`;
    const env = { AWS_CONFIG_FILE: scratch.file("config", config) };
    using cli = startOnTerminal(["exec", "--profile", "dev", "--", "echo", "started"], { env });
    await scratch.started(1);
    cli.child.stdin?.write("\x03");
    assertEquals([(await cli.exit).exitCode, cli.stdout.includes("started")], [130, false]);
    assertEquals(await scratch.survivors(), []);
  });

  itOnTerminal("asks for an MFA code without showing it, then gives the program the terminal", async () => {
    await using sts = new FakeSts();
    using scratch = new Scratch();
    using cli = startMfa(await sts.listen(), scratch, 'test -t 0 && read line && echo "read $line $AWS_ACCESS_KEY_ID"');
    await cli.until("MFA code of arn:aws:iam::123456789012:mfa/me: ");
    cli.child.stdin?.write("98765\x7f54\r");
    await sts.requested;
    cli.child.stdin?.write("typed\n");
    await cli.until("read typed ASIAROLE");
    const codes = sts.requests.map(({ parameters }) => parameters.get("TokenCode"));
    assertEquals([(await cli.exit).exitCode, codes], [0, ["987654"]]);
    assertFalse(/98765|54/.test(cli.stdout), cli.stdout);
  });

  itOnTerminal("restores the terminal and dies of SIGINT, when Ctrl-C is typed at the MFA prompt", async () => {
    await using sts = new FakeSts();
    using scratch = new Scratch();
    using cli = startMfa(await sts.listen(), scratch, "echo started", '"$@"; echo "code $?"; stty -a');
    await cli.until("MFA code of ");
    cli.child.stdin?.write("12\x03");
    await cli.exit;
    assert(cli.stdout.includes("code 130"), cli.stdout);
    assert(/ icanon .* echo /s.test(cli.stdout), cli.stdout);
    assertFalse(cli.stdout.includes("started"), cli.stdout);
  });
});

describeOnPosix("rolecreds exec --serve", () => {
  it("gives the program an endpoint and hides everything that comes before it", async () => {
    const env = { ...KEYS, AWS_PROFILE: "", AWS_WEB_IDENTITY_TOKEN_FILE: "/x", AWS_CREDENTIAL_EXPIRATION: "" };
    const { stdout } = await runCli(["exec", "--serve", "--source", "env", "--", "env"], { env });
    const names = stdout.split("\n").map((line) => line.split("=")[0] ?? "").filter((name) => name.startsWith("AWS_"));
    assertEquals(names.sort(), [
      "AWS_CONFIG_FILE",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      "AWS_SHARED_CREDENTIALS_FILE",
    ]);
    assertFalse(stdout.includes("CANARY"), stdout);
  });

  it("serves credentials to this library through a rotation, and stops with the program", async () => {
    const emulator = new ImdsEmulator({ lifetimeSeconds: 300 }); // so that they are refreshed at each request
    const server = await serveEmulator(emulator);
    using scratch = new Scratch();
    const file = scratch.file(
      "program.mjs",
      `
      import { fromContainerMetadata } from "${moduleUrl("mod.ts")}";
      for (let i = 0; i < 2; i++) {
        const { accessKeyId } = await fromContainerMetadata()();
        console.log(accessKeyId);
      }
      console.log(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI);`,
    );
    const args = [
      "exec",
      "--serve",
      "--source",
      "imds",
      "--endpoint",
      server.endpoint,
      ...PATIENT,
      "--",
      ...jsProgram(file),
    ];
    const { exitCode, stdout, stderr } = await runCli(args);
    const [first, second, url = ""] = stdout.split("\n");
    assertEquals([exitCode, stderr], [0, ""]);
    assert(first?.startsWith("ASIA") && second?.startsWith("ASIA") && first !== second, stdout);
    assertEquals(await fetch(url).then(() => "listens", () => "closed"), "closed");
    await server.close();
  });

  itWith("aws")("serves credentials to the AWS CLI, whose default profile has others", async () => {
    const server = await serveEmulator(new ImdsEmulator());
    await using sts = new FakeSts();
    using scratch = new Scratch();
    scratch.file("credentials", "[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = s\n");
    const env = { AWS_SHARED_CREDENTIALS_FILE: `${scratch.folder}/credentials`, ...HOME_OF_AWS_CLI };
    const aws = ["aws", "sts", "get-caller-identity", "--region", "us-east-1", "--endpoint-url", await sts.listen()];
    await runCli(["exec", "--serve", "--source", "imds", "--endpoint", server.endpoint, ...PATIENT, "--", ...aws], {
      env,
    });
    const [{ authorization } = { authorization: "" }] = sts.requests;
    assert(authorization.includes("Credential=ASIAEMULATED00000002/"), authorization);
    await server.close();
  });
});

/** Time limits that hold also where the machine is busy. */
const PATIENT = ["--timeout", "20000"];

/** Prints `ready`, and waits for a signal. */
const WAIT = "echo ready; while :; do sleep 0.05; done";

/** The AWS CLI may be installed in there. */
const HOME_OF_AWS_CLI = { HOME: process.env["HOME"] ?? "", AWS_CONFIG_FILE: "/dev/null" };

function jsProgram(file: string): readonly string[] {
  return [process.execPath, ...(RUNTIME === "deno" ? ["run", "--quiet", "--no-check", "--allow-all"] : []), file];
}

function startMfa(stsUrl: string, scratch: Scratch, program: string, script = 'exec "$@"'): Cli {
  const config = "[profile mfa]\nrole_arn = arn:aws:iam::123456789012:role/deploy\nsource_profile = keys\n" +
    "mfa_serial = arn:aws:iam::123456789012:mfa/me\nregion = eu-west-1\n" +
    "[profile keys]\naws_access_key_id = AKIAKEYS\naws_secret_access_key = s\n";
  const env = { AWS_CONFIG_FILE: scratch.file("config", config), AWS_ENDPOINT_URL_STS: stsUrl };
  return startOnTerminal(["exec", "--profile", "mfa", "--", "sh", "-c", program], { env }, script);
}
