// A hundred credential processes at once that do not end by themselves. `npm run test:faults` runs it on each runtime.
import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { CredentialsProviderError, fromProcess } from "../../mod.ts";
import {
  childProcesses,
  describeOnPosix,
  isRunning,
  openFiles,
  runningWith,
  Scratch,
  until,
} from "../support/processes.ts";

const COUNT = 100;
const TIME_LIMIT_MS = 2_000;

/** Programs that wait for ever, and how many processes each notes. */
const ENDLESS: Readonly<Record<string, readonly [body: string, processes: number]>> = {
  "hang": ["while :; do sleep 3600; done", 1],
  "fork": ["sleep 3600 & pid $!; (sleep 3600 & pid $!; wait) & pid $!; wait", 4],
  "ignore": ["trap '' TERM HUP INT; sleep 3600 & pid $!; while :; do wait; done", 2],
  "flood stderr": ["while :; do echo flood >&2; done", 1],
  "flood stderr and ignore": [
    "trap '' TERM PIPE; (while :; do echo flood >&2; done) & pid $!; while :; do wait; done",
    2,
  ],
};
/** Programs that print more than is read. */
const FLOODS: Readonly<Record<string, string>> = {
  "flood stdout": "while :; do echo flood; done",
  "flood stdout, fork and ignore":
    "trap '' TERM PIPE; (while :; do echo flood; done 2>/dev/null) & pid $!; while :; do wait; done",
};

/** What a program and the processes it started have in their environment. */
const MARK = "ROLECREDS_TEST_SCRATCH";

/** Runs a program as a credential process, and gives the error. */
async function run(
  scratch: Scratch,
  program: string,
  { timeout = Infinity, signal }: { readonly timeout?: number; readonly signal?: AbortSignal } = {},
): Promise<unknown> {
  const provider = fromProcess({
    command: [program],
    timeout,
    maxBufferSize: 1_000,
    stdin: "ignore",
    stderr: "pipe",
    env: { [MARK]: scratch.folder },
    logger: null,
    signal,
  });
  return await provider().then(() => "credentials", (error) => error);
}

/** What is left of the processes, and what this program has more than before. */
async function leftovers(scratch: Scratch, before: { children: number; files: number }): Promise<object> {
  const seen = () => ({
    survivors: runningWith(`${MARK}=${scratch.folder}`),
    children: childProcesses().length - before.children,
    files: Math.max(openFiles() - before.files, 0),
  });
  const none = JSON.stringify({ survivors: [], children: 0, files: 0 });
  await until(() => JSON.stringify(seen()) === none);
  return { noted: await scratch.survivors(), ...seen() };
}

/** Runs one process first: what the runtime opens once is no leak. */
async function before(): Promise<{ children: number; files: number }> {
  const first = fromProcess({ command: ["/bin/sh", "-c", "exit 1"], stdin: "ignore", stderr: "pipe", logger: null });
  const children = childProcesses().length;
  await first().catch(() => {});
  await until(() => childProcesses().length === children);
  return { children, files: openFiles() };
}

const NOTHING = { noted: [], survivors: [], children: 0, files: 0 };

describeOnPosix(`${COUNT} credential processes at once`, () => {
  it("leave no process and no descriptor, when they are aborted", async () => {
    using scratch = new Scratch();
    const atFirst = await before();
    const kinds = Object.values(ENDLESS);
    const programs = kinds.map(([body], index) => scratch.script(`program ${index}`, body));
    const controller = new AbortController();
    const runs = Array.from({ length: COUNT }, (_, i) => run(scratch, programs[i % kinds.length]!, controller));
    const noted = kinds.reduce((sum, [, processes]) => sum + processes, 0) * COUNT / kinds.length;
    assertEquals((await scratch.started(noted)).length, noted);
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals((await Promise.all(runs)).filter((error) => error !== reason), []);
    assertEquals(await leftovers(scratch, atFirst), NOTHING);
  });

  it("leave no process and no descriptor, when they take too long or print too much", async () => {
    using scratch = new Scratch();
    const atFirst = await before();
    const kinds = [...Object.values(ENDLESS).map(([body]) => body), ...Object.values(FLOODS)].map((body, index) => {
      const program = scratch.script(`program ${index}`, body);
      return index < Object.keys(ENDLESS).length
        ? { program, timeout: TIME_LIMIT_MS, state: `no result after ${TIME_LIMIT_MS} ms` }
        : { program, timeout: Infinity, state: "it printed more than 1000 bytes" };
    });
    const all = Array.from({ length: COUNT }, (_, index) => kinds[index % kinds.length]!);
    const errors = await Promise.all(all.map(({ program, timeout }) => run(scratch, program, { timeout })));
    for (const [index, error] of errors.entries()) {
      assert(error instanceof CredentialsProviderError, String(error));
      assertEquals(error.code, "ProcessProviderExecutionError");
      assert(error.message.endsWith(all[index]!.state), error.message);
    }
    assertEquals(await leftovers(scratch, atFirst), NOTHING);
  });

  it("leave no process and no descriptor, when they end with an error", async () => {
    using scratch = new Scratch();
    const atFirst = await before();
    const program = scratch.script("program", "echo output; echo diagnostics >&2; exit 3");
    const errors = await Promise.all(Array.from({ length: COUNT }, () => run(scratch, program)));
    assertEquals(errors.map((error) => (error as CredentialsProviderError).exitCode), Array(COUNT).fill(3));
    assertEquals(await leftovers(scratch, atFirst), NOTHING);
  });

  it("leave no descriptor, when a background process keeps their pipes open", async () => {
    using scratch = new Scratch();
    const atFirst = await before();
    const program = scratch.script("program", "sleep 3600 & pid $!; exit 3");
    const errors = await Promise.all(Array.from({ length: COUNT }, () => run(scratch, program)));
    assertEquals(errors.map((error) => (error as CredentialsProviderError).exitCode), Array(COUNT).fill(3));
    await until(() => childProcesses().length === atFirst.children && openFiles() <= atFirst.files);
    assertEquals([childProcesses().length, Math.max(openFiles(), atFirst.files)], [atFirst.children, atFirst.files]);
    assertEquals(scratch.pids.filter(isRunning).length, COUNT); // they were started on purpose
  });
});
