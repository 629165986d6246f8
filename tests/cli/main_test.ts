import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import process from "node:process";
import { Cli, itOnTerminal, itWith, runCli, startInShell, startOnTerminal } from "../support/cli.ts";
import { describeOnPosix } from "../support/processes.ts";
import { moduleUrl, runProgram, RUNTIME } from "../support/run_program.ts";

describe("rolecreds as a program", () => {
  it("needs no permission but the network in Deno, and ends by itself", async () => {
    const { exitCode, stdout, stderr } = await runCli(["get", "--emulate"], { denoFlags: ["--allow-net"] });
    assertEquals(exitCode, 0, stderr);
    assertEquals(JSON.parse(stdout).AccessKeyId, "ASIAEMULATED00000002");
  });

  it("emulates also where the environment disables IMDS", async () => {
    const { exitCode } = await runCli(["get", "--emulate"], { env: { AWS_EC2_METADATA_DISABLED: "true" } });
    assertEquals(exitCode, 0);
  });

  it("gets the credentials of a profile, from files that may only be read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rolecreds-"));
    const file = join(folder, "credentials");
    writeFileSync(file, "[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n", { mode: 0o400 });
    const { stdout } = await runCli(["get", "--profile", "dev"], { env: { AWS_SHARED_CREDENTIALS_FILE: file } });
    rmSync(folder, { recursive: true });
    assertEquals(JSON.parse(stdout).AccessKeyId, "AKIADEV");
  });

  it("exits with 1 without credentials, and with 2 for a wrong command line", async () => {
    const env = { AWS_EC2_METADATA_DISABLED: "true" };
    const { exitCode, stdout, stderr } = await runCli(["get"], { env });
    assertEquals([exitCode, stdout], [1, ""]);
    assert(stderr.startsWith("error  NoCredentials\n") && stderr.includes("ImdsDisabled"), stderr);
    const wrong = await runCli(["get", "--profil"]);
    assertEquals([wrong.exitCode, wrong.stdout], [2, ""]);
    assertEquals(wrong.stderr, "rolecreds: unknown option --profil, did you mean --profile?\n");
  });

  const itOnDeno = RUNTIME === "deno" ? it : it.skip as typeof it;
  itOnDeno("says which permission is missing in Deno, where there is none", async () => {
    const denoFlags = ["--allow-read=/nothing"];
    const { exitCode, stderr } = await runCli(["get", "--source", "imds"], { denoFlags });
    assertEquals(exitCode, 1);
    assert(stderr.includes("hint   Start Deno with --allow-net=169.254.169.254:80."), stderr);
    const emulate = await runCli(["emulate", "imds"], { denoFlags });
    assertEquals([emulate.exitCode, emulate.stdout], [1, ""]);
    assert(emulate.stderr.includes("hint   Start Deno with --allow-net=127.0.0.1."), emulate.stderr);
    const exec = await runCli(["exec", "--source", "env", "--", "true"], { denoFlags });
    assertEquals([exec.exitCode, exec.stdout], [1, ""]);
  });
});

describeOnPosix("the output of rolecreds", () => {
  const ENV = { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "CANARY" };

  async function exitOf(script: string, args: readonly string[]): Promise<string> {
    using cli = startInShell(script, args, { env: ENV });
    await cli.exit;
    return cli.stdout + cli.stderr;
  }

  const WITHOUT_READER =
    'f=$(mktemp -u) && mkfifo "$f" && exec 4<>"$f" 3>"$f" 4<&- && rm "$f"; "$@" >&3; echo "exit $?"';

  it("ends quietly with 1, where its reader is gone", async () => {
    assertEquals(await exitOf(WITHOUT_READER, ["get"]), "exit 1\n");
    assertEquals(await exitOf(WITHOUT_READER, ["get", "--help"]), "exit 1\n");
    assertEquals(await exitOf(WITHOUT_READER, ["emulate", "imds"]), "exit 1\n");
    assertEquals(await exitOf(WITHOUT_READER, ["serve"]), "exit 1\n");
  });

  const itWithFullDisk = existsSync("/dev/full") ? it : it.skip as typeof it;
  itWithFullDisk("ends quietly with 1, where the disk is full", async () => {
    assertEquals(await exitOf('"$@" >/dev/full; echo "exit $?"', ["get"]), "exit 1\n");
    assertEquals(await exitOf('"$@" 2>/dev/full; echo "exit $?"', ["get", "--nonsense"]), "exit 2\n");
    assertEquals(await exitOf('"$@" 2>&-; echo "exit $?"', ["get", "--nonsense"]), "exit 2\n");
  });

  const itOutsideDeno = RUNTIME === "deno" ? it.skip as typeof it : itWith("python3");
  itOutsideDeno("is whole, where the reader is slow and the pipe does not block", async () => {
    const unblock =
      "import fcntl, os, sys; fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK); os.execvp(sys.argv[1], sys.argv[1:])";
    const script = `{ python3 -c '${unblock}' "$@"; echo "exit $?" >&2; } | { sleep 0.3; cat; }`;
    const token = "t".repeat(120_000); // more than a pipe holds
    using cli = startInShell(script, ["get"], { env: { ...ENV, AWS_SESSION_TOKEN: token } });
    await cli.exit;
    assertEquals([JSON.parse(cli.stdout).SessionToken === token, cli.stderr], [true, "exit 0\n"]);
  });

  it("is not needed, where the first byte is enough for the reader", async () => {
    assertEquals(await exitOf('"$@" | head -c1', ["get"]), "{");
  });

  it("has no stack trace, where stdin or stdout is closed", async () => {
    assertEquals(JSON.parse(await exitOf('"$@" <&-', ["get"])).AccessKeyId, "AKIAENV");
    assertEquals(await exitOf('"$@" >&-', ["get"]), "");
  });
});

