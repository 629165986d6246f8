import { type Child, type ChildHost, exitOf, type KillSignal } from "./supervise.ts";
import { type NodeProcess, platformOf } from "../builtin.ts";
import { startFailure } from "./start_failure.ts";

interface ChildProcess {
  readonly pid: number;
  readonly stdout: object;
  readonly stderr: object | null;
  kill(signal: KillSignal): boolean;
  unref(): void;
  on(event: "error", listener: (error: unknown) => void): void;
  on(event: "exit", listener: (exitCode: number | null, signal: string | null) => void): void;
}

interface ChildProcesses {
  spawn(file: string, args: readonly string[], options: object): ChildProcess;
}

interface Streams {
  readonly Readable: { toWeb(stream: object): ReadableStream<Uint8Array> };
}

/** Starts processes with `node:child_process`. */
export function nodeProcesses(process: NodeProcess): ChildHost {
  return {
    ...programOf(process),
    start([file = "", ...args], { stdin, stderr, env, verbatimArguments: windowsVerbatimArguments }) {
      const { Readable } = process.getBuiltinModule<Streams>("node:stream");
      const detached = leadsGroup(process);
      const child = childProcesses(process).spawn(file, args, {
        stdio: [stdin, "pipe", stderr],
        env: { ...process.env, ...env },
        detached,
        windowsHide: true,
        windowsVerbatimArguments,
      });
      return {
        stdout: Readable.toWeb(child.stdout),
        stderr: child.stderr === null ? undefined : Readable.toWeb(child.stderr),
        ended: new Promise((resolve) => {
          child.on("error", (error) => resolve(startFailure(error))); // a signal that cannot be sent ends here, too
          child.on("exit", (exitCode, signal) => resolve(exitOf(exitCode, signal)));
        }),
        kill: killer(process, child.pid, detached, (signal) => child.kill(signal)),
        unref: () => child.unref(),
      };
    },
  };
}

/**
 * Whether a child is to lead a session of its own, so that one signal reaches all it starts. Not where a person sits at
 * the terminal: from another session a helper cannot open it to ask.
 */
export function leadsGroup(process: NodeProcess): boolean {
  const { isatty } = process.getBuiltinModule<{ isatty(descriptor: number): boolean }>("node:tty");
  return platformOf(process) === "posix" && !isatty(0);
}

/** `Child.kill` for Node and Bun; `killAlone` signals the child itself, and tells whether it is there. */
export function killer(
  process: NodeProcess,
  pid: number,
  isLeader: boolean,
  killAlone: Child["kill"],
): Child["kill"] {
  if (platformOf(process) === "windows") return (signal) => signal !== 0 && killTree(process, pid);
  return (signal) => {
    if (!isLeader) return killAlone(signal);
    try {
      process.kill(-pid, signal);
      return true;
    } catch {
      return killAlone(signal); // nobody is left of the group; or an early Bun, which signals no groups
    }
  };
}

function killTree(process: NodeProcess, pid: number): boolean {
  const options = { stdio: "ignore", windowsHide: true };
  const taskkill = childProcesses(process).spawn("taskkill", ["/pid", `${pid}`, "/T", "/F"], options);
  taskkill.on("error", () => {/* without it the process runs on to its end */});
  return true;
}

function childProcesses(process: NodeProcess): ChildProcesses {
  return process.getBuiltinModule<ChildProcesses>("node:child_process");
}

let exitListeners: Set<() => void> | undefined;

/** The parts of a host that Node and Bun share. */
export function programOf(process: NodeProcess): Pick<ChildHost, "onExit" | "unrefTimer"> {
  return {
    onExit(listener) {
      // One hook for all: Node warns of a leak from the eleventh on.
      if (exitListeners === undefined) process.on("exit", tellExit);
      (exitListeners ??= new Set()).add(listener);
      return () => {
        exitListeners?.delete(listener);
        if (exitListeners?.size !== 0) return;
        exitListeners = undefined;
        process.off("exit", tellExit);
      };
    },
    unrefTimer: (timer) => (timer as { unref(): void }).unref(),
  };
}

function tellExit(): void {
  for (const listener of [...exitListeners ?? []]) listener();
}
