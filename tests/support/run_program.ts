import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Which runtime runs this test. */
export const RUNTIME: "deno" | "bun" | "node" = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** What a program did. */
export interface ProgramResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface ProgramOptions {
  /** Variables beside PATH, the only one that is inherited; there is no home. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags for Deno in place of `--allow-all`; without any, Deno's `node:child_process` adds that by itself. */
  readonly denoFlags?: readonly string[];
  /** Arguments of the program. */
  readonly args?: readonly string[];
}

/** The URL of a library module as this runtime imports it: the source, or on Node what was compiled from it. */
export function moduleUrl(path: string): string {
  return new URL(`../../${RUNTIME === "node" ? path.replace(/\.ts$/, ".js") : path}`, import.meta.url).href;
}

/** Runs JavaScript as a program of its own on the runtime that runs this test; ends it after 20 s. */
export async function runProgram(code: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  const folder = mkdtempSync(join(tmpdir(), "rolecreds-"));
  try {
    const file = join(folder, "program.mjs");
    writeFileSync(file, code);
    return await runFile(file, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The command that runs a file as a program of its own on the runtime that runs this test. */
export function programCommand(
  file: string,
  { denoFlags = ["--allow-all"], args = [] }: ProgramOptions = {},
): readonly [string, ...string[]] {
  const flags = {
    deno: ["run", "--quiet", "--no-check", "--no-prompt", "--node-modules-dir=none", ...denoFlags],
    bun: ["--no-env-file"],
    node: [],
  }[RUNTIME];
  return [process.execPath, ...flags, file, ...args];
}

/** The environment of a program: PATH is all it inherits, and there is no home. */
export function programEnvironment({ env = {} }: ProgramOptions = {}): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env };
}

/** Runs a file as a program of its own on the runtime that runs this test; ends it after 20 s. */
export function runFile(file: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  const [command, ...args] = programCommand(file, options);
  const child = spawn(command, args, { env: programEnvironment(options), timeout: 20_000 });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => stdout += chunk);
  child.stderr.on("data", (chunk) => stderr += chunk);
  child.stdin.end();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}
