// Changes the modules that stryker.json names in small ways, runs the tests that reach each change, and prints the score
// and the changes that no test noticed. Fails when the score is under the limit in stryker.json. Without arguments it also
// writes results.md; `npm run mutation -- FILE...` tries those modules only.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";

const FOLDER = "tests/mutation";
const REPORT = ".build/mutation/report.json";

const files = process.argv.slice(2);
const startedAt = Date.now();
process.exitCode = runStryker(files);
const minutes = Math.round((Date.now() - startedAt) / 60_000);
const mutants = readReport();
const tables = `${scores(mutants)}\n\n${survivors(mutants)}\n`;
process.stdout.write(`\n${tables}`);
if (files.length === 0) {
  const written = `Written by \`npm run mutation\` on ${
    new Date().toISOString().slice(0, 10)
  }, after ${minutes} minutes.`;
  writeFileSync(`${FOLDER}/results.md`, `# Results of mutation testing\n\n${written}\n\n${tables}`);
}

/** Stryker and its tests run on the `node` that comes first in PATH, which has to be 22 or newer. */
function runStryker(files) {
  const isOld = Number.parseInt(process.versions.node) < 22;
  const path = isOld ? `${process.cwd()}/${FOLDER}/node_modules/node-22/bin:${process.env.PATH}` : process.env.PATH;
  const mutate = files.length === 0 ? [] : ["--mutate", files.join(",")];
  rmSync(REPORT, { force: true });
  const { status } = spawnSync(
    "node",
    [`${FOLDER}/node_modules/@stryker-mutator/core/bin/stryker.js`, "run", `${FOLDER}/stryker.json`, ...mutate],
    { env: { ...process.env, PATH: path }, stdio: ["ignore", "inherit", "inherit"] },
  );
  return status ?? 1;
}

/** The changes that were tried; those of string literals are not. */
function readReport() {
  const { files } = JSON.parse(readFileSync(REPORT, "utf8"));
  return Object.entries(files).sort(([one], [other]) => one < other ? -1 : 1).flatMap(([file, { source, mutants }]) =>
    mutants.filter(({ status }) => status !== "Ignored").map(({ status, location, replacement }) => ({
      file,
      status,
      line: location.start.line,
      code: oneLine(textAt(source, location)),
      becomes: oneLine(replacement),
    }))
  );
}

function textAt(source, { start, end }) {
  const lines = source.split("\n");
  const offset = ({ line, column }) => lines.slice(0, line - 1).join("\n").length + column - (line === 1 ? 1 : 0);
  return source.slice(offset(start), offset(end));
}

function oneLine(code) {
  return code.replaceAll(/\s+/g, " ");
}

function scores(mutants) {
  const files = [...new Set(mutants.map(({ file }) => file))];
  const rows = files.map((file) => [file, mutants.filter((mutant) => mutant.file === file)]);
  return [
    "| Module | Score | Killed | Timed out | Survived | Not reached |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...[...rows, ["All", mutants]].map(([name, mutants]) => `| ${[name, ...figures(mutants)].join(" | ")} |`),
  ].join("\n");
}

function figures(mutants) {
  const counts = ["Killed", "Timeout", "Survived", "NoCoverage"]
    .map((wanted) => mutants.filter(({ status }) => status === wanted).length);
  const [killed, timedOut, survived, notReached] = counts;
  const percent = 100 * (killed + timedOut) / (killed + timedOut + survived + notReached);
  return [Number.isNaN(percent) ? "" : `${percent.toFixed(1)} %`, ...counts];
}

/** What survived, each with the reason that survivors.json gives. */
function survivors(mutants) {
  const reasons = JSON.parse(readFileSync(`${FOLDER}/survivors.json`, "utf8"));
  const lines = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage").map((mutant) => {
    const row = reasons.find((row) => ["file", "code", "becomes"].every((key) => row[key] === mutant[key]));
    const { file, line, code, becomes } = mutant;
    return `- ${file}:${line} \`${code}\` as \`${becomes}\`: ${row?.why ?? "NOT EXPLAINED"}`;
  });
  return ["Changes that no test noticed:", "", ...lines].join("\n");
}
