import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [PACKAGES, SIZE] = ["packages", "KiB"];

export const title = "What an installation brings";
export const unit = "packages, KiB on disk";
export const notes = "The package itself and all it depends on, by the lock file of this folder.";

const PEERS = [
  "@smithy/credential-provider-imds",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-node",
  "@aws-sdk/credential-providers",
];

export function columns() {
  const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
  const results = { [PACKAGES]: { "@rolecreds/aws": 1 }, [SIZE]: { "@rolecreds/aws": ownSize() } };
  for (const peer of PEERS) {
    const folders = [...closure(`node_modules/${peer}`, packages)];
    results[PACKAGES][peer] = folders.length;
    results[SIZE][peer] = folders.reduce((sum, folder) => sum + sizeOf(new URL(`../${folder}/`, import.meta.url)), 0);
  }
  return results;
}

/** What npm unpacks. The package has no dependencies: a test says so. */
function ownSize() {
  const cwd = fileURLToPath(new URL("../../..", import.meta.url));
  const text = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd, encoding: "utf8" });
  return JSON.parse(text)[0].unpackedSize / 1_024;
}

/** The folders of a package and of all it depends on, each found as Node finds it. */
function closure(folder, packages, found = new Set()) {
  if (found.has(folder)) return found;
  found.add(folder);
  for (const dependency of Object.keys(packages[folder].dependencies ?? {})) {
    const nested = `${folder}/node_modules/${dependency}`;
    closure(nested in packages ? nested : `node_modules/${dependency}`, packages, found);
  }
  return found;
}

/** Without packages that lie inside: the lock file lists them by themselves. */
function sizeOf(folder) {
  let bytes = 0;
  for (const { name, parentPath, path } of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const parent = parentPath ?? path;
    const inside = parent.slice(fileURLToPath(folder).length);
    if (!inside.includes("node_modules") && name !== "node_modules") bytes += statSync(`${parent}/${name}`).size;
  }
  return bytes / 1_024;
}
