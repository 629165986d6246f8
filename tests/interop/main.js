// Runs the suites on each runtime. Needs `tsc -p tests` and this folder's packages.
import { spawnSync } from "node:child_process";
import process from "node:process";

const ROOT = `${import.meta.dirname}/../..`;
const SUITES = ["signing_clients", "emulator_clients", "command_line_clients"].map((
  name,
) => `./tests/interop/suites/${name}.js`);
const DENO_FLAGS = [
  "--quiet",
  "--no-config",
  "--no-lock",
  "--no-check",
  "--node-modules-dir=manual",
  "--allow-all",
];
const RUNTIMES = {
  Node: [process.execPath, "--test"],
  Bun: [`${ROOT}/node_modules/.bin/bun`, "test"],
  Deno: [`${ROOT}/node_modules/.bin/deno`, "test", ...DENO_FLAGS],
};
const env = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  AWS_EC2_METADATA_DISABLED: "true",
};

for (const [name, [program, ...args]] of Object.entries(RUNTIMES)) {
  process.stdout.write(`# ${name}\n`);
  const { status } = spawnSync(program, [...args, ...SUITES], {
    cwd: ROOT,
    env,
    stdio: "inherit",
    timeout: 120_000,
  });
  if (status !== 0) process.exitCode = 1;
}
