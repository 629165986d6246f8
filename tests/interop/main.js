// Runs the suites on each runtime. Needs `tsc -p tests` and this folder's packages.
import process from "node:process";
import { BUN, DENO, DENO_FLAGS, runOnEach } from "../support/runtimes.js";

const SUITES = ["signing_clients", "emulator_clients", "command_line_clients"].map((name) =>
  `./tests/interop/suites/${name}.js`
);
const env = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  AWS_EC2_METADATA_DISABLED: "true",
};

runOnEach({
  Node: [process.execPath, "--test", ...SUITES],
  Bun: [BUN, "test", ...SUITES],
  Deno: [DENO, "test", ...DENO_FLAGS, ...SUITES],
}, { env, timeout: 120_000 });
