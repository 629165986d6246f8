import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { FileError } from "../../lib/runtime.ts";
import { detectRuntime } from "../../lib/runtime/detect.ts";
import { readTextFile } from "../../lib/runtime/file.ts";
import { describeOnPosix } from "../support/processes.ts";

const MEBIBYTE = 2 ** 20;

async function failure(read: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await assertRejects(read, Error) as FileError;
  assertEquals(error.cause, undefined);
  return { ...error };
}

describe("readTextFile()", () => {
  let folder: string;
  beforeEach(() => folder = mkdtempSync(join(tmpdir(), "rolecreds-")));
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (name: string) => detectRuntime().readTextFile(join(folder, name));
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);

  it("reads a file, without its byte order mark", async () => {
    write("config", "\u{feff}[default]\nregion = eu-west-1 # ä\n");
    assertEquals(await read("config"), "[default]\nregion = eu-west-1 # ä\n");
  });

  it("gives undefined where there is no such file", async () => {
    write("file", "");
    assertEquals(await read("none"), undefined);
    assertEquals(await read("none/deeper"), undefined);
    assertEquals(await read("file/deeper"), undefined);
  });

  it("gives an empty text for the null device", async () => {
    assertEquals(await detectRuntime().readTextFile("/dev/null"), "");
  });

  it("refuses a directory", async () => {
    mkdirSync(join(folder, "config"));
    assertEquals(await failure(() => read("config")), { code: "NotAFile" });
  });

  it("refuses a file of more than 16 MiB", async () => {
    write("large", "");
    truncateSync(join(folder, "large"), 16 * MEBIBYTE);
    assertEquals((await read("large"))?.length, 16 * MEBIBYTE);
    truncateSync(join(folder, "large"), 16 * MEBIBYTE + 1);
    assertEquals(await failure(() => read("large")), { code: "TooLarge" });
  });

  const texts = [
    ["in the first line", "ä = caf\xe9", 1],
    ["in a later line", "[default]\r\n\nregion = \xff\nname = é\n", 3],
    ["in the last line", "a\nb\nc\xe4", 3],
    ["where a line ends within a character", "a\nb\xc3\nc", 2],
    ["in UTF-16", "\xff\xfea\0\n\0", 1],
  ] as const;
  for (const [where, bytes, line] of texts) {
    it(`names the line that is not UTF-8: ${where}`, async () => {
      write("latin1", Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
      assertEquals(await failure(() => read("latin1")), { code: "NotUtf8", line });
    });
  }
});

describeOnPosix("readTextFile() on POSIX", () => {
  let folder: string;
  beforeEach(() => folder = mkdtempSync(join(tmpdir(), "rolecreds-")));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("refuses a pipe, and does not wait for one who writes to it", async () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    assertEquals(await failure(() => detectRuntime().readTextFile(join(folder, "pipe"))), { code: "NotAFile" });
  });

  it("refuses a device", async () => {
    assertEquals(await failure(() => detectRuntime().readTextFile("/dev/zero")), { code: "NotAFile" });
  });

  it("reads a linked file, and gives undefined for a link to nothing", async () => {
    writeFileSync(join(folder, "file"), "text");
    symlinkSync("file", join(folder, "link"));
    symlinkSync("none", join(folder, "broken"));
    assertEquals(await detectRuntime().readTextFile(join(folder, "link")), "text");
    assertEquals(await detectRuntime().readTextFile(join(folder, "broken")), undefined);
  });

  it("names the code of the system, and does not quote the path", async () => {
    symlinkSync("circle", join(folder, "circle"));
    const error = await assertRejects(() => detectRuntime().readTextFile(join(folder, "circle")), Error) as FileError;
    assertEquals([error.code, error.systemCode], ["Unreadable", "ELOOP"]);
    assert(!error.message.includes("circle"), error.message);
  });

  const itAsUser = process.getuid?.() === 0 ? it.skip : it;
  itAsUser("tells a file that may not be read from a missing one", async () => {
    writeFileSync(join(folder, "file"), "text");
    chmodSync(join(folder, "file"), 0);
    assertEquals(await failure(() => detectRuntime().readTextFile(join(folder, "file"))), { code: "NotPermitted" });
  });
});

describe("readTextFile() with the errors of a system", () => {
  const fails = (error: object) => () => Promise.reject(Object.assign(new Error("foreign text with canary"), error));
  const found = () => Promise.resolve({ isFile: true, size: 1 });
  const cases = [
    [{ code: "EACCES" }, { code: "NotPermitted" }],
    [{ code: "EPERM" }, { code: "NotPermitted" }],
    [{ code: "ERR_ACCESS_DENIED" }, { code: "NotPermitted" }],
    [{ code: "EMFILE" }, { code: "Unreadable", systemCode: "EMFILE" }],
    [{ code: "ENFILE" }, { code: "Unreadable", systemCode: "ENFILE" }],
    [{ code: "EIO" }, { code: "Unreadable", systemCode: "EIO" }],
    [{ code: "ERR_INVALID_ARG_VALUE" }, { code: "Unreadable", systemCode: "ERR_INVALID_ARG_VALUE" }],
    [{ code: "not a code: canary" }, { code: "Unreadable" }],
    [{}, { code: "Unreadable" }],
  ] as const;
  for (const [thrown, expected] of cases) {
    it(`rejects with ${JSON.stringify(expected)} for ${JSON.stringify(thrown)}`, async () => {
      const unreadable = { stat: found, readFile: fails(thrown) };
      assertEquals(await failure(() => readTextFile(unreadable, "/config")), expected);
      assertEquals(await failure(() => readTextFile({ ...unreadable, stat: fails(thrown) }, "/config")), expected);
      const { message } = await assertRejects(() => readTextFile(unreadable, "/config"), Error);
      assert(!message.includes("canary"), message);
    });
  }

  for (const thrown of [{ code: "ENOENT" }, { code: "ENOTDIR" }, { name: "NotCapable" }]) {
    it(`gives undefined for ${JSON.stringify(thrown)}, also where the file goes between two calls`, async () => {
      assertEquals(await readTextFile({ stat: fails(thrown), readFile: fails(thrown) }, "/config"), undefined);
      assertEquals(await readTextFile({ stat: found, readFile: fails(thrown) }, "/config"), undefined);
    });
  }
});
