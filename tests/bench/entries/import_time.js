import { execFileSync } from "node:child_process";
import process from "node:process";

export const title = "Importing it in a new process";
export const unit = "ms";
export const notes =
  "The median of nine processes. Deno and Bun import the source of this library, Node its build; the " +
  "peers are what npm installs.";
/** The subjects return the number themselves. */
export const isMeasured = true;

const RUNS = 9;
const CHILD = new URL("../support/import_time.js", import.meta.url).pathname;

/** Node and Bun take the script first; Deno wants to be told to run it. */
const LEADING = "Deno" in globalThis ? ["run", "--quiet", "--allow-all", "--no-check"] : [];

export function subjects({ path }) {
  return Promise.resolve({
    "@rolecreds/aws": () => medianMs(path),
    "@smithy/credential-provider-imds": () => medianMs("@smithy/credential-provider-imds"),
    "@aws-sdk/credential-provider-node": () => medianMs("@aws-sdk/credential-provider-node"),
  });
}

function medianMs(specifier) {
  const times = Array.from({ length: RUNS }, () => {
    return Number(execFileSync(process.execPath, [...LEADING, CHILD, specifier], { encoding: "utf8" }));
  });
  return times.sort((a, b) => a - b)[(RUNS - 1) / 2];
}
