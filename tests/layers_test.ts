import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

/** The layers, lowest first. A file imports from its own layer and those before it. The first pattern that matches decides. */
const LAYERS: readonly (readonly RegExp[])[] = [
  [/^lib\/(credentials|errors|runtime|version)\.ts$/],
  [/^lib\/(endpoint|hex|json_object|log_once|non_blank|percent_encoding|printable|redaction|role_document|sigv4|timestamp|until_aborted|validate)\.ts$/],
  [/^lib\/runtime\//],
  [/^lib\/(config|http|cache|session)\//, /^lib\/sign_request\.ts$/],
  [/^lib\/(imds|process|container|sts|sso|login)\//, /^lib\/environment\.ts$/],
  [/^lib\/profile\//, /^lib\/chain\.ts$/],
  [/^lib\/default_provider\.ts$/],
  [/^lib\/temporary_credentials\.ts$/],
  [/^lib\/doctor\//],
  [/^lib\/testing\//],
  [/^lib\/cli\//, /^mod\.ts$/],
];

/** What only `lib/runtime/` may touch: the network, the clock, timers, random numbers, the console, globals of a runtime. */
const EFFECTS_REGEXP =
  /\b(Date\.now|new Date\(\)|Math\.random|crypto\.randomUUID|crypto\.getRandomValues|setTimeout|setInterval|AbortSignal\.timeout|console\.|globalThis|(?<![."\w/:])(process|Deno|Bun)\.|(?<![.\w#]|function )fetch\()/;

/** The one file above `lib/runtime/` may import from there: it finds the adapter. */
const DETECT_REGEXP = /^lib\/runtime\/(spawn\/)?detect\.ts$/;

const files = ["mod.ts", ...readdirSync("lib", { recursive: true }).map((path) => `lib/${path}`.replaceAll("\\", "/"))]
  .filter((path) => path.endsWith(".ts"));
const tests = readdirSync("tests", { recursive: true }).map((path) => `tests/${path}`.replaceAll("\\", "/"))
  .filter((path) => path.endsWith("_test.ts") || /^tests\/support\/.*\.ts$/.test(path));
const texts = new Map([...files, ...tests].map((path) => [path, readFileSync(path, "utf8")]));

function layerOf(path: string): number {
  return LAYERS.findIndex((patterns) => patterns.some((pattern) => pattern.test(path)));
}

function code(path: string): string {
  return (texts.get(path) ?? "").replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "");
}

function importsOf(path: string): readonly string[] {
  return [...code(path).matchAll(/from "(\.[^"]+)"/g)]
    .map(([, specifier]) => posix.join(posix.dirname(path), specifier ?? ""));
}

/** The first circle of imports that starts at `path`, as a path that ends where it began. */
function circleFrom(path: string): readonly string[] {
  const walked = new Set<string>();
  const walk = (file: string, trail: readonly string[]): readonly string[] => {
    if (file === path && trail.length > 0) return [...trail, file];
    if (walked.has(file)) return [];
    walked.add(file);
    return importsOf(file).map((next) => walk(next, [...trail, file])).find((circle) => circle.length > 0) ?? [];
  };
  return walk(path, []);
}

/** The exports of a file that no other file and no test uses. */
function unusedExports(path: string): readonly string[] {
  const names = [...code(path).matchAll(/^export (?:async )?(?:function|const|class|interface|type) (\w+)/gm)]
    .map(([, name]) => name ?? "");
  const others = [...files, ...tests].filter((file) => file !== path).map(code);
  return names.filter((name) => !others.some((other) => new RegExp(`\\b${name}\\b`).test(other)));
}

describe("layers", () => {
  for (const path of files) {
    it(`${path} has a layer and imports nothing from above it`, () => {
      const upward = importsOf(path).filter((imported) => layerOf(imported) > layerOf(path));
      assertEquals({ layered: layerOf(path) >= 0, upward }, { layered: true, upward: [] });
    });

    it(`${path} is in no circle of imports`, () => {
      assertEquals(circleFrom(path), []);
    });

    it(`${path} keeps effects in the runtime adapters`, () => {
      const effect = path.startsWith("lib/runtime/") ? null : EFFECTS_REGEXP.exec(code(path));
      assertEquals(effect?.[0], undefined);
    });

    it(`${path} exports nothing that only it uses`, () => {
      assertEquals(unusedExports(path), []);
    });
  }

  it("providers reach the runtime adapters through detect.ts only", () => {
    const reaching = files
      .filter((path) => !/^lib\/(runtime|doctor|testing|cli)\//.test(path))
      .filter((path) =>
        importsOf(path).some((imported) => imported.startsWith("lib/runtime/") && !DETECT_REGEXP.test(imported))
      );
    assertEquals(reaching, []);
  });

  it("no file imports a package", () => {
    const packages = files.filter((path) => /from "(?!\.)/.test(code(path)));
    assertEquals(packages, []);
  });
});
