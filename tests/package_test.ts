import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { Folder, pack, type Packed } from "./support/packed.ts";
import { RUNTIME } from "./support/run_program.ts";
import { readTable } from "./support/tables.ts";

interface SizeRow {
  readonly name: string;
  /** The module that is bundled. */
  readonly code: string;
  /** The limit for the bundle, minified and compressed with gzip. */
  readonly maxBytes: number;
}

/** npm and esbuild make the same package on every runtime: once is enough. */
const describeOnce = (RUNTIME === "node" ? describe : describe.skip) as typeof describe;

/** What an earlier build, an editor or a test may leave in the tree. */
const LEFTOVERS = {
  "dist/lib/removed.js": "export {};",
  "dist/lib/removed.d.ts": "export {};",
  "lib/scratch.ts": "export const scratch = 1;",
  "debug.log": "",
};

const USE_ALL = `
  import { fromInstanceMetadata } from "@rolecreds/aws";
  import { ImdsEmulator } from "@rolecreds/aws/testing";
  import { main } from "@rolecreds/aws/cli";
  const { fetch } = new ImdsEmulator();
  const { source } = await fromInstanceMetadata({ runtime: { fetch } })();
  console.log(source, typeof main);
`;

const RUN: Readonly<Record<string, readonly [string, ...string[]]>> = {
  Deno: [resolve("node_modules/.bin/deno"), "run", "--quiet", "--allow-all"],
  Bun: [resolve("node_modules/.bin/bun"), "--no-env-file"],
  Node: [process.execPath, "--enable-source-maps"],
};

describeOnce("the npm package", () => {
  const [clean, dirty, project] = [new Folder(), new Folder(), new Folder()];
  let packed: Packed;
  let packedDirty: Packed;

  beforeAll(async () => {
    [packed, packedDirty] = await Promise.all([pack(clean.path), pack(dirty.path, LEFTOVERS)]);
    await project.install(packed);
  });

  afterAll(() => {
    for (const folder of [clean, dirty, project]) folder.remove();
  });

  it("is the same byte by byte from a clean tree and from one with leftovers", () => {
    assertEquals(packedDirty.integrity, packed.integrity);
  });

  it("has a source map with the sources for every module", () => {
    const modules = packed.files.map(({ path }) => path).filter((path) => path.endsWith(".js"));
    assert(modules.length >= 3);
    for (const path of modules) {
      const { sources, sourcesContent } = JSON.parse(project.read(`node_modules/@rolecreds/aws/${path}.map`));
      const texts = sources.map((source: string) => readFileSync(join(dirname(path), source), "utf8"));
      assertEquals(sourcesContent, texts, path);
    }
  });

  for (const [runtime, [program, ...flags]] of Object.entries(RUN)) {
    it(`has entry points that work together on ${runtime}`, async () => {
      assertEquals(await project.run(program, flags, USE_ALL), "EC2RoleProvider function\n");
    });
  }

  const COMMANDS: readonly (readonly [args: readonly string[], output: RegExp])[] = [
    [["get", "--emulate", "--format", "process"], /"Version": 1,\n\s+"AccessKeyId": "ASIAEMULATED/],
    [["get", "--emulate", "--format", "env"], /^export AWS_ACCESS_KEY_ID='ASIAEMULATED/m],
    [["exec", "--source", "process", "--", "true"], /^rolecreds: |^error /m],
    [["doctor", "--json"], /"check":"credentials","status":"failure"/],
    [["completion", "bash"], /complete .*rolecreds/],
    [["--version"], /^0\.1\.0\n$/],
  ];
  for (const [runtime, [program, ...flags]] of Object.entries(RUN)) {
    for (const [args, output] of COMMANDS) {
      it(`runs rolecreds ${args.join(" ")} on ${runtime}`, async () => {
        const main = resolve(project.path, "node_modules/@rolecreds/aws/dist/lib/cli/main.js");
        assertMatch(await project.execute(program, [...flags, main, ...args]), output);
      });
    }
  }

  it("has stack traces that name the line of the TypeScript source", async () => {
    const code = `import { parseTimestamp } from "@rolecreds/aws"; parseTimestamp("");`;
    const [program, ...flags] = RUN["Node"] as [string];
    const [, line] = /at .*lib\/timestamp\.ts:(\d+):\d+/.exec(await project.run(program, flags, code)) ?? [];
    assertMatch(readFileSync("lib/timestamp.ts", "utf8").split("\n")[Number(line) - 1] ?? "", /new SyntaxError/);
  });

  describe("bundled, minified and compressed", () => {
    for (const { name, code, maxBytes } of readTable<SizeRow>("package_sizes")) {
      it(`${name} has at most ${maxBytes} bytes`, async () => {
        const { length } = gzipSync(await project.bundle(code), { level: 9 });
        assert(length <= maxBytes, `${name} has ${length} bytes`);
      });
    }
  });

  it("leaves the metadata client out of a bundle that does not use it", async () => {
    const bundles = [];
    for (const names of ["{ fromEnv }", "*"]) {
      bundles.push(await project.bundle(`export ${names} from "@rolecreds/aws"`));
    }
    assertEquals(bundles.map((bundle) => bundle.includes("/latest/meta-data/")), [false, true]);
  });
});
