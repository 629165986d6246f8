// Measures the entries on the runtime that runs this, and prints one JSON line: results by title and subject.
// Arguments: the name of the runtime, the library's main module, its testing module, the files of entries/.
//
// An entry exports `title`, `unit`, `notes`, one of
//   subjects(library)  functions by name: mitata measures how long a call takes; each runtime is a column
//   values(library)    numbers by name; each runtime is a column
//   columns(path)      numbers by column and name, the same on every runtime
// and `aims`, where there are any: [{ row, max, of?, column? }], at most `max`, or `max` times the row `of`.
import { measure } from "mitata";
import process from "node:process";

/** Short rounds in turns, so that a busy moment of the machine hits all subjects; the median of the rounds counts. */
const ROUNDS = 21;
const ROUND = { min_cpu_time: 100e6 };

const NANOSECONDS = { "ns": 1, "µs": 1e3, "ms": 1e6 };

const [runtime, path, testingPath, ...files] = process.argv.slice(2);
const library = { ...await import(path), ...await import(testingPath), path, runtime };

const results = {};
for (const file of files) {
  const { title, unit, subjects, values } = await import(`../entries/${file}`);
  if (subjects !== undefined) results[title] = await measured(await subjects(library), NANOSECONDS[unit]);
  if (values !== undefined) results[title] = await values(library);
}
process.stdout.write(`\n${JSON.stringify(results)}\n`);

async function measured(subjects, nanoseconds) {
  const rounds = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, subject] of Object.entries(subjects)) {
      // Wrapped, for mitata takes a function with parameters for something else.
      rounds[name].push((await measure(() => subject(), ROUND)).p50 / nanoseconds);
    }
  }
  return Object.fromEntries(Object.entries(rounds).map(([name, values]) => [name, median(values)]));
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
