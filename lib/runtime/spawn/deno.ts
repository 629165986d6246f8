import type { NotStarted } from "../../runtime.ts";
import { type Child, type ChildHost, exitOf, type KillSignal } from "./supervise.ts";
import { notStarted } from "./start_failure.ts";

interface ChildProcess {
  readonly pid: number;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly status: Promise<{ readonly code: number; readonly signal: string | null }>;
  kill(signal: KillSignal): void;
  unref(): void;
}

/** The parts of the `Deno` namespace that processes need. */
export interface DenoProcesses {
  readonly build: { readonly os: string };
  readonly permissions: { querySync(descriptor: Readonly<Record<string, string>>): { readonly state: string } };
  readonly stdin: { isTerminal(): boolean };
  readonly Command: new (file: string, options: object) => { spawn(): ChildProcess };
  kill(pid: number, signal: KillSignal): void;
  unrefTimer(timer: unknown): void;
}

interface NodeTimer {
  unref(): void;
}

interface Program {
  addEventListener(type: string, listener: (event: { readonly defaultPrevented: boolean }) => void): void;
  removeEventListener: Program["addEventListener"];
}

const STREAM = { inherit: "inherit", ignore: "null", pipe: "piped" } as const;

/** What ends a Deno program; an error that nobody handles does so without `unload`. */
const ENDINGS = ["unload", "error", "unhandledrejection"] as const;

/**
 * Starts processes with `Deno.Command`: it needs `--allow-run=<program>` and nothing else, where `node:child_process`
 * needs the whole environment.
 */
export function denoProcesses(deno: DenoProcesses): ChildHost {
  return {
    start([file = "", ...args], { stdin, stderr, env, verbatimArguments: windowsRawArguments }) {
      if (!mayRun(deno, { command: file })) return refused(`--allow-run=${file}`);
      // Only a group that may be signaled is worth its own session; one program's permission is not enough for that.
      const detached = deno.build.os !== "windows" && !deno.stdin.isTerminal() && mayRun(deno, {});
      const stdio = { stdin: STREAM[stdin], stdout: "piped", stderr: STREAM[stderr] };
      try {
        const command = new deno.Command(file, { args, env, ...stdio, detached, windowsRawArguments });
        return running(deno, command.spawn(), detached, stderr === "pipe");
      } catch (error) {
        // With variables set that load code into a program, the permission for one program is not enough.
        if ((error as { name?: unknown }).name === "NotCapable") {
          return refused("--allow-run, or unset LD_* and DYLD_*");
        }
        throw error;
      }
    },
    onExit(listener) {
      const program = globalThis as unknown as Program;
      const tell: Parameters<Program["addEventListener"]>[1] = ({ defaultPrevented }) => {
        if (!defaultPrevented) listener();
      };
      for (const ending of ENDINGS) program.addEventListener(ending, tell);
      return () => {
        for (const ending of ENDINGS) program.removeEventListener(ending, tell);
      };
    },
    // In an npm package timers are those of Node, which Deno before 2.7.8 does not take here.
    unrefTimer: (timer) => typeof timer === "object" ? (timer as NodeTimer).unref() : deno.unrefTimer(timer),
  };
}

/** Asks, without a prompt, for one program or for all. */
function mayRun(deno: DenoProcesses, program: { readonly command?: string }): boolean {
  return deno.permissions.querySync({ name: "run", ...program }).state === "granted";
}

function refused(flag: string): NotStarted {
  return notStarted("Deno may not start the program", `Start Deno with ${flag}.`);
}

function running(deno: DenoProcesses, child: ChildProcess, detached: boolean, isPiped: boolean): Child {
  return {
    stdout: child.stdout,
    stderr: isPiped ? child.stderr : undefined,
    ended: child.status.then(({ code, signal }) => exitOf(code, signal)),
    kill: deno.build.os === "windows" ? treeKiller(deno, child.pid) : (signal) => {
      return (detached && succeeds(() => deno.kill(-child.pid, signal))) || succeeds(() => child.kill(signal));
    },
    unref: () => void succeeds(() => child.unref()),
  };
}

function treeKiller(deno: DenoProcesses, pid: number): Child["kill"] {
  const stdio = { stdin: "null", stdout: "null", stderr: "null" };
  const taskkill = () =>
    new deno.Command("taskkill", { args: ["/pid", `${pid}`, "/T", "/F"], ...stdio }).spawn().unref();
  return (signal) => signal !== 0 && succeeds(taskkill);
}

/** Deno throws where nobody is left to signal. */
function succeeds(effect: () => void): boolean {
  try {
    effect();
    return true;
  } catch {
    return false;
  }
}
