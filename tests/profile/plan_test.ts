import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { profileSource } from "../../lib/profile/plan.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly profile: Record<string, string>;
  readonly kind: string;
  readonly says?: string;
}

describe("profileSource()", () => {
  for (const { name, profile, kind, says = "" } of readTable<Row>("profile_sources")) {
    it(`is ${kind}, for ${name}`, () => {
      const source = profileSource(new Map(Object.entries(profile)));
      assertEquals(source.kind, kind);
      const told = "keys" in source ? source.keys.join(", ") : "state" in source ? source.state : "";
      assert(told.includes(says), told);
    });
  }
});
