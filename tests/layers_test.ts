import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

/** A file imports from its own layer and the ones before. The first pattern that fits decides. */
const LAYERS: readonly (readonly RegExp[])[] = [
  [/^lib\/(credentials|errors|runtime|version)\.ts$/],
  [/^lib\/(parse|policy|settings|runtime)\//, /^lib\/(abortable|redaction|events|usable)\.ts$/],
  [/^lib\/(imds|process|environment|profile)\//, /^lib\/(cache|cached_provider|chain)\.ts$/],
  [/^lib\/testing\//],
  [/^lib\/[a-z_]+\.ts$/, /^mod\.ts$/],
];

const EFFECTS_REGEXP =
  /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|AbortSignal\.timeout|console\.|globalThis|(?<![."\w/:])(process|Deno|Bun)\.)/;

const files = ["mod.ts", ...readdirSync("lib", { recursive: true }).map((path) => `lib/${path}`.replaceAll("\\", "/"))]
  .filter((path) => path.endsWith(".ts"));

function layerOf(path: string): number {
  return LAYERS.findIndex((patterns) => patterns.some((pattern) => pattern.test(path)));
}

function code(path: string): string {
  return readFileSync(path, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}

describe("layers", () => {
  for (const path of files) {
    it(`${path} has a layer and imports nothing from above it`, () => {
      const upward = [...code(path).matchAll(/from "(\.[^"]+)"/g)]
        .map(([, specifier]) => posix.join(posix.dirname(path), specifier ?? ""))
        .filter((imported) => layerOf(imported) > layerOf(path));
      assertEquals({ layered: layerOf(path) >= 0, upward }, { layered: true, upward: [] });
    });

    it(`${path} keeps effects in the runtime adapters`, () => {
      const effect = path.startsWith("lib/runtime/") ? null : EFFECTS_REGEXP.exec(code(path));
      assertEquals(effect?.[0], undefined);
    });
  }

  it("no file imports a package", () => {
    const packages = files.filter((path) => /from "(?!\.)/.test(code(path)));
    assertEquals(packages, []);
  });
});
