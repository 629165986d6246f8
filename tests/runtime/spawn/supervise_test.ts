import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { NotStarted, SpawnOptions } from "../../../mod.ts";
import { type Child, type ChildHost, type Exit, exitOf, startFailure } from "../../../lib/runtime/spawn/child.ts";
import { until } from "../../support/processes.ts";
import { spawnOn } from "../../../lib/runtime/spawn/supervise.ts";

const OPTIONS: SpawnOptions = {
  stdin: "ignore",
  stderr: "ignore",
  env: {},
  timeoutMs: 60_000,
  maxOutputBytes: 9,
};

/** Notes what is done with its processes: a child with the id 42 that prints nothing, and the shell that watches it. */
class FakeHost implements ChildHost {
  readonly log: string[] = [];
  /** How the child exits; `undefined` for never. */
  exit: Exit | undefined;
  onStart: () => void = () => {};
  /** What arrives on each pipe. */
  chunks: () => AsyncIterable<Uint8Array> = async function* () {};
  /** The pipes that were closed, and the process when the program no longer waits for it. */
  readonly released: string[] = [];
  failure: NotStarted | Error | Promise<NotStarted> | undefined;

  readonly #shell: boolean | Error;
  readonly isInteractive: () => boolean;

  constructor(shell: boolean | Error = true, isInteractive = false) {
    this.#shell = shell;
    this.isInteractive = () => isInteractive;
  }

