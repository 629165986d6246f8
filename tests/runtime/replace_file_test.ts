import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { detectRuntime } from "../../lib/runtime/detect.ts";
import { replaceFile } from "../../lib/runtime/replace_file.ts";
import { moduleUrl, runProgram, RUNTIME } from "../support/run_program.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rolecreds-"));
  path = join(folder, "token.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes through the runtime that runs this test. */
async function write(path: string, text: string): Promise<void> {
  const { writeTextFile } = detectRuntime();
  assert(writeTextFile !== undefined);
  await writeTextFile(path, text);
}

describe("writeTextFile()", () => {
  it("makes a file that only this user may read", async () => {
    await write(path, "new ä");
    assertEquals([readFileSync(path, "utf8"), readdirSync(folder)], ["new ä", ["token.json"]]);
    if (process.platform !== "win32") assertEquals(statSync(path).mode & 0o777, 0o600);
  });

  it("replaces a file that everyone may read by one that only this user may read", async () => {
    writeFileSync(path, "a much longer old text", { mode: 0o644 });
    await write(path, "new");
    assertEquals([readFileSync(path, "utf8"), readdirSync(folder)], ["new", ["token.json"]]);
    if (process.platform !== "win32") assertEquals(statSync(path).mode & 0o777, 0o600);
  });

  it("says why it cannot, and leaves nothing behind", async () => {
    mkdirSync(path);
    assertEquals((await assertRejects(() => write(path, "new"), Error)).message, "it is a directory (EISDIR)");
    assertEquals(readdirSync(folder), ["token.json"]);
    const nowhere = join(folder, "none", "token.json");
    assertEquals(
      (await assertRejects(() => write(nowhere, "new"), Error)).message,
      "there is no such directory (ENOENT)",
    );
  });

  it("is absent where readTextFile is replaced alone", () => {
    const readTextFile = () => Promise.resolve("elsewhere");
    assertEquals(detectRuntime({ readTextFile }).writeTextFile, undefined);
    const writeTextFile = () => Promise.resolve();
    assertEquals(detectRuntime({ readTextFile, writeTextFile }).writeTextFile, writeTextFile);
  });

  const mount = "mount -t tmpfs -o size=16k none";
  const canMount = spawnSync("unshare", ["-rm", "sh", "-c", `${mount} /mnt`]).status === 0;
  (canMount ? it : it.skip)(
    "keeps the old file when the disk is full (skipped where no file system can be mounted)",
    () => {
      const program = join(folder, "program.mjs");
      writeFileSync(
        program,
        `import { detectRuntime } from ${JSON.stringify(moduleUrl("lib/runtime/detect.ts"))};
       import { readFileSync, readdirSync, writeFileSync } from "node:fs";
       writeFileSync("/mnt/token.json", "old");
       const error = await detectRuntime().writeTextFile("/mnt/token.json", "n".repeat(50_000)).catch((error) => error);
       console.log(error.message, readFileSync("/mnt/token.json", "utf8"), readdirSync("/mnt").join());`,
      );
      const flags = {
        deno: "run --allow-all --no-check --quiet --node-modules-dir=none",
        bun: "--no-env-file",
        node: "",
      };
      const command = `${mount} /mnt && exec "$RUNTIME" ${flags[RUNTIME]} "$0"`;
      const { stdout, stderr } = spawnSync("unshare", ["-rm", "sh", "-c", command, program], {
        // Not as an argument: Deno rewrites those that start itself.
        env: { ...process.env, RUNTIME: process.execPath },
      });
      assertEquals(`${stdout}${stderr}`, "the disk is full (ENOSPC) old token.json\n");
    },
  );

  it("survives readers and writers in other processes: no reader sees a part", async () => {
    const texts = ["a", "b"].map((letter) => letter.repeat(100_000));
    writeFileSync(path, texts[0] ?? "");
    const code = (letter: string) =>
      `import { detectRuntime } from ${JSON.stringify(moduleUrl("lib/runtime/detect.ts"))};
       const { readTextFile, writeTextFile } = detectRuntime();
       for (let round = 0; round < 100; round++) {
         await writeTextFile(${JSON.stringify(path)}, "${letter}".repeat(100_000));
         const text = await readTextFile(${JSON.stringify(path)});
         if (!/^(a{100000}|b{100000})$/.test(text)) throw new Error("a part of " + text.length);
       }
       console.log("done");`;
    const results = await Promise.all([runProgram(code("a")), runProgram(code("b"))]);
    assertEquals(results.map(({ stdout, stderr }) => stdout + stderr), ["done\n", "done\n"]);
    assert(texts.includes(readFileSync(path, "utf8")));
    assertEquals(readdirSync(folder), ["token.json"]);
  });
});

describe("replaceFile()", () => {
  it("removes a half-written temporary file, and reports no text of the system", async () => {
    writeFileSync(path, "old");
    const full = {
      ...fs,
      async writeFile(file: string, text: string, options: object) {
        await fs.writeFile(file, text.slice(0, 2), options);
        throw Object.assign(new Error("canary"), { code: "ENOSPC" });
      },
    };
    const error = await assertRejects(() => replaceFile(full, path, "new text"), Error);
    assertEquals([error.message, error.cause], ["the disk is full (ENOSPC)", undefined]);
    assertEquals([readFileSync(path, "utf8"), readdirSync(folder)], ["old", ["token.json"]]);
  });

  for (const code of ["EACCES", "EBUSY", undefined, "a canary"]) {
    it(`names the error ${code}`, async () => {
      const broken = { ...fs, rename: () => Promise.reject(Object.assign(new Error("canary"), { code })) };
      const { message } = await assertRejects(() => replaceFile(broken, path, "new"), Error);
      const messages = { EACCES: "permission denied (EACCES)", EBUSY: "EBUSY" } as Record<string, string>;
      assertEquals(message, messages[code ?? ""] ?? "unknown error");
      assertEquals(readdirSync(folder), []);
    });
  }
});

((RUNTIME === "deno") ? describe : describe.skip)("writeTextFile() under Deno's permissions", () => {
  const code = () =>
    `import { detectRuntime } from ${JSON.stringify(moduleUrl("lib/runtime/detect.ts"))};
     await detectRuntime().writeTextFile(${JSON.stringify(path)}, "new").then(
       () => console.log("written"), (error) => console.log(error.message));`;
  const repository = new URL("../../", import.meta.url).pathname;

  it("needs permission to read and to write the folder", async () => {
    const denoFlags = [`--allow-read=${repository},${folder}`, `--allow-write=${folder}`];
    assertEquals(await runProgram(code(), { denoFlags }), { exitCode: 0, stdout: "written\n", stderr: "" });
    assertEquals(readFileSync(path, "utf8"), "new");
  });

  it("names the flag, and does not prompt", async () => {
    const denoFlags = [`--allow-read=${repository},${folder}`];
    const { stdout, stderr } = await runProgram(code(), { denoFlags });
    assertEquals([stdout, stderr], [`Deno needs --allow-write=${folder}\n`, ""]);
  });
});
