import type { Child, ChildHost, Input } from "./child.ts";

/** Kills a process, also if this program ends before it. */
export interface Watcher {
  /** Kills the process, or its process group. Returns immediately; it is done even if this program then ends. */
  readonly kill: () => void;
  /** From now on the process is not killed when this program ends. */
  readonly release: () => void;
}

/**
 * Reads what to kill: a process id, or that of a process group as a negative number. Then waits for a second line,
 * which tells it to do nothing. If its standard input is closed instead, it sends SIGTERM, and SIGKILL two seconds
 * later.
 */
const SCRIPT = `read -r target || exit
read -r release && exit
kill -TERM "$target" && { sleep 2; kill -KILL "$target"; }`;

/**
 * Starts a shell that waits for the end of this program. It is started before the process that it watches, so that no
 * process runs without a watcher. The system closes the pipe to it however this program ends: by a signal, a crash,
 * `worker.terminate()`. A signal listener would miss some of these, and replace the default action of the others.
 */
export async function startShell(host: ChildHost): Promise<Input | undefined> {
  try {
    return await host.startShell(SCRIPT, "rolecreds-watcher");
  } catch {
    return undefined; // no /bin/sh, or too many processes or open files
  }
}

/** Tells the shell which process, or process group, to kill. */
export function watch({ pid }: Child, isLeader: boolean, shell: Input): Watcher {
  shell.write(`${isLeader ? -pid : pid}\n`);
  return {
    kill: shell.close, // the script kills when its standard input is closed
    release() {
      shell.write("release\n");
      shell.close();
    },
  };
}

/**
 * The watcher without a shell. It calls {@linkcode Child.kill}, also when this program exits, unless a signal ends this
 * program.
 */
export function killAtExit(child: Child, host: ChildHost): Watcher {
  const release = host.onExit(child.kill);
  return {
    kill() {
      release();
      child.kill();
    },
    release,
  };
}