  readonly startShell: ChildHost["startShell"] = () => {
    if (this.#shell instanceof Error) return Promise.reject(this.#shell);
    const write = (line: string) => this.log.push(`shell reads ${line.trim()}`);
    return Promise.resolve(this.#shell ? { write, close: () => this.log.push("shell reads the end") } : undefined);
  };

  readonly start: ChildHost["start"] = (_command, _options, isLeader) => {
    this.log.push(isLeader ? "start leader" : "start");
    if (this.failure instanceof Error) throw this.failure;
    if (this.failure !== undefined) return this.failure;
    const output = (name: string) => ({ chunks: this.chunks(), close: () => this.released.push(name) });
    const exited: Child["exited"] = this.exit === undefined ? new Promise(() => {}) : Promise.resolve(this.exit);
    this.onStart();
    return {
      pid: 42,
      stdout: output("stdout"),
      stderr: output("stderr"),
      exited,
      kill: () => this.log.push("kill"),
      unref: () => this.released.push("process"),
    };
  };

  readonly onExit: ChildHost["onExit"] = () => {
    this.log.push("hook");
    return () => this.log.push("unhook");
  };
}

async function exitedOn(host: FakeHost): Promise<readonly string[]> {
  host.exit = exitOf(0, null);
  assertEquals((await spawnOn(host)(["program"], OPTIONS)).kind, "exited");
  return host.log;
}

async function abortedOn(host: FakeHost): Promise<readonly string[]> {
  const controller = new AbortController();
  host.onStart = () => controller.abort();
  await assertRejects(() => spawnOn(host)(["program"], { ...OPTIONS, signal: controller.signal }));
  return host.log;
}

describe("spawnOn()", () => {
  it("has a shell watch the process group, and tells it when the process exited", async () => {
    const log = ["start leader", "shell reads -42", "shell reads release", "shell reads the end"];
    assertEquals(await exitedOn(new FakeHost()), log);
  });

  it("has the shell kill the process group, when it is aborted", async () => {
    const log = ["start leader", "shell reads -42", "shell reads the end"];
    assertEquals(await abortedOn(new FakeHost()), log);
  });

  it("has the shell kill the process alone, when stdin is a terminal", async () => {
    assertEquals(await abortedOn(new FakeHost(true, true)), ["start", "shell reads 42", "shell reads the end"]);
  });

  for (const shell of [false, new Error("EMFILE")]) {
    it(`kills the process itself, and when the program exits, ${shell ? "where a shell fails" : "without a shell"}`, async () => {
      assertEquals(await exitedOn(new FakeHost(shell)), ["start", "hook", "unhook"]);
      assertEquals(await abortedOn(new FakeHost(shell)), ["start", "hook", "unhook", "kill"]);
    });
  }

  it("lets the shell go, when the process does not start", async () => {
    const refused = startFailure({ code: "ENOENT" }, {});
    for (const failure of [refused, Promise.resolve(refused), Object.assign(new Error("canary"), { code: "ENOENT" })]) {
      const host = new FakeHost();
      host.failure = failure;
      const result = await spawnOn(host)(["program"], OPTIONS);
      assertEquals(result.kind === "notStarted" && result.cause.message, "there is no such program (ENOENT)");
      assertEquals(host.log, ["start leader", "shell reads the end"]);
    }
  });

  it("kills the process at once, when it is aborted while the shell starts", async () => {
    const host = new FakeHost();
    const controller = new AbortController();
    const running = spawnOn(host)(["program"], { ...OPTIONS, signal: controller.signal });
    controller.abort();
    await assertRejects(() => running);
    assertEquals(host.log, ["start leader", "shell reads -42", "shell reads the end"]);
  });

  for (const end of [exitedOn, abortedOn]) {
    it(`closes the pipes and waits for nothing, when the process ${end === exitedOn ? "exited" : "is aborted"}`, async () => {
      const host = new FakeHost();
      await end(host);
      assertEquals(host.released, ["stdout", "stderr", "process"]);
    });
  }

  it("leaves no listener on the signal", async () => {
    const counts = { added: 0, removed: 0 };
    const signal = Object.assign(new AbortController().signal, {
      addEventListener: () => void counts.added++,
      removeEventListener: () => void counts.removed++,
    });
    const host = new FakeHost();
    host.exit = exitOf(0, null);
    await spawnOn(host)(["program"], { ...OPTIONS, signal });
    await until(() => counts.removed > 0);
    assertEquals(counts, { added: 1, removed: 1 });
  });

  it("is aborted, when only something that the process started still holds the pipe", async () => {
    const controller = new AbortController();
    const host = new FakeHost();
    host.exit = exitOf(0, null);
    host.chunks = async function* () {
      yield new Uint8Array();
      controller.abort();
      await new Promise(() => {});
    };
    await assertRejects(() => spawnOn(host)(["program"], { ...OPTIONS, signal: controller.signal }));
    assertEquals(host.log.at(-1), "shell reads the end");
  });

  it("takes no more output than it may, when the process exited before", async () => {
    const host = new FakeHost();
    host.exit = exitOf(0, null);
    host.chunks = async function* () {
      await new Promise((resolve) => setTimeout(resolve));
      yield new Uint8Array(OPTIONS.maxOutputBytes + 1);
    };
    assertEquals((await spawnOn(host)(["program"], OPTIONS)).kind, "tooMuchOutput");
    assertEquals(host.log.at(-1), "shell reads the end");
  });
});

describe("startFailure()", () => {
  const STATES: readonly (readonly [code: unknown, state: string])[] = [
    ["ENOENT", "there is no such program (ENOENT)"],
    ["EACCES", "the program may not be executed (EACCES)"],
    ["ENOEXEC", "the system cannot execute a file of this format (ENOEXEC)"],
    ["E2BIG", "the arguments and the environment are too long (E2BIG)"],
    ["EMFILE", "this program has too many open files (EMFILE)"],
    ["ENFILE", "the system has too many open files (ENFILE)"],
    ["EAGAIN", "the system has too many processes (EAGAIN)"],
    [
      "EINVAL",
      "the program name is empty, or an argument, a variable or the working directory contains a NUL character (EINVAL)",
    ],
    [
      "ERR_INVALID_ARG_VALUE",
      "the program name is empty, or an argument, a variable or the working directory contains a NUL character (ERR_INVALID_ARG_VALUE)",
    ],
    ["EPERM", "the system refused to start it (EPERM)"],
    ["spawn helper --password canary", "the system refused to start it"],
    [undefined, "the system refused to start it"],
    [13, "the system refused to start it"],
  ];
  for (const [code, state] of STATES) {
    it(`says why and quotes nothing, for ${code}`, () => {
      const { cause, hint } = startFailure(Object.assign(new Error("canary"), { code }), {});
      assertEquals([cause.message, hint], [state, undefined]);
    });
  }
});

describe("exitOf()", () => {
  it("gives the exit code, or else the signal", () => {
    const EXITS = [exitOf(3, null), exitOf(137, "SIGKILL"), exitOf(168, 40)];
    assertEquals(EXITS as object[], [
      { kind: "exited", exitCode: 3 },
      { kind: "exited", signal: "SIGKILL" },
      { kind: "exited", signal: "signal 40" },
    ]);
  });
});
