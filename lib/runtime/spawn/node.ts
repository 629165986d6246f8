import type { SpawnOptions } from "../../runtime.ts";
import { type NodeProcess, platformOf } from "../builtin.ts";
import { type ChildHost, exitOf, type Output, startFailure } from "./child.ts";

interface Writable {
  write(text: string): void;
  end(): void;
  on(event: "error", listener: (error: unknown) => void): void;
}

interface Readable extends AsyncIterable<Uint8Array> {
  destroy(): void;
}

interface ChildProcess {
  /** Absent if the process did not start; an error event follows then. */
  readonly pid?: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable | null;
  kill(signal: "SIGKILL"): boolean;
  unref(): void;
  on(event: "error", listener: (error: unknown) => void): void;
  on(event: "exit", listener: (exitCode: number | null, signal: string | null) => void): void;
}

interface ChildProcesses {
  spawn(file: string, args: readonly string[], options: object): ChildProcess;
}

interface FileSystem {
  openSync(path: string): number;
  closeSync(descriptor: number): void;
}

/**
 * The number of free file descriptors that starting a process needs at most: two for each of three pipes, plus one as a
 * reserve.
 */
const DESCRIPTORS = 7;

/** Starts processes with `node:child_process`. */
export function nodeProcesses(process: NodeProcess): ChildHost {
  return {
    ...sharedHost(process),
    start([file = "", ...args], { stdin, stderr, verbatimArguments, ...options }, isLeader) {
      requireDescriptors(process);
      const child = childProcesses(process).spawn(file, args, {
        stdio: [stdin, "pipe", stderr],
        env: environmentOf(process, options),
        cwd: options.cwd,
        detached: isLeader,
        windowsHide: true,
        windowsVerbatimArguments: verbatimArguments,
      });
      // An error event without a listener ends the program and prints the arguments.
      const failed = new Promise((resolve) => child.on("error", resolve));
      const { pid } = child;
      if (pid === undefined) return failed.then((error) => startFailure(error, options));
      return {
        pid,
        stdout: outputOf(child.stdout),
        stderr: child.stderr === null ? undefined : outputOf(child.stderr),
        exited: new Promise((resolve) => child.on("exit", (...exit) => resolve(exitOf(...exit)))),
        kill: killer(process, pid, () => child.kill("SIGKILL")),
        unref: () => child.unref(),
      };
    },
    // deno-lint-ignore require-await -- an error of spawn must reject the promise, not throw
    async startShell(script, name) {
      if (platformOf(process) === "windows") return undefined;
      requireDescriptors(process);
      const options = { stdio: ["pipe", "ignore", "ignore"], detached: true };
      const child = childProcesses(process).spawn("/bin/sh", ["-c", script, name], options);
      child.on("error", () => {/* not started: then it has no pid, see below */});
      if (child.pid === undefined) return undefined;
      child.unref();
      const { stdin } = child;
      stdin.on("error", () => {/* the shell has ended */});
      return { write: (line) => stdin.write(line), close: () => stdin.end() };
    },
  };
}

/**
 * Checks that enough file descriptors are free to start a process: Node leaks pipes if the descriptors run out during
 * the start.
 *
 * @throws {Error} With the code `EMFILE` or `ENFILE`, if too few are left.
 */
function requireDescriptors(process: NodeProcess): void {
  const { openSync, closeSync } = process.getBuiltinModule<FileSystem>("node:fs");
  const descriptors: number[] = [];
  try {
    while (descriptors.length < DESCRIPTORS) descriptors.push(openSync("/dev/null"));
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code === "EMFILE" || code === "ENFILE") throw error;
    // others: there is no /dev/null to count with, such as on Windows
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

/** The complete environment of a process: Node and Bun do not merge it with the inherited one. */
export function environmentOf(
  { env: inherited }: NodeProcess,
  { env, inheritEnv = true }: Pick<SpawnOptions, "env" | "inheritEnv">,
): Readonly<Record<string, string | undefined>> {
  return inheritEnv ? { ...inherited, ...env } : env;
}

/**
 * Makes `Child.kill` for Node and Bun. On Windows it kills the process with those that it started, elsewhere it calls
 * `killAlone`.
 */
export function killer(process: NodeProcess, pid: number, killAlone: () => void): () => void {
  return platformOf(process) === "windows" ? () => killTree(process, pid) : killAlone;
}

function killTree(process: NodeProcess, pid: number): void {
  const options = { stdio: "ignore", windowsHide: true };
  const taskkill = childProcesses(process).spawn("taskkill", ["/pid", `${pid}`, "/T", "/F"], options);
  taskkill.on("error", () => {/* taskkill could not be started: the process keeps running */});
}

function outputOf(stream: Readable): Output {
  return { chunks: stream, close: () => stream.destroy() };
}

function childProcesses(process: NodeProcess): ChildProcesses {
  return process.getBuiltinModule<ChildProcesses>("node:child_process");
}

/** The listeners of all running processes; created with the first. */
let exitListeners: Set<() => void> | undefined;

/** The parts of a host that Node and Bun share. */
export function sharedHost(process: NodeProcess): Pick<ChildHost, "isInteractive" | "onExit"> {
  return {
    isInteractive: () => process.getBuiltinModule<{ isatty(descriptor: number): boolean }>("node:tty").isatty(0),
    onExit(listener) {
      // One `exit` listener for all: Node warns of a leak from the eleventh listener on.
      if (exitListeners === undefined) process.on("exit", callExitListeners);
      (exitListeners ??= new Set()).add(listener);
      return () => {
        exitListeners?.delete(listener);
        if (exitListeners?.size !== 0) return;
        exitListeners = undefined;
        process.off("exit", callExitListeners);
      };
    },
  };
}

function callExitListeners(): void {
  for (const listener of [...exitListeners ?? []]) listener();
}
