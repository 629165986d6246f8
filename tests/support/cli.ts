import { type ChildProcess, spawn, spawnSync, type StdioOptions } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { it } from "@std/testing/bdd";
import { moduleUrl, programCommand, programEnvironment, type ProgramOptions } from "./run_program.ts";

const MAIN = fileURLToPath(moduleUrl("lib/cli/main.ts"));
const TIMEOUT_MS = 60_000;
const PIPES_MS = 10_000;

/** How to start the command line. */
export interface CliOptions extends Omit<ProgramOptions, "args"> {
  /** What its standard streams are; pipes to this test by default. */
  readonly stdio?: StdioOptions;
}

/** The command line as a process of its own, on the runtime that runs this test. */
export class Cli implements Disposable {
  readonly child: ChildProcess;
  /** Resolves when the process is gone and its pipes are closed, or ten seconds later: a process it left may hold them. */
  readonly exit: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
  #stdout = "";
  #stderr = "";
  #wake: () => void = () => {};

  constructor(command: readonly [string, ...string[]], { stdio = "pipe", ...options }: CliOptions = {}) {
    const [file, ...args] = command;
    const child: ChildProcess = spawn(file, args, { env: programEnvironment(options), stdio, timeout: TIMEOUT_MS });
    this.child = child;
    child.stdout?.on("data", (chunk) => this.#received(() => this.#stdout += chunk));
    child.stderr?.on("data", (chunk) => this.#received(() => this.#stderr += chunk));
    child.stdin?.on("error", () => {/* it ended before it read all */});
    this.exit = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode, signal) => this.#received(() => resolve({ exitCode, signal })));
      child.once("exit", (exitCode, signal) => {
        setTimeout(() => this.#received(() => resolve({ exitCode, signal })), PIPES_MS).unref();
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Sends a signal. After `child.kill()` Deno reports that signal, whatever ended the process. */
  signal(name: string): void {
    process.kill(this.child.pid ?? NaN, name);
  }

  /** Waits until the output has what is looked for. */
  async until(text: string | RegExp, output: () => string = () => this.stdout): Promise<void> {
    const isThere = () => typeof text === "string" ? output().includes(text) : text.test(output());
    let hasEnded = false;
    this.exit.then(() => hasEnded = true);
    while (!isThere()) {
      if (hasEnded) throw new Error(`It ended without ${text}: ${JSON.stringify([this.stdout, this.stderr])}`);
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Kills the process, if it still runs, and waits for its end. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exit;
  }

  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }

  #received(change: () => void): void {
    change();
    queueMicrotask(() => this.#wake());
  }
}

/** Starts the command line. */
export function startCli(args: readonly string[], options: CliOptions = {}): Cli {
  return new Cli(programCommand(MAIN, { ...options, args }), options);
}

/** Runs the command line to its end, with nothing to read. */
export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<{ exitCode: number | null; signal: string | null; stdout: string; stderr: string }> {
  const cli = startCli(args, options);
  cli.child.stdin?.end();
  const exit = await cli.exit;
  return { ...exit, stdout: cli.stdout, stderr: cli.stderr };
}

/** Starts the command line in a shell command, in which `"$@"` stands for it. */
export function startInShell(script: string, args: readonly string[], options: CliOptions = {}): Cli {
  return new Cli(["/bin/sh", "-c", script, "sh", ...programCommand(MAIN, { ...options, args })], options);
}

/**
 * Starts the command line on a pseudo-terminal; all its streams are in `stdout`.
 *
 * @param script The shell command on that terminal, in which `"$@"` stands for the command line.
 */
export function startOnTerminal(args: readonly string[], options: CliOptions = {}, script = 'exec "$@"'): Cli {
  const words = ["/bin/sh", "-c", script, "sh", ...programCommand(MAIN, { ...options, args })];
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return new Cli(["script", "--quiet", "--return", "--command", `exec ${command}`, "/dev/null"], options);
}

/** For tests that need a pseudo-terminal. */
export const itOnTerminal: typeof it = hasProgram("script", "--version") ? it : skipped("script of util-linux");

/** For tests that need a program that not every machine has. */
export function itWith(program: string): typeof it {
  return hasProgram(program, "-c", "") || hasProgram(program, "--version") ? it : skipped(program);
}

function hasProgram(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}

function skipped(missing: string): typeof it {
  const skip = (name: string, test: () => void) => it.skip(`${name} (skipped: there is no ${missing} here)`, test);
  return skip as typeof it;
}
