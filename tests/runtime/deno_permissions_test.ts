import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { it } from "@std/testing/bdd";
import process from "node:process";
import { detectSpawn } from "../../lib/runtime/spawn/detect.ts";
import { describeOnPosix, moduleUrl, Scratch } from "../support/processes.ts";

const HOST = `
import { fromProcess } from ${JSON.stringify(moduleUrl("mod"))};
const command = Deno.args.length > 1 ? Deno.args : Deno.args[0];
const timeout = Deno.args[1] === "hang" ? 1_000 : 60_000;
try {
  console.log((await fromProcess({ command, timeout, runtime: { now: () => 0 } })()).accessKeyId);
} catch (error) {
  console.log(error.code, error.message, error.hint);
}
`;
const DOCUMENT = '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}';

interface DenoCommand {
  readonly Command: new (file: string, options: object) => {
    outputSync(): { readonly stdout: Uint8Array; readonly stderr: Uint8Array };
  };
}

/**
 * What a program prints that asks for credentials with these permissions, and nothing else: a prompt would show. Not
 * started with `node:child_process`, which gives a Deno without permissions all of them.
 */
function output(scratch: Scratch, flags: readonly string[], command: readonly string[], env: object = {}): string {
  return outputOf(["run", "--no-lock", "--no-check", ...flags, scratch.file("host.ts", HOST), ...command], env);
}

function outputOf(args: readonly string[], env: object = {}): string {
  const { Deno } = globalThis as unknown as { Deno: DenoCommand };
  const host = new Deno.Command(process.execPath, { args, env: { NO_COLOR: "1", ...env }, stdin: "null" });
  const { stdout, stderr } = host.outputSync();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

(("Deno" in globalThis) ? describeOnPosix : describeOnPosix.skip)("fromProcess() under Deno's permissions", () => {
  it("needs --allow-run for the program only, when the command is an array", () => {
    using scratch = new Scratch();
    const helper = scratch.script("helper", `echo '${DOCUMENT}'`);
    assertEquals(output(scratch, [`--allow-run=${helper}`], [helper, "argument"]), "AKIAEXAMPLE\n");
  });

  it("needs --allow-run for the shell, when the command is a string", () => {
    using scratch = new Scratch();
    assertEquals(output(scratch, ["--allow-run=/bin/sh"], [`echo '${DOCUMENT}'`]), "AKIAEXAMPLE\n");
  });

  it("names the flag, when it may not start the program", () => {
    using scratch = new Scratch("rolecreds-");
    const helper = scratch.script("helper", `echo '${DOCUMENT}'`);
    for (const flags of [[], ["--allow-run=/bin/true"], [`--deny-run=${helper}`]]) {
      assertEquals(
        output(scratch, flags, [helper, "canary"]),
        "ProcessProviderExecutionError Cannot run the credential process: Deno has no permission to start the program " +
          `Start Deno with --allow-run=${helper}.\n`,
      );
    }
    assertEquals(scratch.pids, []);
  });

  it("names no part of the program that may be an argument, when it may not start it", () => {
    using scratch = new Scratch();
    const hosts = scratch.file(
      "one_word.ts",
      HOST.replace("Deno.args.length > 1 ? Deno.args : Deno.args[0]", "Deno.args"),
    );
    assertEquals(
      outputOf(["run", "--no-lock", "--no-check", hosts, "helper --password canary"]),
      "ProcessProviderExecutionError Cannot run the credential process: Deno has no permission to start the program " +
        "Start Deno with --allow-run for that program.\n",
    );
  });

  // The permission for one program is not enough then: such a variable can make it run anything.
  it("names the way out, when LD_* variables are set", () => {
    using scratch = new Scratch();
    const helper = scratch.script("helper", `echo '${DOCUMENT}'`);
    const text = output(scratch, [`--allow-run=${helper}`], [helper, "canary"], { LD_LIBRARY_PATH: "/nonexistent" });
    assertStringIncludes(
      text,
      "Start Deno with --allow-run without a program name; or unset LD_* and DYLD_*; or set inheritEnv to false.",
    );
  });

  it("kills the process alone, when it may start only that", async () => {
    using scratch = new Scratch();
    const helper = scratch.script("helper", "exec sleep 3600");
    assertStringIncludes(output(scratch, [`--allow-run=${helper}`], [helper, "hang"]), "no result after 1000 ms");
    assertEquals([scratch.pids.length, await scratch.survivors()], [1, []]);
  });

  it("kills the process group, when it may start that program and /bin/sh", async () => {
    using scratch = new Scratch();
    const helper = scratch.script("helper", "sleep 3600 & pid $!; wait");
    const text = output(scratch, [`--allow-run=${helper},/bin/sh`], [helper, "hang"]);
    assertStringIncludes(text, "no result after 1000 ms");
    assertEquals([scratch.pids.length, await scratch.survivors()], [2, []]);
  });

  it("needs no more for another working directory and without the inherited environment", () => {
    using scratch = new Scratch();
    const helper = scratch.script("helper", `[ "$PWD" = / ] && [ -z "$HOME" ] && echo '${DOCUMENT}'`);
    const host = scratch.file("other.ts", HOST.replace("timeout,", 'timeout, cwd: "/", inheritEnv: false,'));
    assertEquals(
      outputOf(["run", "--no-lock", "--no-check", `--allow-run=${helper}`, host, helper, "argument"]),
      "AKIAEXAMPLE\n",
    );
  });

  it("finds its marker, when the variable may be read, and runs without that permission, too", () => {
    using scratch = new Scratch();
    const deno = (flags: string) =>
      `"${process.execPath}" run --no-lock --no-check ${flags} '${scratch.folder}/host.ts'`;
    const helper = scratch.script("helper", `${deno("--allow-run --allow-env")} "$0" again >&2; echo '${DOCUMENT}'`);
    const text = output(scratch, [`--allow-run=${helper}`], [helper, "again"]);
    assertStringIncludes(text, "this program was started by a run of the same command");
    assertStringIncludes(text, "AKIAEXAMPLE");
    assertEquals(scratch.pids.length, 1);
  });
});

describeOnPosix("denoRuntime().spawn()", () => {
  it("asks Deno for nothing that would prompt, when the permission is not granted", async () => {
    const queries: unknown[] = [];
    const deno = {
      version: { deno: "2.9.5" },
      build: { os: "linux" },
      permissions: {
        querySync(descriptor: unknown) {
          queries.push(descriptor);
          return { state: "prompt" };
        },
      },
    }; // anything else that is touched throws
    const spawn = detectSpawn({ Deno: deno });
    const options = { stdin: "ignore", stderr: "ignore", env: {}, timeoutMs: 1_000, maxOutputBytes: 1 } as const;
    const result = await spawn(["/bin/helper", "canary"], options);
    assert(result.kind === "notStarted");
    assertEquals([result.cause.message, result.hint], [
      "Deno has no permission to start the program",
      "Start Deno with --allow-run=/bin/helper.",
    ]);
    assertEquals(queries, ["/bin/sh", "/bin/helper"].map((command) => ({ name: "run", command })));
  });
});
