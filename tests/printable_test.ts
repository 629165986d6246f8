import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { printable, printableMessage } from "../lib/printable.ts";

describe("printable()", () => {
  const cases: readonly (readonly [name: string, text: string, expected: string])[] = [
    ["plain text", "web-server", "web-server"],
    ["letters of any language", "größe 名前", "größe 名前"],
    ["a terminal escape sequence", "a\x1b[31mred", "a [31mred"],
    ["line breaks", "one\r\ntwo", "one two"],
    ["NUL and DEL", "a\0b\x7fc", "a b c"],
    ["C1 control characters", "a\x9b31mb", "a 31mb"],
    ["line and paragraph separators", "a\u2028b\u2029c", "a b c"],
    ["bidirectional marks", "a\u202egnp.exe\u2066", "a gnp.exe"],
    ["a zero-width joiner and a byte order mark", "a\u200db\ufeff", "a b"],
    ["a lone surrogate", "a\ud800b", "a b"],
  ];
  for (const [name, text, expected] of cases) {
    it(`keeps one visible line of ${name}`, () => assertEquals(printable(text), expected));
  }

  it("cuts after 200 characters", () => {
    assertEquals(printable("x".repeat(200)), "x".repeat(200));
    assertEquals(printable("x".repeat(201)), `${"x".repeat(200)}…`);
  });

  it("does not cut a surrogate pair", () => {
    assertEquals(printable(`${"x".repeat(199)}\u{1f600}y`), `${"x".repeat(199)}…`);
    assertEquals(printable(`${"x".repeat(198)}\u{1f600}y`), `${"x".repeat(198)}\u{1f600}…`);
  });

  it("reads no more than 800 characters of a long text", () => assertEquals(printable(`${"\0".repeat(799)}ab`), "a"));
});

describe("printableMessage()", () => {
  it("keeps one visible line, and cuts after 1000 characters", () => {
    assertEquals(printableMessage("one\r\ntwo\x1b[31m"), "one two [31m");
    assertEquals(printableMessage("x".repeat(1_000)), "x".repeat(1_000));
    assertEquals(printableMessage("x".repeat(1_001)), `${"x".repeat(1_000)}…`);
  });
});