describeOnPosix("rolecreds get on a terminal", () => {
  const env = {
    AWS_ACCESS_KEY_ID: "AKIAENV",
    AWS_SECRET_ACCESS_KEY: "CANARY-secret",
    AWS_SESSION_TOKEN: "CANARY-token",
  };

  itOnTerminal("shows no secret", async () => {
    using cli = startOnTerminal(["get", "--source", "env"], { env });
    assertEquals((await cli.exit).exitCode, 0);
    assert(/secret access key +\[redacted\]/.test(cli.stdout), cli.stdout);
    assertFalse(cli.stdout.includes("CANARY"), cli.stdout);
  });

  itOnTerminal("shows the secrets where a format is named, and pipes them where the output is a pipe", async () => {
    using named = startOnTerminal(["get", "--source", "env", "--format", "env"], { env });
    await named.exit;
    assert(named.stdout.includes("export AWS_SECRET_ACCESS_KEY='CANARY-secret'"), named.stdout);
    using piped = startOnTerminal(["get", "--source", "env"], { env }, '"$@" | tr -d "\\n" | tr a-z A-Z');
    await piped.exit;
    assert(piped.stdout.includes('"SECRETACCESSKEY": "CANARY-SECRET"'), piped.stdout);
  });
});

describe("the module of the command line", () => {
  it("does nothing when imported", async () => {
    const code = `await import("${moduleUrl("lib/cli/main.ts")}"); console.log("imported");`;
    assertEquals(await runProgram(code, { args: ["get", "--nonsense"] }), {
      exitCode: 0,
      stdout: "imported\n",
      stderr: "",
    });
  });

  for (const args of [[], ["no/such/file", "get"], ["", "x"]]) {
    it(`does nothing when imported by --eval with ${JSON.stringify(args)}`, async () => {
      const code = `await import("${moduleUrl("lib/cli/main.ts")}"); console.log("imported");`;
      const flags = { deno: ["eval", "--quiet", "--no-check"], bun: ["-e"], node: ["--input-type=module", "--eval"] };
      using cli = new Cli([process.execPath, ...flags[RUNTIME], code, ...args]);
      cli.child.stdin?.end();
      const { exitCode } = await cli.exit;
      assertEquals([exitCode, cli.stdout, cli.stderr], [0, "imported\n", ""]);
    });
  }

  it("is not among what mod.ts loads", () => {
    const loaded = new Set<string>();
    const load = (path: string) => {
      if (loaded.has(path)) return;
      loaded.add(path);
      for (
        const [, specifier = ""] of readFileSync(path, "utf8").matchAll(/^(?:import|export) [^;]*? from "(\.[^"]+)"/gm)
      ) {
        load(posix.join(posix.dirname(path), specifier));
      }
    };
    load("mod.ts");
    assert(loaded.size > 50, `${loaded.size}`);
    assertEquals([...loaded].filter((path) => /^lib\/cli\/|terminal|prompt|foreground/.test(path)), []);
  });
});

it("no secret is in what a failing command prints", async () => {
  const env = { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "CANARY", AWS_EC2_METADATA_DISABLED: "true" };
  for (const args of [["exec", "--", "/nonexistent/program", "CANARY"], ["get", "--min-lifetime", "nonsense"]]) {
    const { stdout, stderr } = await runCli(args, { env });
    assertFalse((stdout + stderr).includes("CANARY"), stderr);
  }
});
