import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fieldOf, parseJsonObject } from "../lib/json_object.ts";

describe("parseJsonObject()", () => {
  it("reads one JSON object", () => assertEquals(parseJsonObject(' {"a": null}\n'), { a: null }));

  for (const text of ["", "null", "[]", '"a"', "1", "{", "{}{}", "{'a': 1}", "\ufeff{}"]) {
    it(`returns undefined for ${JSON.stringify(text)}`, () => assertEquals(parseJsonObject(text), undefined));
  }
});

describe("fieldOf()", () => {
  const fields = { TOKEN: 1, token: 2, Token: 3, Code: 4, undefined: 5 };
  const cases: readonly (readonly [name: string, expected: unknown])[] = [
    ["Token", 3],
    ["ToKeN", 1],
    ["code", 4],
    ["Expiration", undefined],
    ["constructor", undefined],
  ];
  for (const [name, expected] of cases) it(`finds ${name}`, () => assertEquals(fieldOf(fields, name), expected));

  it("takes an own field without a value for one that is there", () => {
    assertEquals(fieldOf({ TOKEN: 1, Token: undefined }, "Token"), undefined);
  });
});
