import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { nextSessionAction } from "../../lib/session/refresh_decision.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly secondsLeft: number;
  readonly canRefresh: boolean;
  readonly secondsSinceRefresh: number | null;
  readonly isForced?: boolean;
  readonly action: string;
}

const now = Date.parse("2026-01-01T00:00:00Z");

describe("nextSessionAction()", () => {
  for (const row of readTable<Row>("session_refresh")) {
    const { name, secondsLeft, canRefresh, secondsSinceRefresh, isForced = false, action } = row;
    it(`says ${action}, with ${name}`, () => {
      const lastRefreshAt = secondsSinceRefresh === null ? undefined : now - secondsSinceRefresh * 1_000;
      const state = { expiresAt: now + secondsLeft * 1_000, canRefresh, lastRefreshAt, isForced };
      assertEquals(nextSessionAction(state, now), action);
    });
  }
});
