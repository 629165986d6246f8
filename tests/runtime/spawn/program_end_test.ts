import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { describeOnPosix, isRunning, moduleUrl, runtimeCommand, Scratch } from "../../support/processes.ts";

/** The start of a program that runs a process and tells its steps, line by line. */
const PREAMBLE = `
import process from "node:process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parentPort, Worker, workerData } from "node:worker_threads";
import { detectSpawn } from ${JSON.stringify(moduleUrl("lib/runtime/spawn/detect"))};
const [program, folder] = workerData ?? process.argv.slice(2);
const controller = new AbortController();
const run = () => detectSpawn()([program], {
  stdin: "ignore", stderr: "ignore", env: {}, timeoutMs: 60_000, maxOutputBytes: 99, signal: controller.signal,
});
const pids = () => existsSync(folder + "/pids") ? readFileSync(folder + "/pids", "utf8").split("\\n").length - 1 : 0;
const until = async (isTrue) => { while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10)); };
const started = (count) => until(() => pids() >= count);
`;
const TWO_PROCESSES = "sleep 3600 & pid $!; wait";
const TWO_STUBBORN_PROCESSES = `trap '' TERM; ${TWO_PROCESSES}`;

/** A program of its own on the runtime that runs this test. */
class Host {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;

  constructor(scratch: Scratch, program: string, code: string) {
    const [file, ...args] = runtimeCommand(scratch.file("host.mjs", PREAMBLE + code), program, scratch.folder);
    this.#child = spawn(file, args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => {
      this.#child.on("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    });
  }

  async line(): Promise<string | undefined> {
    const { value } = await this.#lines.next();
    return value;
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.#child.pid as number, signal); // Deno would report the signal of child.kill(), whatever happened
  }
}

