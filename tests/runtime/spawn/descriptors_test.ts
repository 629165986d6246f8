import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { detectSpawn } from "../../../lib/runtime/spawn/detect.ts";
import { describeOnPosix, moduleUrl, openFiles, runtimeCommand, Scratch, until } from "../../support/processes.ts";

const OPTIONS = { stdin: "ignore", stderr: "pipe", env: {}, timeoutMs: 60_000, maxOutputBytes: 99 } as const;

/**
 * Uses up the file descriptors of the program. Then runs a process with one of them free, with two, and so on, a few
 * times each.
 */
const HOST = `
import { closeSync, openSync } from "node:fs";
import { ProcessProvider } from ${JSON.stringify(moduleUrl("mod"))};
const command = ["/bin/echo", '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"canary"}'];
const run = () => new ProcessProvider({ command, stderr: "pipe" }).retrieve()
  .then(({ source }) => source, ({ code, message }) => code + " " + message);
await run();
const taken = [];
const take = () => {
  try {
    while (true) taken.push(openSync("/dev/null"));
  } catch { /* none is left */ }
};
take();
const all = taken.length;
for (let free = 1; free <= 12; free++) {
  for (let count = 0; count < free; count++) closeSync(taken.pop());
  for (let time = 0; time < 5; time++) console.log(free, await run());
  for (let polls = 0; taken.length < all && polls < 100; polls++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    take();
  }
}
console.log(all - taken.length < 4 ? "none leaked" : "leaked"); // Deno opens two for itself
`;

describeOnPosix("Spawn in a program without file descriptors", () => {
  it("says so without the arguments, leaks none, and works as soon as there are enough", () => {
    using scratch = new Scratch();
    const host = runtimeCommand(scratch.file("host.mjs", HOST));
    const limited = ["-c", 'ulimit -n 128; exec "$@"', "sh", ...host];
    const { status, stdout, stderr } = spawnSync("/bin/sh", limited, { encoding: "utf8" });
    assertEquals([status, stderr], [0, ""]);
    const lines = stdout.trim().split("\n");
    const refused = "ProcessProviderExecutionError Cannot run the credential process: " +
      "this program has too many open files (EMFILE)";
    assertEquals([lines.at(0), lines.at(-2), lines.at(-1)], [`1 ${refused}`, "12 ProcessProvider", "none leaked"]);
    const results = new Set(lines.map((line) => line.replace(/^\d+ /, "")));
    assertEquals([...results].sort(), ["ProcessProvider", refused, "none leaked"]);
  });
});

(process.platform === "linux" ? describe : describe.skip)("Spawn with a hundred processes at once", () => {
  const run = (command: readonly string[], timeoutMs = 60_000) => detectSpawn()(command, { ...OPTIONS, timeoutMs });

  it("leaves no process and no file descriptor behind", async () => {
    using scratch = new Scratch();
    const programs = [
      scratch.script("exits", "echo done"),
      scratch.script("fails", "echo failed >&2; exit 1"),
      scratch.script("hangs", "sleep 3600 & pid $!; wait"),
      scratch.script("floods", "while :; do echo more and more; done"),
      "/nonexistent/program",
    ];
    await run([programs[0] as string]);
    const before = openFiles();
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, index) => run([programs[index % 5] as string], index % 5 === 2 ? 1_000 : 60_000)),
    );
    const kinds = results.slice(0, 5).map(({ kind }) => kind);
    assertEquals(kinds, ["exited", "exited", "timedOut", "tooMuchOutput", "notStarted"]);
    assertEquals(results.every(({ kind }, index) => kind === kinds[index % 5]), true);
    assertEquals(await scratch.survivors(), []);
    await until(() => openFiles() <= before);
    assert(openFiles() <= before, `${openFiles()} descriptors are open, ${before} were`);
  });
});
