import type { NotStarted } from "../../runtime.ts";
import { printable } from "../../printable.ts";
import { type Child, type ChildHost, exitOf, notStarted, outputOf } from "./child.ts";

interface ChildProcess {
  readonly pid: number;
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly status: Promise<{ readonly code: number; readonly signal: string | null }>;
  kill(signal: "SIGKILL"): void;
  unref(): void;
}

/** The parts of the `Deno` namespace that processes need. */
export interface DenoProcesses {
  readonly build: { readonly os: string };
  readonly permissions: { querySync(descriptor: Readonly<Record<string, string>>): { readonly state: string } };
  readonly stdin: { isTerminal(): boolean };
  readonly Command: new (file: string, options: object) => { spawn(): ChildProcess };
}

/** `globalThis` as an event target. */
interface GlobalEvents {
  addEventListener(type: string, listener: (event: { readonly defaultPrevented: boolean }) => void): void;
  removeEventListener: GlobalEvents["addEventListener"];
}

const STREAM = { inherit: "inherit", ignore: "null", pipe: "piped" } as const;

/** The events before a Deno program ends. After an unhandled error there is no `unload`. */
const ENDINGS = ["unload", "error", "unhandledrejection"] as const;

/**
 * Starts processes with `Deno.Command`: it needs only `--allow-run=<program>`, whereas `node:child_process` also needs
 * permission to read the whole environment.
 */
export function denoProcesses(deno: DenoProcesses): ChildHost {
  return {
    isInteractive: () => deno.stdin.isTerminal(),
    start([file = "", ...args], { stdin, stderr, env, inheritEnv, cwd, verbatimArguments }, isLeader) {
      if (!mayRun(deno, file)) {
        // a name with white space cannot be written in the flag without quotes
        return refused(/\s/.test(file) ? "--allow-run for that program" : `--allow-run=${printable(file)}`);
      }
      try {
        const command = new deno.Command(file, {
          args,
          stdin: STREAM[stdin],
          stdout: "piped",
          stderr: STREAM[stderr],
          env,
          clearEnv: inheritEnv === false,
          ...(cwd === undefined ? {} : { cwd }),
          detached: isLeader,
          windowsRawArguments: verbatimArguments,
        });
        return running(deno, command.spawn(), stderr === "pipe");
      } catch (error) {
        // If LD_* or DYLD_* variables are set, which load code into a program, --allow-run=<program> is not enough.
        if ((error as { name?: unknown }).name === "NotCapable") {
          return refused("--allow-run without a program name; or unset LD_* and DYLD_*; or set inheritEnv to false");
        }
        throw error;
      }
    },
    async startShell(script, name) {
      if (deno.build.os === "windows" || !mayRun(deno, "/bin/sh")) return undefined;
      const stdio = { stdin: "piped", stdout: "null", stderr: "null" };
      const child = new deno.Command("/bin/sh", { args: ["-c", script, name], ...stdio, detached: true }).spawn();
      child.unref();
      const stdin = child.stdin.getWriter();
      // Only after one turn of the event loop does Deno write to a new pipe synchronously.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const ignoreEnd = () => {/* the shell has ended */};
      return {
        write: (line) => void stdin.write(new TextEncoder().encode(line)).catch(ignoreEnd),
        close: () => void stdin.close().catch(ignoreEnd),
      };
    },
    onExit(listener) {
      const program = globalThis as unknown as GlobalEvents;
      const onEnding: Parameters<GlobalEvents["addEventListener"]>[1] = ({ defaultPrevented }) => {
        if (!defaultPrevented) listener();
      };
      for (const ending of ENDINGS) program.addEventListener(ending, onEnding);
      return () => {
        for (const ending of ENDINGS) program.removeEventListener(ending, onEnding);
      };
    },
  };
}

/** Whether a program may be started; never prompts. */
function mayRun(deno: DenoProcesses, command: string): boolean {
  return deno.permissions.querySync({ name: "run", command }).state === "granted";
}

function refused(flag: string): NotStarted {
  return notStarted("Deno has no permission to start the program", `Start Deno with ${flag}.`);
}

function running(deno: DenoProcesses, child: ChildProcess, isPiped: boolean): Child {
  return {
    pid: child.pid,
    stdout: outputOf(child.stdout),
    stderr: isPiped ? outputOf(child.stderr) : undefined,
    exited: child.status.then(
      ({ code, signal }) => exitOf(code, signal),
      () => exitOf(null, "an unknown signal"), // Deno has no names for real-time signals
    ),
    kill: () => ignoreFailure(() => deno.build.os === "windows" ? killTree(deno, child.pid) : child.kill("SIGKILL")),
    unref: () => ignoreFailure(() => child.unref()),
  };
}

function killTree(deno: DenoProcesses, pid: number): void {
  const stdio = { stdin: "null", stdout: "null", stderr: "null" };
  new deno.Command("taskkill", { args: ["/pid", `${pid}`, "/T", "/F"], ...stdio }).spawn().unref();
}

/** Calls a function and ignores its error: Deno throws if the process has exited, or if `taskkill` does not start. */
function ignoreFailure(effect: () => void): void {
  try {
    effect();
  } catch { /* the process has exited, or keeps running */ }
}
