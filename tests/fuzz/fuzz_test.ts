import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { INVARIANTS, isOurs } from "./invariants.ts";
import { PARSERS } from "./parsers.ts";

describe("whatever comes in, with a fixed seed:", () => {
  for (const [name, holds] of Object.entries(INVARIANTS)) it(name, () => holds({ seed: 1, numRuns: 100 }));
});

describe("a long input of one piece is read, or refused with an error of ours (a quadratic parser takes seconds):", () => {
  const PIECES = ["[", "a = ", " #;", "<a>", "&lt;", "<!--", '{"a":', "\\", "\n ", "[a]\n", "x", "%", "-", "0"];
  for (const [name, { parse }] of Object.entries(PARSERS)) {
    it(name, async () => {
      for (const piece of PIECES) {
        try {
          await parse(piece.repeat(16_384));
        } catch (error) {
          assert(isOurs(error), `${error}`);
        }
      }
    });
  }
});
