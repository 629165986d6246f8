import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe } from "@std/testing/bdd";

/** For tests that write programs for `/bin/sh`. */
export const describeOnPosix: typeof describe = process.platform === "win32"
  ? describe.skip as typeof describe
  : describe;

/** The address of a file of the repository as this runtime runs it: compiled on Node. */
export function moduleUrl(path: string): string {
  const extension = import.meta.url.endsWith(".js") ? "js" : "ts";
  return new URL(`../../${path}.${extension}`, import.meta.url).href;
}

/** Runs a JavaScript file with the runtime that runs this test. */
export function runtimeCommand(file: string, ...args: readonly string[]): [string, ...string[]] {
  return [process.execPath, ...("Deno" in globalThis ? ["run", "--allow-all", "--no-lock"] : []), file, ...args];
}

/** A folder for programs, which write the ids of their processes there. */
export class Scratch {
  readonly folder: string;

  /** Makes the folder. Most have a space in their path, to see that nothing takes it apart. */
  constructor(prefix = "rolecreds ") {
    this.folder = mkdtempSync(join(tmpdir(), prefix));
  }

  /** Writes a program for `/bin/sh`; `pid "$!"` in it notes a process, and its own is noted first. */
  script(name: string, body: string): string {
    const note = `pid() { echo "$1" >> '${this.folder}/pids'; }\npid $$\n`;
    return this.file(name, `#!/bin/sh\n${note}${body}\n`);
  }

  /** Writes an executable file, or one that is not. */
  file(name: string, text: string, mode = 0o755): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  /** The processes noted so far. */
  get pids(): readonly number[] {
    const path = join(this.folder, "pids");
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter((line) => line !== "").map(Number) : [];
  }

  /** Waits until so many processes are noted, and returns them. */
  async started(count: number): Promise<readonly number[]> {
    await until(() => this.pids.length >= count);
    return this.pids;
  }

  /** Waits until no noted process is left; returns those that stay. */
  async survivors(): Promise<readonly number[]> {
    await until(() => !this.pids.some(isRunning));
    return this.pids.filter(isRunning);
  }

  /** Removes the folder, and ends what the programs left behind. */
  [Symbol.dispose](): void {
    for (const pid of this.pids.filter(isRunning)) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true });
  }
}

/** Whether a process runs. One that ended may still be listed until its new parent takes note. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false; // gone, or gone between the two questions
  }
}

/** The processes that run with a variable in the environment they were started with; none where there is no `/proc`. */
export function runningWith(variable: string): readonly number[] {
  return listed().filter((pid) => isRunning(pid) && procFile(pid, "environ").split("\0").includes(variable));
}

/** The child processes of this program, also those that have ended and are still listed; none where there is no `/proc`. */
export function childProcesses(): readonly number[] {
  return listed().filter((pid) => new RegExp(`\\) [A-Z] ${process.pid} `).test(procFile(pid, "stat")));
}

/** How many descriptors this program has; 0 where there is no `/proc`. */
export function openFiles(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}

function listed(): readonly number[] {
  return process.platform === "linux" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number) : [];
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // the process has ended, or is that of another user
  }
}

/** Polls for an event, for at most ten seconds. */
export async function until(happened: () => boolean): Promise<void> {
  for (let polls = 0; polls < 500 && !happened(); polls++) await new Promise((resolve) => setTimeout(resolve, 20));
}
