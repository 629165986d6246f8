// `npm run soak -- --minutes N`: soak.ts on Node, Bun and Deno side by side. Needs `tsc -p tests`.
import { spawn } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";
import { BUN, DENO, DENO_FLAGS } from "../support/runtimes.js";

const ROOT = `${import.meta.dirname}/../..`;
const SOAK = "./.build/tests/faults/soak.js";
const COMMANDS = [
  [process.execPath, "--expose-gc", SOAK],
  [BUN, SOAK],
  [DENO, "run", ...DENO_FLAGS, "--v8-flags=--expose-gc", SOAK],
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
