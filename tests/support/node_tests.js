// Runs the compiled tests on Node: version 20 neither strips types nor finds test files by pattern.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const files = readdirSync(".build/tests", { recursive: true })
  .filter((path) => path.endsWith("_test.js") && existsSync(`tests/${path.replace(/js$/, "ts")}`))
  .map((path) => `.build/tests/${path}`);
const { status } = spawnSync(process.execPath, ["--test", ...process.argv.slice(2), ...files], { stdio: "inherit" });
process.exitCode = status ?? 1;
