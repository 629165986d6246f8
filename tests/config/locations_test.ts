import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileLocations, selectedProfile, type SharedConfigOptions } from "../../lib/config/locations.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly env?: Record<string, string>;
  readonly options?: SharedConfigOptions;
  readonly platform?: "posix" | "windows";
  readonly systemHome?: string;
  readonly config: string | null;
  readonly credentials: string | null;
}

describe("fileLocations()", () => {
  for (const { name, env = {}, options = {}, platform = "posix", systemHome, config, credentials } of rows()) {
    it(name, () => {
      const runtime = { env: (variable: string) => env[variable], platform, homeDirectory: () => systemHome };
      const found = fileLocations(options, runtime);
      assertEquals([found.config?.path ?? null, found.credentials?.path ?? null], [config, credentials]);
    });
  }
});

function rows(): readonly Row[] {
  return readTable<Row>("file_locations");
}

describe("selectedProfile()", () => {
  const cases: readonly [string | undefined, Record<string, string>, string, boolean][] = [
    [undefined, {}, "default", false],
    [undefined, { AWS_DEFAULT_PROFILE: "b" }, "b", true],
    [undefined, { AWS_PROFILE: "a", AWS_DEFAULT_PROFILE: "b" }, "a", true],
    [undefined, { AWS_PROFILE: " ", AWS_DEFAULT_PROFILE: "b" }, "b", true],
    [undefined, { AWS_PROFILE: " in ner " }, "in ner", true],
    ["given", { AWS_PROFILE: "a" }, "given", true],
    ["default", {}, "default", true],
  ];
  for (const [profile, env, name, isNamed] of cases) {
    it(`is ${name}, with ${JSON.stringify({ profile, ...env })}`, () => {
      const options = profile === undefined ? {} : { profile };
      assertEquals(selectedProfile(options, { env: (variable) => env[variable] }), { name, isNamed });
    });
  }
});
