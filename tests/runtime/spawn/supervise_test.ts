import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { NotStarted, SpawnOptions } from "../../../mod.ts";
import { type Child, type ChildHost, type Exit, exitOf, startFailure } from "../../../lib/runtime/spawn/child.ts";
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
    const output = { chunks: (async function* () {})(), close: () => {} };
    const exited: Child["exited"] = this.exit === undefined ? new Promise(() => {}) : Promise.resolve(this.exit);
    this.onStart();
    return { pid: 42, stdout: output, stderr: undefined, exited, kill: () => this.log.push("kill"), unref: () => {} };
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
});
