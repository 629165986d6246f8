import type { Runtime } from "../runtime.ts";
import type { DenoNamespace } from "./deno.ts";
import { detectRuntime } from "./detect.ts";
import { endBySignal, type ForegroundExit, runInForeground } from "./foreground.ts";
import { unsupportedVersion } from "./runtime_kind.ts";
import { readHiddenLine } from "./prompt.ts";

export type { ForegroundExit } from "./foreground.ts";

/** What a command line program needs from its terminal and the operating system. */
export interface Terminal {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  /** Whether the standard input is a terminal. */
  readonly stdinIsTerminal: boolean;
  /** Whether the standard output is a terminal. */
  readonly stdoutIsTerminal: boolean;
  /** Whether the standard error output is a terminal. */
  readonly stderrIsTerminal: boolean;
  /** The runtime that providers use: clock, environment, files, requests. */
  readonly runtime: Runtime;
  /** Writes a line to the standard output. Throws {@linkcode OutputLost} where nothing can be written to it. */
  readonly print: (line: string) => void;
  /** Writes a line to the standard error output; a line that cannot be written is lost. */
  readonly printError: (line: string) => void;
  /** Prints a question on stderr and reads a line from stdin without showing it; both must be terminals. */
  readonly readHiddenLine: (question: string, signal: AbortSignal) => Promise<string>;
  /** Cryptographically random bytes. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Runs a program in the foreground; a variable that is `undefined` is removed from its environment. */
  readonly runInForeground: (
    command: readonly string[],
    variables: Readonly<Record<string, string | undefined>>,
  ) => Promise<ForegroundExit>;
  /**
   * Ends this program by a signal. Where that is not possible, resolves to the exit code that a shell reports for it.
   */
  readonly endBySignal: (signal: string) => Promise<number>;
}

/** Nothing can be written to the standard output any longer: its reader is gone, or the disk is full. */
export class OutputLost extends Error {
  override readonly name = "OutputLost";
}

/** A part of a command line, as `parseArgs` of `node:util` finds it. */
export type ArgumentToken =
  | { readonly kind: "positional"; readonly index: number; readonly value: string }
  | { readonly kind: "option-terminator"; readonly index: number }
  | {
    readonly kind: "option";
    readonly name: string;
    readonly rawName: string;
    readonly value?: string;
    readonly inlineValue?: boolean;
  };

/** What {@linkcode argumentTokens} needs to know about an option. */
export interface ArgumentSyntax {
  readonly type: "string" | "boolean";
  readonly short?: string;
}

interface Process {
  readonly argv: readonly string[];
  exit(exitCode: number): void;
  getBuiltinModule<T>(id: string): T;
}

interface FileSystem {
  writeSync(descriptor: number, bytes: Uint8Array): number;
  realpathSync(path: string): string;
}

const [STDIN, STDOUT, STDERR] = [0, 1, 2] as const;
const EAGAIN_PAUSE_MS = 5;

interface ParseArgs {
  parseArgs(config: object): { readonly tokens: readonly ArgumentToken[] };
}

/**
 * Splits a command line with `parseArgs` of `node:util`. Its checks are not used, because their messages differ between
 * runtimes.
 */
export function argumentTokens(
  args: readonly string[],
  options: Readonly<Record<string, ArgumentSyntax>>,
): readonly ArgumentToken[] {
  const { process } = globalThis as unknown as { readonly process: Process };
  const { parseArgs } = process.getBuiltinModule<ParseArgs>("node:util");
  return parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/**
 * Whether Deno may listen on a port of 127.0.0.1; always true on other runtimes. Without the permission Deno ends the
 * program with an error that cannot be caught.
 */
export function mayListen(port: number): boolean {
  const { Deno } = globalThis as unknown as { readonly Deno?: Pick<DenoNamespace, "permissions"> };
  return Deno === undefined ||
    Deno.permissions.querySync({ name: "net", host: `127.0.0.1:${port}` }).state === "granted";
}

/**
 * Runs `main` if the module with this `import.meta` is the program's entry point. Then exits: an aborted request may
 * keep Node alive for 10 more seconds. Importing the module does nothing.
 */
export async function runIfStarted(
  meta: { readonly main?: boolean; readonly url: string },
  main: (terminal: Terminal) => Promise<number>,
): Promise<void> {
  const { process } = globalThis as unknown as { readonly process?: Process };
  if (process === undefined || !wasStarted(meta, process)) return;
  const unsupported = unsupportedVersion(globalThis as object);
  if (unsupported !== undefined) throw unsupported;
  const { isatty } = process.getBuiltinModule<{ isatty(descriptor: number): boolean }>("node:tty");
  process.exit(
    await main({
      args: process.argv.slice(2),
      stdinIsTerminal: isatty(STDIN),
      stdoutIsTerminal: isatty(STDOUT),
      stderrIsTerminal: isatty(STDERR),
      runtime: detectRuntime(),
      print: (line) => write(process, STDOUT, line),
      printError(line) {
        try {
          write(process, STDERR, line);
        } catch { /* there is no other output to report this on */ }
      },
      readHiddenLine,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      runInForeground,
      endBySignal,
    }),
  );
}

/**
 * Writes a line synchronously. `process.stdout` and `process.stderr` are not used: they make a pipe non-blocking, also
 * for the programs that inherit it.
 */
function write(process: Process, descriptor: number, line: string): void {
  const { writeSync } = process.getBuiltinModule<FileSystem>("node:fs");
  let bytes = new TextEncoder().encode(`${line}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      // EAGAIN: another program made the pipe non-blocking, so wait and retry. Not on Deno, which does not report how
      // many bytes it wrote before the error.
      if ((error as { code?: unknown }).code !== "EAGAIN" || "Deno" in globalThis) throw new OutputLost();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EAGAIN_PAUSE_MS);
    }
  }
}

/**
 * Whether this module is the entry point: `import.meta.main`, or before Node 24.2 whether the real path of the script
 * is this URL. npm starts the script through a symbolic link.
 */
function wasStarted({ main, url }: { readonly main?: boolean; readonly url: string }, process: Process): boolean {
  if (main !== undefined) return main;
  // An old Node cannot resolve the link here, and must reach the error that names the version.
  if (process.getBuiltinModule === undefined) return /\b(rolecreds|main\.js)$/.test(process.argv?.[1] ?? "");
  const { realpathSync } = process.getBuiltinModule<FileSystem>("node:fs");
  const { pathToFileURL } = process.getBuiltinModule<{ pathToFileURL(path: string): URL }>("node:url");
  try {
    return pathToFileURL(realpathSync(process.argv[1] ?? "")).href === url;
  } catch {
    return false; // with `node --eval`, argv[1] is the first argument, which need not be a file
  }
}
