// Writes tests/EVIDENCE.md from what the commands print. `node tests/evidence.js` runs them all; a quarter of an hour.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const ROOT = `${import.meta.dirname}/..`;
const BIN = `${ROOT}/node_modules/.bin`;

/** Each command, what it proves, and the lines of its output that are the figures. */
const COMMANDS = [
  [
    "npm run test:interop",
    "Signatures of people's clients hold; AWS SDK v3 and botocore take credentials from the emulators",
  ],
  [
    "npm run test:nextjs",
    "A Next.js server stores no credentials on disk and serves none again, whatever `fetchCache` says",
  ],
  [
    "npm run test:faults",
    "On each runtime: every fault at every step, cold and in every refresh state, with exact requests and times; " +
    "responses cut at each byte, or that break HTTP, over sockets; a hundred processes at once that do not end; " +
    "on Node a week of outages and clock jumps per source",
  ],
  [
    "npm run soak -- --minutes 10",
    "In real time over sockets, with services that are unavailable half of the time: no call fails, and nothing is left",
  ],
  ["npm run fuzz -- --minutes 0.5", "No exception but our own, no secret in it, whatever comes in"],
];
const FIGURES_REGEXP =
  /^(# (?:pass|fail|skipped) \d+| *\d+ (?:pass|fail)|ok \| .*|FAILED \| .*|\d+ inputs, .*|# (?:Node|Bun|Deno)|# soak .*)$/;
const COLOR_REGEXP = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const HEAP_REGEXP = /"errors":(\d+).*"requests":(\d+).*"heapGrowth":(-?\d+)/;

function run(command) {
  const start = Date.now();
  const { status, stdout } = spawnSync(`${command} 2>&1`, {
    cwd: ROOT,
    shell: true,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = stdout.replaceAll(COLOR_REGEXP, "").split("\n");
  const figures = lines.filter((line) => FIGURES_REGEXP.test(line)).map(figure);
  const weeks = lines.map((line) => HEAP_REGEXP.exec(line)).filter(Boolean);
  if (weeks.length > 0) figures.push(weekFigures(weeks));
  return { status, seconds: Math.round((Date.now() - start) / 1_000), figures };
}

/** `# Node` begins the figures of a runtime. */
function figure(line) {
  return line.trim().replace(/^# (Node|Bun|Deno)$/, "$1:").replace(/^# /, "").replaceAll(" | ", " ");
}

function weekFigures(weeks) {
  const most = (index) => Math.max(...weeks.map((week) => Number(week[index])));
  return `${weeks.length} weeks: at most ${most(1)} errors, ${most(2)} requests, ${most(3) / 1_000} kB more heap`;
}

function version(program) {
  return execFileSync(program, ["--version"], { encoding: "utf8" }).split("\n")[0].replace(/^(deno|v)\s*/, "");
}

const { dependencies } = JSON.parse(readFileSync(`${ROOT}/tests/interop/package.json`, "utf8"));
const clients = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`).join(", ");
const rows = COMMANDS.map(([command, claim]) => {
  const { status, seconds, figures } = run(command);
  if (status !== 0) process.exitCode = 1;
  return `| \`${command}\` | ${claim} | ${status === 0 ? "passed" : "FAILED"} | ${
    figures.join(", ").replaceAll(":,", ":")
  } | ${seconds} s |`;
});
writeFileSync(
  `${ROOT}/tests/EVIDENCE.md`,
  `# Evidence

Written by \`node tests/evidence.js\` on ${
    new Date().toISOString().slice(0, 10)
  }, on ${process.platform} ${process.arch}.

- Runtimes: Node ${version(process.execPath)}, Bun ${version(`${BIN}/bun`)}, Deno ${version(`${BIN}/deno`)}
- Clients: ${clients}, botocore (see \`tests/interop/support/botocore.js\`)
- Mutation testing (\`npm run mutation\`, half an hour): [mutation/results.md](mutation/results.md)

| Command | What it proves | Result | Figures | Time |
| ------- | -------------- | ------ | ------- | ---- |
${rows.join("\n")}
`,
);
execFileSync(`${BIN}/deno`, ["fmt", "--quiet", `${ROOT}/tests/EVIDENCE.md`], { stdio: "inherit" });
