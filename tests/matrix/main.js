// Runs the suites on other versions of the runtimes, and with undici. Needs `npm run build` and this folder's packages.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import process from "node:process";

if (process.platform !== "linux" || process.arch !== "x64") {
  const { platform, arch } = process;
  process.stdout.write(`test:matrix is skipped: its runtimes are for linux x64, this is ${platform} ${arch}\n`);
} else {
  const folder = `${import.meta.dirname}/suites`;
  const suites = readdirSync(folder).map((name) => `${folder}/${name}`);
  const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...suites], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
