// `npm run bench`: measures every file of entries/ on Deno, Bun and Node, prints the numbers side by side and keeps them
// in results.md and results.svg. A new comparison is a new file in entries/: see support/measure.js for what it exports.
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { markdownOf, svgOf } from "./support/report.js";

const root = new URL("../..", import.meta.url).pathname;
const MEASURE = `${root}tests/bench/support/measure.js`;
const SOURCE = [`${root}mod.ts`, `${root}lib/testing/mod.ts`];
const BUILD = [`${root}dist/mod.js`, `${root}dist/lib/testing/mod.js`];

const RUNTIMES = [
  { name: "Deno", command: "deno", leading: ["run", "--quiet", "--allow-all", "--no-check"], modules: SOURCE },
  { name: "Bun", command: "bun", leading: ["--no-env-file"], modules: SOURCE },
  { name: "Node", command: "node", leading: [], modules: BUILD },
];

function run(command, args) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

const results = {};
for (const { name, command, leading, modules } of RUNTIMES) {
  const version = /\d+\.\d+\.\d+/.exec(run(command, ["--version"]))?.[0];
  process.stderr.write(`Measuring on ${name} ${version} …\n`);
  const output = run(command, [...leading, MEASURE, name, ...modules]);
  results[`${name} ${version}`] = JSON.parse(output.split("\n").at(-1));
}

const entries = await Promise.all(
  readdirSync(`${root}tests/bench/entries`).sort().map((file) => import(`./entries/${file}`)),
);
const intro = "# Results of `npm run bench`\n\nLess is better. In brackets: the ratio to the first row.\n\n";
const markdown = intro + markdownOf(entries, results);
writeFileSync(`${root}tests/bench/results.md`, markdown);
writeFileSync(`${root}tests/bench/results.svg`, svgOf(entries, results));
process.stdout.write(markdown);
