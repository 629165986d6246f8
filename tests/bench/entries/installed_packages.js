import { readFileSync } from "node:fs";

export const title = "Packages that an installation brings";
export const unit = "packages";
export const notes = "The package itself and all it depends on, by the lock file of this folder.";
/** The subjects return the number themselves. */
export const isMeasured = true;
/** The same on every runtime: measured on Node. */
export const runtimes = ["Node"];

const PEERS = [
  "@smithy/credential-provider-imds",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-node",
];

export function subjects() {
  const { dependencies = {} } = readJson("../../../package.json");
  const { packages } = readJson("../package-lock.json");
  const own = { "@rolecreds/aws": () => 1 + Object.keys(dependencies).length };
  return Promise.resolve({
    ...own,
    ...Object.fromEntries(PEERS.map((name) => [name, () => closure(name, packages).size])),
  });
}

function closure(name, packages, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const { dependencies = {} } = packages[`node_modules/${name}`] ?? {};
  for (const dependency of Object.keys(dependencies)) closure(dependency, packages, found);
  return found;
}

function readJson(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}
