import { type NodeProcess, platformOf } from "../builtin.ts";
import { type ChildHost, exitOf, outputOf } from "./child.ts";
import { environmentOf, killer, sharedHost } from "./node.ts";

interface Subprocess {
  readonly pid: number;
  readonly stdin: { write(text: string): void; flush(): void; end(): void };
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array> | null | undefined;
  readonly exited: Promise<number>;
  readonly signalCode: string | number | null;
  kill(signal: "SIGKILL"): void;
  unref(): void;
}

interface BunNamespace {
  spawn(command: readonly string[], options: object): Subprocess;
}

/** Starts processes with `Bun.spawn`. */
export function bunProcesses(process: NodeProcess): ChildHost {
  return {
    ...sharedHost(process),
    start(command, { stdin, stderr, verbatimArguments, ...options }, isLeader) {
      const child = bun().spawn(command, {
        stdin,
        stdout: "pipe",
        stderr,
        env: environmentOf(process, options),
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        detached: isLeader,
        windowsHide: true,
        windowsVerbatimArguments: verbatimArguments,
      });
      return {
        pid: child.pid,
        stdout: outputOf(child.stdout),
        stderr: child.stderr ? outputOf(child.stderr) : undefined,
        exited: child.exited.then((exitCode) => exitOf(exitCode, child.signalCode)),
        kill: killer(process, child.pid, () => child.kill("SIGKILL")),
        unref: () => child.unref(),
      };
    },
    // deno-lint-ignore require-await -- an error of spawn must reject the promise, not throw
    async startShell(script, name) {
      if (platformOf(process) === "windows") return undefined;
      const stdio = { stdin: "pipe", stdout: "ignore", stderr: "ignore" };
      const child = bun().spawn(["/bin/sh", "-c", script, name], { ...stdio, detached: true });
      child.unref();
      const { stdin } = child;
      return {
        write(line) {
          stdin.write(line);
          stdin.flush();
        },
        close: () => stdin.end(),
      };
    },
  };
}

function bun(): BunNamespace {
  return (globalThis as unknown as { readonly Bun: BunNamespace }).Bun;
}
