import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../mod.ts";
import { planProfile } from "../../lib/profile/plan.ts";
import { readTable } from "../support/tables.ts";

type Properties = Record<string, string>;

interface Row {
  readonly name: string;
  /** By name; the plan is made for the first. */
  readonly profiles: Record<string, Properties>;
  readonly base?: Record<string, unknown>;
  readonly roles?: readonly string[];
  readonly role?: Record<string, unknown>;
  readonly warns?: readonly string[];
  readonly error?: string;
  readonly says?: readonly string[];
  readonly tryNextLink?: boolean;
  readonly chain?: readonly string[];
}

describe("planProfile()", () => {
  for (const row of readTable<Row>("profile_plans")) {
    it(row.name, () => {
      const profiles = new Map(
        Object.entries(row.profiles).map(([name, keys]) => [name, new Map(Object.entries(keys))]),
      );
      const plan = () => planProfile(profiles, Object.keys(row.profiles)[0] ?? "");
      if (row.error !== undefined) {
        const error = assertThrows(plan, CredentialsProviderError);
        assertEquals([error.code, error.tryNextLink], [row.error as typeof error.code, row.tryNextLink ?? false]);
        for (const part of row.says ?? []) assert(error.message.includes(part), error.message);
        if (row.chain !== undefined) assertEquals(error.chain, row.chain);
        assert(error.hint !== undefined);
        assertFalse(/CANARY/.test(`${error.message}${error.hint}`), error.message);
        return;
      }
      const { base, roles, warnings } = plan();
      const actual: Record<string, unknown> = { ...base };
      assertEquals("command" in base, base.kind === "process");
      for (const [key, value] of Object.entries(row.base ?? {})) assertEquals(actual[key], value, key);
      assertEquals(roles.map(({ profile, role }) => `${profile}: ${role.RoleArn}`), row.roles ?? []);
      if (row.role !== undefined) assertEquals({ ...roles[0]?.role } as Record<string, unknown>, row.role);
      assertEquals(warnings.length, row.warns?.length ?? 0, warnings.join());
      row.warns?.forEach((part, index) => assert(warnings[index]?.includes(part), warnings[index]));
    });
  }

  it("says of a profile that does not exist no more than that", () => {
    const { code, message } = assertThrows(() => planProfile(new Map(), "dev"), CredentialsProviderError);
    assertEquals([code, message], [
      "ProfileNotFoundError",
      "Cannot use profile dev: the shared config files do not have it",
    ]);
  });
});
