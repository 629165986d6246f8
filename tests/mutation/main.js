// Changes the modules of each subject in small ways, runs the subject's tests against each change, and prints the score and
// the changes that no test noticed. Fails when the score is under 97 %. Without arguments it also writes results.md;
// `npm run mutation -- cache sts` tries these subjects only.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";

const FOLDER = "tests/mutation";
const BUILD = ".build/mutation";
const LEAST_SCORE = 97;

const subjects = readJson(`${FOLDER}/subjects.json`);
const chosen = process.argv.slice(2);
const startedAt = Date.now();
mkdirSync(BUILD, { recursive: true });
const mutants = (chosen.length > 0 ? chosen : Object.keys(subjects)).flatMap((name) => run(name, subjects[name]));
const minutes = Math.round((Date.now() - startedAt) / 60_000);
const tables = `${scores(mutants)}\n\n${survivors(mutants)}\n`;
process.stdout.write(tables);
if (chosen.length === 0) {
  const date = new Date().toISOString().slice(0, 10);
  const written = `Written by \`npm run mutation\` on ${date}; it took ${minutes} minutes.`;
  writeFileSync(`${FOLDER}/results.md`, `# Results of mutation testing\n\n${written}\n\n${tables}`);
}
if (score(mutants) < LEAST_SCORE) process.exitCode = 1;

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** The changes of a subject's modules, without those of string literals: the words of messages are free to change. */
function run(name, { mutate, tests }) {
  process.stderr.write(`# ${name}\n`);
  const [config, report] = [`${BUILD}/${name}.config.json`, `${BUILD}/${name}.json`];
  const base = readJson(`${FOLDER}/stryker.json`);
  writeFileSync(
    config,
    JSON.stringify({
      ...base,
      mutate: mutate.map((path) => `lib/${path}.ts`),
      tap: { ...base.tap, testFiles: tests.map((path) => `.build/tests/${path}_test.js`) },
      buildCommand: `esbuild ${tests.map((path) => `tests/${path}_test.ts`).join(" ")} --outbase=. --outdir=.build ` +
        "--bundle --packages=external --platform=node --format=esm --log-level=warning",
      tempDirName: `${BUILD}/${name}`,
      jsonReporter: { fileName: report },
    }),
  );
  rmSync(report, { force: true });
  runStryker(config);
  return Object.entries(readJson(report).files).flatMap(([file, { source, mutants }]) =>
    mutants.filter(({ status }) => status !== "Ignored").map(({ status, location, replacement }) => ({
      file,
      status,
      line: location.start.line,
      code: oneLine(textAt(source, location)),
      becomes: oneLine(replacement),
    }))
  );
}

/** Stryker and the tests run on the `node` that comes first in PATH, which has to be 22 or newer. */
function runStryker(config) {
  const isOld = Number.parseInt(process.versions.node) < 22;
  const path = isOld ? `${process.cwd()}/${FOLDER}/node_modules/node-22/bin:${process.env.PATH}` : process.env.PATH;
  const stryker = `${FOLDER}/node_modules/@stryker-mutator/core/bin/stryker.js`;
  const { status } = spawnSync("node", [stryker, "run", config, "--logLevel", "error"], {
    env: { ...process.env, PATH: path },
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) throw new Error(`Stryker failed with ${status}`);
}

function textAt(source, { start, end }) {
  const lines = source.split("\n");
  const offset = ({ line, column }) =>
    lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, column - 1);
  return source.slice(offset(start), offset(end));
}

function oneLine(code) {
  return code.replaceAll(/\s+/g, " ");
}

function count(mutants, ...statuses) {
  return mutants.filter(({ status }) => statuses.includes(status)).length;
}

function score(mutants) {
  const killed = count(mutants, "Killed", "Timeout");
  return 100 * killed / (killed + count(mutants, "Survived", "NoCoverage"));
}

function scores(mutants) {
  const files = [...new Set(mutants.map(({ file }) => file))].sort();
  const row = (name, group) => {
    const counts = ["Killed", "Timeout", "Survived", "NoCoverage"].map((status) => count(group, status));
    return `| ${[name, `${score(group).toFixed(1)} %`, ...counts].join(" | ")} |`;
  };
  return [
    "| Module | Score | Killed | Timed out | Survived | Not reached |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...files.map((file) => row(file, mutants.filter((mutant) => mutant.file === file))),
    row("All", mutants),
  ].join("\n");
}

/** What survived, each with the reason that survivors.json gives. */
function survivors(mutants) {
  const reasons = readJson(`${FOLDER}/survivors.json`);
  const lines = mutants.filter((mutant) => count([mutant], "Survived", "NoCoverage") > 0).map((mutant) => {
    const row = reasons.find((row) => ["file", "code", "becomes"].every((key) => row[key] === mutant[key]));
    const { file, line, code, becomes } = mutant;
    return `- ${file}:${line} ${quoted(code)} as ${quoted(becomes)}: ${row?.why ?? "NOT EXPLAINED"}`;
  });
  return ["Changes that no test noticed:", "", ...lines].join("\n");
}

function quoted(code) {
  return code.includes("`") ? `\`\` ${code} \`\`` : `\`${code}\``;
}
