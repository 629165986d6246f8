// Runs the compiled tests on Node: version 20 neither strips types nor finds test files by pattern.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";

const files = readdirSync(".build/tests", { recursive: true })
  .filter((path) => path.endsWith("_test.js") && existsSync(`tests/${path.replace(/js$/, "ts")}`))
  .map((path) => `.build/tests/${path}`);
// One more than there are processors: many tests wait for processes and sockets.
const concurrency = `--test-concurrency=${availableParallelism() + 1}`;
const options = ["--test", concurrency, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [...options, ...files], { stdio: "inherit" });
process.exitCode = status ?? 1;
