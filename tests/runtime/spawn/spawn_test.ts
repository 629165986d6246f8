import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { it } from "@std/testing/bdd";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import process from "node:process";
import timers from "node:timers";
import type { Spawn, SpawnOptions, SpawnResult } from "../../../mod.ts";
import { detectSpawn } from "../../../lib/runtime/spawn/detect.ts";
import { describeOnPosix, isRunning, Scratch, until } from "../../support/processes.ts";
import { RUNTIME } from "../../support/run_program.ts";

const OPTIONS: SpawnOptions = {
  stdin: "ignore",
  stderr: "ignore",
  env: {},
  timeoutMs: 60_000,
  maxOutputBytes: 65_536,
};
const SLEEPS = "sleep 3600";

function run(command: readonly string[], options: Partial<SpawnOptions> = {}): Promise<SpawnResult> {
  return detectSpawn()(command, { ...OPTIONS, ...options });
}

/** The result with its output as a string. */
function readable(result: SpawnResult): object {
  return "stdout" in result ? { ...result, stdout: new TextDecoder().decode(result.stdout) } : result;
}

/** The shells that watch processes of this program (Linux). */
function watchers(): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const [status, command] = ["stat", "cmdline"].map((name) => readFileSync(`/proc/${pid}/${name}`, "utf8"));
      return new RegExp(`\\) [SRD] ${process.pid} `).test(status ?? "") && command?.includes("rolecreds-watcher");
    } catch {
      return false; // not a process, or one that has ended
    }
  });
}

/** Starts processes as if this program's stdin were a terminal. */
function spawnAtTerminal(): Spawn {
  const { Deno } = globalThis as { Deno?: object };
  if (Deno !== undefined) {
    return detectSpawn({ Deno: Object.create(Deno, { stdin: { value: { isTerminal: () => true } } }) });
  }
  const atTerminal = Object.create(process, {
    getBuiltinModule: {
      value: (id: string) => id === "node:tty" ? { isatty: () => true } : process.getBuiltinModule(id),
    },
  });
  return detectSpawn({ process: atTerminal });
}

