// Measures every entry on the runtime that runs this, and prints one JSON line: results by title and subject.
// Arguments: the name of the runtime, the library's main module, the library's testing module.
import { measure } from "mitata";
import { readdirSync } from "node:fs";
import process from "node:process";

/** A process that is disturbed once must not decide: the median of the rounds does. */
const ROUNDS = 5;

const NANOSECONDS = { "ns": 1, "ms": 1e6 };

const [runtime, path, testingPath] = process.argv.slice(2);
const library = { ...await import(path), ...await import(testingPath), path };

const results = {};
for (const file of readdirSync(new URL("../entries", import.meta.url)).sort()) {
  const entry = await import(`../entries/${file}`);
  if (entry.runtimes?.includes(runtime) === false) continue;
  results[entry.title] = await resultsOf(entry);
}
process.stdout.write(`\n${JSON.stringify(results)}\n`);

async function resultsOf({ subjects, isMeasured, unit }) {
  const functions = Object.entries(await subjects(library));
  const rounds = Object.fromEntries(functions.map(([name]) => [name, []]));
  for (let round = 0; round < (isMeasured ? 1 : ROUNDS); round++) {
    for (const [name, subject] of functions) {
      // Wrapped, for mitata takes a function with parameters for something else.
      rounds[name].push(isMeasured ? await subject() : (await measure(() => subject())).p50 / NANOSECONDS[unit]);
    }
  }
  return Object.fromEntries(functions.map(([name]) => [name, median(rounds[name])]));
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
