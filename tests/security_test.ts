import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { existsSync, readFileSync } from "node:fs";

it("every test that SECURITY.md names exists", () => {
  const paths = [...readFileSync("SECURITY.md", "utf8").matchAll(/`(tests\/[^`]+)`/g)].map(([, path]) => path!);
  assert(paths.length > 30);
  assertEquals(paths.filter((path) => !existsSync(path)), []);
});