describeOnPosix("Spawn", () => {
  it("collects the output and the exit code, when the process exits", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", 'printf "%s|" out "$@"; echo err >&2; exit 3');
    assertEquals(readable(await run([program, "a b", "$HOME", "'"])), {
      kind: "exited",
      exitCode: 3,
      stdout: "out|a b|$HOME|'|",
    });
  });

  it("gives the signal, when one killed the process", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", "echo out; kill -KILL $$");
    assertEquals(readable(await run([program])), { kind: "exited", signal: "SIGKILL", stdout: "out\n" });
  });

  it("adds to the inherited environment", async () => {
    const result = await run(["/bin/sh", "-c", 'echo "$ADDED $PATH"'], { env: { ADDED: "a b" } });
    assertEquals(readable(result), { kind: "exited", exitCode: 0, stdout: `a b ${process.env["PATH"]}\n` });
  });

  it("gives it no other variables than the given ones, when it inherits none", async () => {
    const result = await run(["/usr/bin/env"], { env: { ADDED: "a b" }, inheritEnv: false });
    assertEquals(readable(result), { kind: "exited", exitCode: 0, stdout: "ADDED=a b\n" });
  });

  it("runs it in the given folder, from where a relative path leads to the program", async () => {
    using scratch = new Scratch();
    scratch.script("program", "pwd -P");
    for (const command of [["./program"], ["/bin/pwd", "-P"]]) {
      const result = await run(command, { cwd: scratch.folder });
      assertEquals(readable(result), { kind: "exited", exitCode: 0, stdout: `${realpathSync(scratch.folder)}\n` });
    }
  });

  it("keeps the last KiB of what is written to a piped stderr", async () => {
    const few = await run(["/bin/sh", "-c", "echo one >&2; echo two >&2"], { stderr: "pipe" });
    assertEquals(few.kind === "exited" && few.stderr, "one\ntwo\n");
    const lines = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done >&2";
    const many = await run(["/bin/sh", "-c", lines], { stderr: "pipe" });
    assert(many.kind === "exited" && many.stderr !== undefined);
    assertEquals([many.stderr.length, many.stderr.endsWith("line 2998\nline 2999\n")], [1_024, true]);
  });

  // Node reports exit code 0 for these: it has no names for them.
  const itHasRealTimeSignals = process.platform === "linux" && RUNTIME !== "node" ? it : it.skip;
  itHasRealTimeSignals("gives a signal, when a real-time signal killed the process", async () => {
    const result = await run(["/bin/sh", "-c", "kill -40 $$"]);
    const signal = RUNTIME === "bun" ? "signal 40" : "an unknown signal";
    assertEquals(readable(result), { kind: "exited", signal, stdout: "" });
  });

  it("collects up to maxOutputBytes bytes", async () => {
    const print = ["/bin/sh", "-c", "printf 12345678"];
    assertEquals((await run(print, { maxOutputBytes: 8 })).kind, "exited");
    assertEquals((await run(print, { maxOutputBytes: 7 })).kind, "tooMuchOutput");
  });

  it("kills the process group, after the time limit", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `echo early >&2; ${SLEEPS} & pid $!; (${SLEEPS}) & pid $!; wait`);
    const result = await run([program], { timeoutMs: 1_000, stderr: "pipe" });
    assertEquals(result, { kind: "timedOut", stderr: "early\n" });
    assertEquals([scratch.pids.length, await scratch.survivors()], [3, []]);
  });

  it("kills the process group, when the output is too long", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `${SLEEPS} & pid $!; while :; do echo more and more; done`);
    assertEquals(await run([program]), { kind: "tooMuchOutput" });
    assertEquals([scratch.pids.length, await scratch.survivors()], [2, []]);
  });

  it("throws the reason and kills the process group, when it is aborted", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `${SLEEPS} & pid $!; wait`);
    const controller = new AbortController();
    const reason = new Error("enough");
    const running = run([program], { signal: controller.signal, timeoutMs: Infinity });
    await scratch.started(2);
    controller.abort(reason);
    assertEquals(await assertRejects(() => running) === reason, true);
    assertEquals(await scratch.survivors(), []);
  });

  it("starts nothing, when it was aborted before", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", "");
    await assertRejects(() => run([program], { signal: AbortSignal.abort() }));
    assertEquals(scratch.pids, []);
  });

  it("rejects at once, and sends SIGKILL two seconds later, when the process group ignores SIGTERM", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `trap '' TERM; ${SLEEPS} & pid $!; wait`);
    const controller = new AbortController();
    const running = run([program], { signal: controller.signal });
    const pids = await scratch.started(2);
    controller.abort();
    await assertRejects(() => running);
    assertEquals(pids.map(isRunning), [true, true]);
    assertEquals(await scratch.survivors(), []);
  });

  it("sends SIGKILL to a process that ignores SIGTERM, also when its parent has ended", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `(trap '' TERM; ${SLEEPS}) & pid $!; echo $!; wait`);
    const controller = new AbortController();
    const running = run([program], { signal: controller.signal });
    const [parent, grandchild] = await scratch.started(2);
    controller.abort();
    await assertRejects(() => running);
    await until(() => !isRunning(parent as number));
    assertEquals(isRunning(grandchild as number), true);
    assertEquals(await scratch.survivors(), []);
  });

  it("returns what arrived and kills nothing, when a background process holds the pipe open", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `echo done; ${SLEEPS} & pid $!`);
    assertEquals(readable(await run([program])), { kind: "exited", exitCode: 0, stdout: "done\n" });
    assertEquals(scratch.pids.map(isRunning), [false, true]);
  });

  it("returns what arrived, when the time limit passes after the process exited", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `echo done; ${SLEEPS} & pid $!`);
    const result = await run([program], { timeoutMs: 1_000 });
    assertEquals(readable(result), { kind: "exited", exitCode: 0, stdout: "done\n" });
  });

  it("waits for output that arrives after the process exited", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", "(while kill -0 $$ 2>/dev/null; do :; done; echo late) & echo early");
    assertEquals(readable(await run([program])), { kind: "exited", exitCode: 0, stdout: "early\nlate\n" });
  });

  it("kills the process alone, when stdin is a terminal", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `${SLEEPS} & pid $!; wait`);
    const controller = new AbortController();
    const running = spawnAtTerminal()([program], { ...OPTIONS, signal: controller.signal });
    const [child, grandchild] = await scratch.started(2);
    controller.abort();
    await assertRejects(() => running);
    await until(() => !isRunning(child as number));
    assertEquals([child, grandchild].map((pid) => isRunning(pid as number)), [false, true]);
  });

  const REFUSALS: readonly (readonly [name: string, program: string, cause: RegExp])[] = [
    ["there is no such program", "/nonexistent/program", /^there is no such program \(ENOENT\)$/],
    ["PATH holds no such program", "no-such-program-in-path", /^there is no such program \(ENOENT\)$/],
    ["the file is not executable", "FOLDER/data", /^the program may not be executed \(EACCES\)$/],
    ["it is a folder", "FOLDER", /^the program may not be executed \(EACCES\)$/],
    ["its interpreter is missing", "FOLDER/interpreted", /^there is no such program \(ENOENT\)$/],
  ];
  for (const [name, program, cause] of REFUSALS) {
    it(`says why and quotes no argument, when ${name}`, async () => {
      using scratch = new Scratch();
      scratch.file("interpreted", "#!/nonexistent/interpreter\n");
      scratch.file("data", "", 0o644);
      const result = await run([program.replace("FOLDER", scratch.folder), "canary"]);
      assert(result.kind === "notStarted");
      assertMatch(result.cause.message, cause);
      assertEquals(JSON.stringify(Object.getOwnPropertyDescriptors(result.cause)).includes("canary"), false);
    });
  }

  it("says why, when the working directory is missing", async () => {
    const result = await run(["/bin/echo"], { cwd: "/nonexistent/folder" });
    assert(result.kind === "notStarted");
    assertEquals(result.cause.message, "there is no such program or working directory (ENOENT)");
  });

  it("says why and quotes no argument, when one holds a NUL", async () => {
    const result = await run(["/bin/echo", "canary\0"]);
    assert(result.kind === "notStarted");
    assertMatch(
      result.cause.message,
      /^the program name is empty, or an argument, a variable or the working directory contains a NUL character/,
    );
  });

  // Node and Deno start it with /bin/sh, as execvp does; Bun, with posix_spawn, does not.
  it("starts a script without an interpreter line, or says that it cannot", async () => {
    using scratch = new Scratch();
    const result = await run([scratch.file("bare", "echo done\n")]);
    if (process.versions["bun"] === undefined) assertEquals(result.kind, "exited");
    else assert(result.kind === "notStarted" && result.cause.message.includes("(ENOEXEC)"));
  });

  it("needs nothing of timers but setTimeout and clearTimeout, as an npm package in Deno before 2.7.8", async () => {
    using scratch = new Scratch();
    const { Deno } = globalThis as { Deno?: { unrefTimer(timer: unknown): void } };
    const { setTimeout } = globalThis;
    const unrefTimer = Deno?.unrefTimer;
    globalThis.setTimeout = timers.setTimeout as unknown as typeof setTimeout; // its timers are objects
    if (Deno !== undefined) Deno.unrefTimer = () => assert(false, "it takes numbers only");
    try {
      const result = await run([scratch.script("program", SLEEPS)], { timeoutMs: 300 });
      assertEquals([result.kind, await scratch.survivors()], ["timedOut", []]);
    } finally {
      globalThis.setTimeout = setTimeout;
      if (Deno !== undefined) Deno.unrefTimer = unrefTimer as typeof Deno.unrefTimer;
    }
  });

  const itHasProc = process.platform === "linux" ? it : it.skip;
  itHasProc("runs the process to its end, when the shell that watches it was killed", async () => {
    using scratch = new Scratch();
    const program = scratch.script("program", `until [ -e '${scratch.folder}/go' ]; do sleep 0.01; done; echo done`);
    const others = watchers();
    const running = run([program]);
    await scratch.started(1);
    const started = () => watchers().find((pid) => !others.includes(pid));
    await until(() => started() !== undefined);
    const watcher = Number(started());
    process.kill(watcher, "SIGKILL");
    await until(() => !isRunning(watcher));
    scratch.file("go", "");
    assertEquals(readable(await running), { kind: "exited", exitCode: 0, stdout: "done\n" });
  });

  it("leaves no listener behind, after any number of processes at once", async () => {
    const warnings: unknown[] = [];
    const note = (warning: unknown) => warnings.push(warning);
    process.on("warning", note);
    const before = process.listenerCount("exit");
    await Promise.all(Array.from({ length: 12 }, () => run(["/bin/sh", "-c", "exit 0"])));
    assertEquals(process.listenerCount("exit"), before);
    process.off("warning", note);
    assertEquals(warnings, []);
  });
});

describeOnPosix("detectSpawn()", () => {
  it("starts nothing and says so, where there are no processes", async () => {
    const result = await detectSpawn({})(["/bin/echo"], OPTIONS);
    assert(result.kind === "notStarted");
    assertEquals(result.cause.message, "this runtime cannot start processes");
  });
});
