import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { readFileSync } from "node:fs";
import { VERSION } from "../lib/version.ts";

function manifest(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(name, "utf8"));
}

it("deno.json, jsr.json and package.json agree", () => {
  const [deno, jsr, npm] = [manifest("deno.json"), manifest("jsr.json"), manifest("package.json")];
  for (const key of ["name", "version", "license"]) assertEquals([deno[key], jsr[key]], [npm[key], npm[key]], key);
  assertEquals(deno["exports"], jsr["exports"]);
  assertEquals(deno["publish"], jsr["publish"]);
  const npmExports = Object.keys(npm["exports"] as object).filter((name) => name !== "./package.json");
  assertEquals(npmExports, Object.keys(deno["exports"] as object));
});

it("package.json has no runtime dependency", () => {
  assertEquals(manifest("package.json")["dependencies"], undefined);
});

it("VERSION is the published one", () => {
  assertEquals(VERSION, manifest("package.json")["version"]);
});
