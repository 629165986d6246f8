// Runs `npm ci` in a folder (default: this one) when its node_modules is missing or older than its lock file, so that one
// command is enough after cloning.
import { execSync } from "node:child_process";
import { statSync } from "node:fs";

const folder = process.argv[2] ?? ".";
const changedAt = (path) => statSync(`${folder}/${path}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (changedAt("node_modules/.package-lock.json") < changedAt("package-lock.json")) {
  execSync("npm ci --no-audit --no-fund", { cwd: folder, stdio: "inherit" });
}
