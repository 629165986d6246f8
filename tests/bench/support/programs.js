import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const LEADING = "Deno" in globalThis
  ? ["run", "--quiet", "--allow-all", "--no-check"]
  : "Bun" in globalThis
  ? ["--no-env-file"]
  : [];
/** Programs lie here, so that they find the peers. */
const BENCH = fileURLToPath(new URL("..", import.meta.url));
const ROUNDS = 15;

/**
 * Runs each program as a process of its own on the runtime that runs this, in turns; the median of what they print.
 *
 * @param programs Modules by name. Each prints one number of milliseconds.
 * @param options `env`: variables of the programs. `isMoment`: they print a moment in epoch milliseconds, and what counts
 * is how long that is after their start.
 */
export function medians(programs, { env = {}, isMoment = false } = {}) {
  const folder = mkdtempSync(join(BENCH, "programs-"));
  const files = Object.entries(programs).map(([name, code], index) => {
    const file = join(folder, `${index}.mjs`);
    writeFileSync(file, code);
    return { name, file, times: [] };
  });
  const options = { encoding: "utf8", env: { PATH: process.env["PATH"], HOME: folder, ...env } };
  for (let round = 0; round < ROUNDS; round++) {
    for (const { file, times } of files) {
      const startedAt = isMoment ? performance.timeOrigin + performance.now() : 0;
      times.push(Number(execFileSync(process.execPath, [...LEADING, file], options)) - startedAt);
    }
  }
  rmSync(folder, { recursive: true });
  return Object.fromEntries(files.map(({ name, times }) => [name, times.sort((a, b) => a - b)[(ROUNDS - 1) / 2]]));
}
