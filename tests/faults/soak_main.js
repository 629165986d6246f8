// `npm run soak -- --minutes N`: soak.ts on Node, Bun and Deno side by side. Needs `tsc -p tests`.
import { spawn } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";

const ROOT = `${import.meta.dirname}/../..`;
const SOAK = "./.build/tests/faults/soak.js";
const DENO_FLAGS = ["--quiet", "--no-config", "--no-lock", "--no-check", "--node-modules-dir=manual", "--allow-all"];
const COMMANDS = [
  [process.execPath, "--expose-gc", SOAK],
  [`${ROOT}/node_modules/.bin/bun`, SOAK],
  [`${ROOT}/node_modules/.bin/deno`, "run", ...DENO_FLAGS, "--v8-flags=--expose-gc", SOAK],
];

const { minutes } = parseArgs({ options: { minutes: { type: "string", default: "10" } } }).values;
const env = { PATH: process.env.PATH, HOME: "/nonexistent" };
for (const [program, ...args] of COMMANDS) {
  const child = spawn(program, [...args, minutes], { cwd: ROOT, env, stdio: "inherit" });
  child.on("error", (error) => {
    throw error;
  });
  child.on("exit", (code) => {
    if (code !== 0) process.exitCode = 1;
  });
}