describeOnPosix("Spawn in a program that ends", () => {
  const RUNS = "const result = run(); result.catch(() => {}); await started(2);";
  const IS_ABORTED = `${RUNS} controller.abort(new Error("enough")); await result.catch(() => {});`;
  const ENDINGS: readonly (readonly [name: string, code: string, exitCode: number])[] = [
    ["exits while it runs", `${RUNS} process.exit(3);`, 3],
    ["throws while it runs", `${RUNS} throw new Error("unhandled");`, 1],
    ["exits after it was aborted", `${IS_ABORTED} process.exit(3);`, 3],
    ["throws after it was aborted", `${IS_ABORTED} throw new Error("unhandled");`, 1],
    ["has no more to do after it was aborted", IS_ABORTED, 0],
  ];
  for (const [name, code, exitCode] of ENDINGS) {
    it(`leaves no process behind, when the program ${name}`, async () => {
      using scratch = new Scratch();
      const host = new Host(scratch, scratch.script("program", TWO_PROCESSES), code);
      assertEquals(await host.ended, { exitCode, signal: null });
      assertEquals([scratch.pids.length, await scratch.survivors()], [2, []]);
    });
  }

  it("keeps no program waiting for the two seconds of grace, when it was aborted", async () => {
    using scratch = new Scratch();
    const code = `${IS_ABORTED}
      const settledAt = performance.now();
      process.on("exit", () => console.log(performance.now() - settledAt < 2_000));`;
    const host = new Host(scratch, scratch.script("program", TWO_STUBBORN_PROCESSES), code);
    assertEquals(await host.line(), "true");
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const) {
    it(`leaves no process behind and lets ${signal} end the program, when it has no listener`, async () => {
      using scratch = new Scratch();
      const code = `run(); await started(2); console.log("started");`;
      const host = new Host(scratch, scratch.script("program", TWO_PROCESSES), code);
      assertEquals(await host.line(), "started");
      host.kill(signal);
      assertEquals(await host.ended, { exitCode: null, signal });
      assertEquals([scratch.pids.length, await scratch.survivors()], [2, []]);
    });
  }

  it("kills what ignores SIGTERM, two seconds after the program ended", async () => {
    using scratch = new Scratch();
    const host = new Host(scratch, scratch.script("program", TWO_STUBBORN_PROCESSES), `${RUNS} process.exit(3);`);
    await host.ended;
    assertEquals(scratch.pids.map(isRunning), [true, true]);
    assertEquals(await scratch.survivors(), []);
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    it(`leaves ${signal} to the listener of the program, and the process running`, async () => {
      using scratch = new Scratch();
      const program = scratch.script("program", `until [ -e '${scratch.folder}/go' ]; do sleep 0.01; done; echo done`);
      const code = `
        process.on("${signal}", () => { console.log("received"); writeFileSync(folder + "/go", ""); });
        const result = run();
        await started(1);
        console.log(process.listenerCount("${signal}"));
        console.log(new TextDecoder().decode((await result).stdout).trim());
        process.exit(0);`;
      const host = new Host(scratch, program, code);
      assertEquals(await host.line(), "1");
      host.kill(signal);
      assertEquals([await host.line(), await host.line()], ["received", "done"]);
      assertEquals(await host.ended, { exitCode: 0, signal: null });
    });
  }

  it("leaves no process behind, when a worker is terminated", async () => {
    using scratch = new Scratch();
    const code = `
      const worker = new Worker(folder + "/worker.mjs", { workerData: [program, folder] });
      await once(worker, "message");
      await worker.terminate();
      console.log("terminated");
      setInterval(() => {}, 1_000);`;
    scratch.file("worker.mjs", `${PREAMBLE} run(); await started(2); parentPort.postMessage("started");`);
    const host = new Host(scratch, scratch.script("program", TWO_PROCESSES), code);
    assertEquals(await host.line(), "terminated");
    assertEquals([scratch.pids.length, await scratch.survivors()], [2, []]);
    host.kill("SIGKILL");
    assertEquals(await host.ended, { exitCode: null, signal: "SIGKILL" });
  });

  for (const ending of ["is aborted", "ends"] as const) {
    it(`leaves no process behind of a program that runs one itself, when the program around it ${ending}`, async () => {
      using scratch = new Scratch();
      const [inner, innermost] = ["inner", "innermost"].map((name) => `${scratch.folder}/${name}`);
      const nested = scratch.file(
        "nested.mjs",
        `${PREAMBLE} run(); await started(3); writeFileSync(folder + "/ready", "");`,
      );
      const words = runtimeCommand(nested, innermost as string, scratch.folder).map((word) => `'${word}'`).join(" ");
      scratch.script("inner", `exec ${words}`);
      scratch.script("innermost", TWO_PROCESSES);
      const code = `const result = run(); result.catch(() => {}); await until(() => existsSync(folder + "/ready"));
        console.log("started");
        ${ending === "ends" ? "process.kill(process.pid, 'SIGKILL')" : "controller.abort(new Error('enough'))"};`;
      const host = new Host(scratch, inner as string, code);
      assertEquals(await host.line(), "started");
      await host.ended;
      assertEquals([scratch.pids.length, await scratch.survivors()], [3, []]);
    });
  }
});

/** Makes the program start another file in place of `/bin/sh`, which is not there. */
const WITHOUT_SHELL = `
import children from "node:child_process";
const other = (file) => file === "/bin/sh" ? "/nonexistent/sh" : file;
const { Bun, Deno } = globalThis;
if (Deno !== undefined) {
  const { Command } = Deno;
  Deno.Command = function (file, options) { return new Command(other(file), options); };
} else if (Bun !== undefined) {
  const { spawn } = Bun;
  Bun.spawn = ([file, ...args], options) => spawn([other(file), ...args], options);
} else {
  const { spawn } = children;
  children.spawn = (file, ...rest) => spawn(other(file), ...rest);
}
`;

describeOnPosix("Spawn without a shell", () => {
  const RUNS = `${WITHOUT_SHELL} const result = run(); result.catch(() => {}); await started(1);`;
  const ENDINGS: readonly (readonly [name: string, code: string, exitCode: number])[] = [
    ["exits", "process.exit(3);", 3],
    ["throws", `setTimeout(() => { throw new Error("unhandled"); });`, 1],
    ["leaves a rejection unhandled", `Promise.reject(new Error("unhandled"));`, 1],
    ["aborts it", `controller.abort();`, 0],
  ];
  for (const [name, code, exitCode] of ENDINGS) {
    it(`kills the process at once, when the program ${name}`, async () => {
      using scratch = new Scratch();
      const host = new Host(scratch, scratch.script("program", "trap '' TERM; exec sleep 3600"), `${RUNS} ${code}`);
      assertEquals(await host.ended, { exitCode, signal: null });
      assertEquals([scratch.pids.length, await scratch.survivors()], [1, []]);
    });
  }

  it("runs the process, and leaves no listener behind", async () => {
    using scratch = new Scratch();
    const code = `${WITHOUT_SHELL}
      const warnings = [];
      process.on("warning", (warning) => warnings.push(warning));
      const before = process.listenerCount("exit");
      const results = await Promise.all(Array.from({ length: 12 }, run));
      const left = process.listenerCount("exit") - before;
      await new Promise((resolve) => setTimeout(resolve));
      console.log(JSON.stringify([results.filter(({ kind }) => kind === "exited").length, left, warnings.length]));`;
    const host = new Host(scratch, scratch.script("program", ""), code);
    assertEquals(await host.line(), "[12,0,0]");
  });
});
