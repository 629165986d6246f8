// The packed modules in the hands of people's bundlers, and of `require()`.
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { resolve } from "node:path";
import process from "node:process";
import { Folder, pack } from "../support/packed.ts";

/** What is bundled, with nothing from the environment: the file is found as bundlers find it without a plugin. */
const ENTRY = `
  import { fromEnv } from "./node_modules/@rolecreds/aws/dist/mod.js";
  const env = (name) => ({ AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" })[name];
  const { accessKeyId } = await fromEnv({ runtime: { env } })();
  console.log(accessKeyId);
`;

/** Finds the bundlers where they are installed. */
const INSTALLED = JSON.stringify(resolve("tests/packages/package.json"));
const PRELUDE = `
  import { createRequire } from "node:module";
  const require = createRequire(${INSTALLED});
`;

function esbuild(platform: string): string {
  return `
    const { build } = require("esbuild");
    const { warnings } = await build({
      entryPoints: ["entry.js"], outfile: "bundle.js", bundle: true, format: "esm", platform: "${platform}", logLevel: "silent",
    });
    for (const warning of warnings) console.log(warning.text);
  `;
}

function webpack(target: string): string {
  return `
    const webpack = require("webpack");
    const output = { path: process.cwd(), filename: "bundle.js", module: true, library: { type: "module" } };
    const options = { mode: "production", target: "${target}", entry: "./entry.js", experiments: { outputModule: true }, output };
    const stats = await new Promise((resolve, reject) =>
      webpack(options, (error, stats) => error ? reject(error) : resolve(stats)));
    for (const { message } of [...stats.compilation.errors, ...stats.compilation.warnings]) console.log(message);
  `;
}

const ROLLUP = `
  const { rollup } = require("rollup");
  const bundle = await rollup({ input: "entry.js", onwarn: ({ message }) => console.log(message) });
  await bundle.write({ file: "bundle.js" });
`;

/** Programs that bundle `entry.js` into `bundle.js` and print all warnings. */
const BUNDLERS = {
  "esbuild for browsers": esbuild("browser"),
  "esbuild for Node": esbuild("node"),
  "esbuild for no platform": esbuild("neutral"),
  "rollup": ROLLUP,
  "webpack for the web": webpack("web"),
  "webpack for Node": webpack("node"),
};

describe("the modules of the npm package", () => {
  const [sources, project] = [new Folder(), new Folder()];

  beforeAll(async () => {
    await project.install(await pack(sources.path));
    project.write("entry.js", ENTRY);
  });

  afterAll(() => {
    for (const folder of [sources, project]) folder.remove();
  });

  for (const [name, program] of Object.entries(BUNDLERS)) {
    it(`are bundled by ${name} without a warning and without what is not used`, async () => {
      assertEquals(await project.run(process.execPath, [], PRELUDE + program), "");
      assert(!project.read("bundle.js").includes("/latest/meta-data/"));
      assertEquals(await project.execute(process.execPath, ["bundle.js"]), "AKIAEXAMPLE\n");
    });
  }

  it("are loaded by require()", async () => {
    const code =
      `console.log(typeof require("@rolecreds/aws").fromEnv, typeof require("@rolecreds/aws/testing").ImdsEmulator)`;
    assertEquals(await project.execute(process.execPath, ["--no-warnings", "--eval", code]), "function function\n");
  });
});
