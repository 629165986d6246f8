// Runs `npm ci` when node_modules is missing or older than the lock file, so that one command is enough after cloning.
import { execSync } from "node:child_process";
import { statSync } from "node:fs";

const changedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (changedAt("node_modules/.package-lock.json") < changedAt("package-lock.json")) {
  execSync("npm ci --no-audit --no-fund", { stdio: "inherit" });
}
