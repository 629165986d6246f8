// How the suites that `npm test` does not have run compiled tests on the pinned runtimes.
import { spawnSync } from "node:child_process";
import process from "node:process";

const ROOT = `${import.meta.dirname}/../..`;

export const BUN = `${ROOT}/node_modules/.bin/bun`;
export const DENO = `${ROOT}/node_modules/.bin/deno`;
/** For compiled files, which import packages from `node_modules`. */
export const DENO_FLAGS = [
  "--quiet",
  "--no-config",
  "--no-lock",
  "--no-check",
  "--node-modules-dir=manual",
  "--allow-all",
];

/** Runs the commands one after the other, each below the name of its runtime. Sets the exit code if one fails. */
export function runOnEach(commands, options) {
  for (const [name, [program, ...args]] of Object.entries(commands)) {
    process.stdout.write(`# ${name}\n`);
    const { status } = spawnSync(program, args, { cwd: ROOT, stdio: "inherit", ...options });
    if (status !== 0) process.exitCode = 1;
  }
}
