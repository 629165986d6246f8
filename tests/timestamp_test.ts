import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseTimestamp } from "../mod.ts";
import { readTable } from "./support/tables.ts";

interface Row {
  readonly name: string;
  readonly text: string;
  readonly iso?: string;
}

describe("parseTimestamp()", () => {
  for (const { name, text, iso } of readTable<Row>("timestamps")) {
    if (iso !== undefined) it(`reads ${name}`, () => assertEquals(parseTimestamp(text).toISOString(), iso));
    else {
      it(`rejects ${name}`, () => {
        const error = assertThrows(() => parseTimestamp(text), SyntaxError);
        if (text.trim() !== "") assertFalse(error.message.includes(text));
      });
    }
  }

  it("reads back what toISOString() writes", () => {
    const dates = fc.date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(fc.property(dates, (date) => assertEquals(parseTimestamp(date.toISOString()), date)));
  });

  it("returns a valid date or throws a SyntaxError, for any text", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      try {
        assertFalse(Number.isNaN(parseTimestamp(text).getTime()));
      } catch (error) {
        assertEquals((error as Error).name, "SyntaxError");
      }
    }));
  });
});
