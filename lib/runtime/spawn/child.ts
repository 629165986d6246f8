import type { NotStarted, SpawnOptions } from "../../runtime.ts";

/** How a process exited: by itself, or by a signal. */
export interface Exit {
  readonly kind: "exited";
  readonly exitCode?: number;
  readonly signal?: string;
}

/** The standard output or standard error of a process. */
export interface Output {
  /** What arrives until the pipe is closed or breaks. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Closes the pipe. Never throws. */
  readonly close: () => void;
}

/** A process that an adapter started. */
export interface Child {
  readonly pid: number;
  readonly stdout: Output;
  readonly stderr: Output | undefined;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** Kills the process immediately; on Windows also the processes that it started. Never throws. */
  readonly kill: () => void;
  /** Lets this program end before the process does. */
  readonly unref: () => void;
}

/** The standard input of a process. Writing to a process that has exited is not an error. */
export interface Input {
  /** Writes at once: even if this program ends now, the process can read the line. */
  readonly write: (line: string) => void;
  readonly close: () => void;
}

/** What an adapter can do with processes. */
export interface ChildHost {
  /** Whether the standard input of this program is a terminal. */
  readonly isInteractive: () => boolean;
  /**
   * Starts a process. If that fails, throws the runtime's error, or returns a result that says why.
   *
   * @param isLeader Whether the process leads a session and a process group of its own (POSIX).
   */
  readonly start: (
    command: readonly string[],
    options: SpawnOptions,
    isLeader: boolean,
  ) => Child | NotStarted | Promise<NotStarted>;
  /**
   * Starts `/bin/sh` with a script, in a new session. The shell keeps running when this program ends.
   *
   * @returns Its standard input; `undefined` on Windows or without permission. If the shell cannot be started, rejects
   * or resolves to `undefined`.
   */
  readonly startShell: (script: string, name: string) => Promise<Input | undefined>;
  /**
   * Calls `listener` when this program exits, unless a signal ends it. Returns a function that removes the listener.
   */
  readonly onExit: (listener: () => void) => () => void;
}

/** The output that a web stream reads. */
export function outputOf(stream: ReadableStream<Uint8Array>): Output {
  const reader = stream.getReader();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  }
  return { chunks: chunks(), close: () => void reader.cancel().catch(() => {/* it broke before */}) };
}

/**
 * The result for an exit code and a signal. With a signal the exit code is ignored: Bun and Deno then report one that
 * the process did not return. Bun has no names for real-time signals, only numbers.
 */
export function exitOf(exitCode: number | null, signal: string | number | null): Exit {
  if (signal === null) return { kind: "exited", exitCode: exitCode ?? 0 };
  return { kind: "exited", signal: typeof signal === "number" ? `signal ${signal}` : signal };
}

const INVALID_ARGUMENT =
  "the program name is empty, or an argument, a variable or the working directory contains a NUL character";

const STATES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such program",
  EACCES: "the program may not be executed",
  ENOEXEC: "the system cannot execute a file of this format",
  E2BIG: "the arguments and the environment are too long",
  EMFILE: "this program has too many open files",
  ENFILE: "the system has too many open files",
  EAGAIN: "the system has too many processes",
  EINVAL: INVALID_ARGUMENT,
  ERR_INVALID_ARG_VALUE: INVALID_ARGUMENT,
};

/**
 * The result that says why a program did not start. The runtimes' own errors quote its arguments, which may be secrets.
 */
export function startFailure(error: unknown, { cwd }: Pick<SpawnOptions, "cwd">): NotStarted {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const reason = STATES[code as string] ?? "the system refused to start it";
  const state = code === "ENOENT" && cwd !== undefined ? `${reason} or working directory` : reason;
  return notStarted(typeof code === "string" && /^[A-Z0-9_]+$/.test(code) ? `${state} (${code})` : state);
}

/** The result for a program that did not start, and what to do about it. */
export function notStarted(state: string, hint?: string): NotStarted {
  return { kind: "notStarted", cause: new Error(state), ...(hint === undefined ? {} : { hint }) };
}
