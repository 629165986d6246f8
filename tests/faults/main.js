// `npm run test:faults`: the suites of this folder. Needs `tsc -p tests`. The table of faults is a part of `npm test`, on each
// runtime; the weeks need no sockets, and measure the heap on Node.
import { spawnSync } from "node:child_process";
import process from "node:process";

const ROOT = `${import.meta.dirname}/../..`;
const [TABLE, WEEK, CUT] = ["table_test", "week", "cut"].map((name) => `./.build/tests/faults/${name}.js`);
const DENO_FLAGS = ["--quiet", "--no-config", "--no-lock", "--no-check", "--node-modules-dir=manual", "--allow-all"];
const COMMANDS = {
  Node: [process.execPath, "--expose-gc", "--test", TABLE, WEEK, CUT],
  Bun: [`${ROOT}/node_modules/.bin/bun`, "test", "--timeout", "120000", CUT],
  Deno: [`${ROOT}/node_modules/.bin/deno`, "test", ...DENO_FLAGS, CUT],
};

for (const [name, [program, ...args]] of Object.entries(COMMANDS)) {
  process.stdout.write(`# ${name}\n`);
  const { status } = spawnSync(program, args, { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
