import { type ChildHost, exitOf, type KillSignal } from "./supervise.ts";
import type { NodeProcess } from "../builtin.ts";
import { killer, leadsGroup, programOf } from "./node.ts";

interface Subprocess {
  readonly pid: number;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array> | null | undefined;
  readonly exited: Promise<number>;
  readonly exitCode: number | null;
  readonly signalCode: string | null;
  kill(signal: KillSignal): void;
  unref(): void;
}

interface BunNamespace {
  spawn(command: readonly string[], options: object): Subprocess;
}

/** Starts processes with `Bun.spawn`. */
export function bunProcesses(process: NodeProcess): ChildHost {
  return {
    ...programOf(process),
    start(command, { stdin, stderr, env, verbatimArguments: windowsVerbatimArguments }) {
      const { Bun } = globalThis as unknown as { readonly Bun: BunNamespace };
      const detached = leadsGroup(process);
      const child = Bun.spawn(command, {
        stdin,
        stdout: "pipe",
        stderr,
        env: { ...process.env, ...env },
        detached,
        windowsHide: true,
        windowsVerbatimArguments,
      });
      const isRunning = () => child.exitCode === null && child.signalCode === null;
      return {
        stdout: child.stdout,
        stderr: child.stderr ?? undefined,
        ended: child.exited.then((exitCode) => exitOf(exitCode, child.signalCode)),
        kill: killer(process, child.pid, detached, (signal) => {
          if (isRunning() && signal !== 0) child.kill(signal);
          return isRunning();
        }),
        unref: () => child.unref(),
      };
    },
  };
}
