import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readFileSync } from "node:fs";
import { VERSION } from "../lib/version.ts";

type Manifest = Readonly<Record<string, unknown>>;

const [deno, jsr, npm] = ["deno.json", "jsr.json", "package.json"].map(readManifest) as [Manifest, Manifest, Manifest];
const scripts = npm["scripts"] as Readonly<Record<string, string>>;

/** The entry points by name, each with its source file. */
const entries = Object.entries(deno["exports"] as Readonly<Record<string, string>>);
const sources = entries.map(([, source]) => source.replace("./", ""));

function readManifest(name: string): Manifest {
  return JSON.parse(readFileSync(name, "utf8"));
}

/** The TypeScript files that a command of package.json names. */
function filesIn(command: string | undefined): readonly string[] {
  return command?.match(/\S+\.ts\b/g) ?? [];
}

describe("deno.json, jsr.json and package.json", () => {
  for (const key of ["name", "version", "license"]) {
    it(`have the same ${key}`, () => assertEquals([deno[key], jsr[key]], [npm[key], npm[key]]));
  }

  it("publish the same files and entry points on JSR", () => {
    assertEquals([jsr["exports"], jsr["publish"]], [deno["exports"], deno["publish"]]);
  });

  it("have the same entry points, on npm as built modules with their types", () => {
    const built = entries.map(([name, source]) => {
      const path = source.replace("./", "./dist/").replace(/\.ts$/, "");
      return [name, { types: `${path}.d.ts`, default: `${path}.js` }];
    });
    assertEquals(npm["exports"], { ...Object.fromEntries(built), "./package.json": "./package.json" });
  });
});

describe("package.json", () => {
  it("names the main entry point for tools that do not read exports", () => {
    const { ".": main } = npm["exports"] as { readonly ".": Manifest };
    assertEquals([npm["main"], npm["types"]], [main["default"], main["types"]]);
  });

  it("runs the ./cli entry point as rolecreds", () => {
    const { "./cli": cli } = npm["exports"] as { readonly "./cli": Manifest };
    assertEquals(npm["bin"], { rolecreds: cli["default"] });
  });

  it("builds every entry point", () => {
    assertEquals(filesIn(scripts["build:modules"]), sources);
    assertEquals(readManifest("tsconfig.build.json")["files"], sources);
  });

  it("checks the documentation of every entry point", () => {
    const lint = scripts["check"]?.split(" && ").find((command) => command.startsWith("deno doc"));
    assertEquals(filesIn(lint), sources);
  });

  it("has no runtime dependency", () => {
    const kinds = ["dependencies", "peerDependencies", "optionalDependencies"];
    assertEquals(kinds.map((kind) => npm[kind]), [undefined, undefined, undefined]);
  });

  it("says where the source is, as npm's provenance demands", () => {
    const { url } = npm["repository"] as { readonly url: string };
    const page = url.replace(/^git\+/, "").replace(/\.git$/, "");
    assertEquals([npm["homepage"], npm["bugs"]], [`${page}#readme`, { url: `${page}/issues` }]);
  });
});

describe("VERSION", () => {
  it("is the published one", () => assertEquals(VERSION, npm["version"]));
});
