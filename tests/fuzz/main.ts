// Fuzzes for `--minutes N`, with new seeds; prints what it ran, and the input of a failure with its seed.
import process from "node:process";
import { parseArgs } from "node:util";
import { INVARIANTS } from "./invariants.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "1" } } });
const invariants = Object.entries(INVARIANTS);
const endsAt = Date.now() + Number(values.minutes) * 60_000;
let runs = 0;
const failed = new Set<string>();
for (let seed = Date.now() | 0; Date.now() < endsAt && failed.size < invariants.length; seed++) {
  for (const [name, holds] of invariants.filter(([name]) => !failed.has(name))) {
    await holds({ seed, numRuns: 500 }).catch((error: Error) => {
      failed.add(name);
      process.stdout.write(`${name}: ${error.message}\n${error.cause instanceof Error ? error.cause.stack : ""}\n`);
    });
    runs += 500;
  }
}
process.stdout.write(`${runs} inputs, ${invariants.length} invariants, ${failed.size} failed\n`);
process.exitCode = failed.size === 0 ? 0 : 1;
