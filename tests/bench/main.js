// `npm run bench`: measures every file of entries/ on Deno, Bun and Node, prints the numbers side by side and keeps them
// in results.md and results.svg. A new comparison is a new file in entries/: see support/measure.js for what it exports.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { chartOf } from "./support/chart.js";
import { markdownOf } from "./support/report.js";

const root = new URL("../..", import.meta.url).pathname;
const MEASURE = `${root}tests/bench/support/measure.js`;
const SERVER = `${root}tests/bench/support/metadata_server.js`;
const BUILD = [`${root}dist/mod.js`, `${root}dist/lib/testing/mod.js`];

/** Deno loads the sources, as it does from JSR; Bun and Node load the build, which npm gets. */
const RUNTIMES = [
  {
    name: "Deno",
    command: "deno",
    leading: ["run", "--quiet", "--allow-all", "--no-check", "--v8-flags=--expose-gc"],
    modules: [`${root}mod.ts`, `${root}lib/testing/mod.ts`],
  },
  { name: "Bun", command: "bun", leading: ["--no-env-file"], modules: BUILD },
  { name: "Node", command: "node", leading: ["--expose-gc"], modules: BUILD },
];

const only = process.argv.slice(2);

function run(command, args) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

/** Starts the metadata server in a process of its own, so that its work is not measured; which the clients find by their variable. */
async function startServer() {
  const server = spawn("bun", ["--no-env-file", SERVER], { stdio: ["ignore", "pipe", "inherit"] });
  const [endpoint] = await once(server.stdout, "data");
  process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = `${endpoint}`.trim();
  return server;
}

const files = readdirSync(`${root}tests/bench/entries`).sort()
  .filter((file) => only.length === 0 || only.includes(file.replace(/\.js$/, "")));
const entries = await Promise.all(files.map((file) => import(`./entries/${file}`)));
const server = await startServer();
const results = Object.fromEntries(entries.map(({ title }) => [title, {}]));
try {
  for (const { name, command, leading, modules } of RUNTIMES) {
    const version = /\d+\.\d+\.\d+/.exec(run(command, ["--version"]))?.[0];
    process.stderr.write(`Measuring on ${name} ${version} …\n`);
    const output = run(command, [...leading, MEASURE, name, ...modules, ...files]);
    for (const [title, values] of Object.entries(JSON.parse(output.split("\n").at(-1)))) {
      results[title][`${name} ${version}`] = values;
    }
  }
  for (const { title, columns } of entries) Object.assign(results[title], await columns?.(BUILD[0]));
} finally {
  server.kill();
}

const markdown = markdownOf(entries, results);
process.stdout.write(markdown);
if (only.length === 0) {
  writeFileSync(`${root}tests/bench/results.md`, markdown);
  writeFileSync(`${root}tests/bench/results.svg`, chartOf(results));
}
