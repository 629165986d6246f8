import { startFailure } from "./spawn/child.ts";

/** How a program in the foreground exited. The exit code is the one that a shell reports. */
export interface ForegroundExit {
  /**
   * The program's exit code; 128 plus the number of the signal that killed it; 127 if there is no such program; 126 if
   * it cannot be started.
   */
  readonly exitCode: number;
  /** The signal that killed it, such as `SIGKILL`. */
  readonly signal?: string;
  /** Why it did not start. Does not quote its arguments. */
  readonly failure?: { readonly state: string; readonly hint?: string | undefined };
}

interface Child {
  readonly pid?: number;
  kill(signal: string): boolean;
  on(event: "error", listener: (error: unknown) => void): void;
  on(event: "exit", listener: (exitCode: number | null, signal: string | null) => void): void;
}

interface SignalProcess {
  readonly pid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  kill(pid: number, signal: string): void;
  on(signal: string, listener: () => void): void;
  off(signal: string, listener: () => void): void;
  getBuiltinModule<T>(id: string): T;
}

/** The signals that end a program by default and can be caught. */
const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
/**
 * A terminal sends these to every process in its foreground. Some programs exit without cleanup when the same signal
 * arrives a second time.
 */
const SENT_BY_TERMINALS: readonly string[] = ["SIGINT", "SIGQUIT"];
/**
 * How long to wait until the signal has ended this program. On Deno that takes a moment, and some signals, such as
 * SIGSEGV, may not end it.
 */
const SIGNAL_DELAY_MS = 500;
const NO_PERMISSION_HINT = "Start Deno with --allow-run and --allow-env.";

/**
 * Runs a program with the standard streams and in the process group of this one. SIGTERM and SIGHUP that this program
 * receives are forwarded to it; SIGINT and SIGQUIT only if no stream is a terminal, because a terminal sends them to
 * both.
 *
 * @param command The program and its arguments; no shell sees them.
 * @param variables Changes to the environment; `undefined` removes one.
 */
export async function runInForeground(
  [file = "", ...args]: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<ForegroundExit> {
  const process = signalProcess();
  const { spawn } = process.getBuiltinModule<{ spawn(file: string, args: readonly string[], options: object): Child }>(
    "node:child_process",
  );
  let child: Child | undefined;
  const release = onSignals(process, (signal) => child !== undefined && forward(process, child, signal));
  try {
    child = spawn(file, args, { stdio: "inherit", env: withoutUndefined({ ...process.env, ...variables }) });
    return await exitOf(process, child);
  } catch (error) {
    return notStarted(error);
  } finally {
    release();
  }
}

/**
 * Sends a signal to this program, so that its parent process sees it killed by that signal. Where it survives, the
 * promise resolves to the exit code that a shell would report.
 */
export async function endBySignal(signal: string): Promise<number> {
  const process = signalProcess();
  try {
    process.kill(process.pid, signal);
    await new Promise((resolve) => setTimeout(resolve, SIGNAL_DELAY_MS));
  } catch { /* Deno without --allow-run may not send signals: then only the exit code names the signal */ }
  return 128 + signalNumber(process, signal);
}

/**
 * Calls `listener` for the signals that end a program, whose default action then does not happen. Returns a function
 * that removes the listener.
 */
export function onEndSignals(listener: (signal: string) => void): () => void {
  return onSignals(signalProcess(), listener);
}

function onSignals(process: SignalProcess, onSignal: (signal: string) => void): () => void {
  const listeners = END_SIGNALS.map((signal) => [signal, () => onSignal(signal)] as const);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

function forward(process: SignalProcess, child: Child, signal: string): void {
  const { isatty } = process.getBuiltinModule<{ isatty(descriptor: number): boolean }>("node:tty");
  if (SENT_BY_TERMINALS.includes(signal) && [0, 1, 2].some((descriptor) => isatty(descriptor))) return;
  try {
    // not child.kill(): after that, Deno reports this signal even if the program exited by itself
    process.kill(child.pid ?? NaN, signal);
  } catch {
    // Deno has --allow-run for only that program, which does not permit process.kill(), or the child has just exited
    child.kill(signal);
  }
}

function exitOf(process: SignalProcess, child: Child): Promise<ForegroundExit> {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(notStarted(error)));
    child.on("exit", (exitCode, signal) => {
      if (signal === null) resolve({ exitCode: exitCode ?? 0 });
      else resolve({ exitCode: 128 + signalNumber(process, signal), signal });
    });
  });
}

function notStarted(error: unknown): ForegroundExit {
  if ((error as { name?: unknown }).name === "NotCapable") {
    return { exitCode: 126, failure: { state: "Deno has no permission to start programs", hint: NO_PERMISSION_HINT } };
  }
  const { cause, hint } = startFailure(error, {});
  const isMissing = (error as { code?: unknown }).code === "ENOENT";
  return { exitCode: isMissing ? 127 : 126, failure: { state: cause.message, hint } };
}

function signalNumber(process: SignalProcess, signal: string): number {
  const { constants } = process.getBuiltinModule<{ constants: { signals: Record<string, number> } }>("node:os");
  return constants.signals[signal] ?? 0;
}

function withoutUndefined(variables: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
}

function signalProcess(): SignalProcess {
  return (globalThis as unknown as { readonly process: SignalProcess }).process;
}
