import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { Credentials } from "../../mod.ts";
import {
  afterFailure,
  afterSuccess,
  type CacheState,
  EMPTY,
  type Entry,
  isBackingOff,
  nextAttemptAt,
  nextStep,
  type Step,
  type WindowOptions,
} from "../../lib/cache/refresh_decision.ts";
import { readTable } from "../support/tables.ts";

interface WindowRow {
  readonly name: string;
  readonly lifetime: number;
  readonly options: WindowOptions;
  readonly random: number;
  readonly stable: boolean;
  readonly advisory: number;
  readonly mandatory: number;
}

/** Seconds: until the expiration (nothing cached where it is missing), until the end of a backoff, of a cached error. */
interface Given {
  readonly left?: number;
  readonly backsOff?: number;
  readonly failed?: number;
  readonly rejected?: boolean;
  readonly refreshPending?: boolean;
  readonly forced?: boolean;
}

interface StepRow extends Given {
  readonly name: string;
  readonly step: Step;
}

const NOW = Date.parse("2026-01-01T00:00:00Z");

function credentials(expiresAt: number): Credentials {
  return { accessKeyId: "AKID", secretAccessKey: "secret", expiration: new Date(expiresAt), source: "test" };
}

/** A state with windows of an hour and a minute. */
function stateOf({ left, backsOff, failed, rejected = false }: Given): CacheState {
  const error = failed === undefined ? {} : { cachedError: { error: "final", until: NOW + failed * 1_000 } };
  if (left === undefined) return { ...EMPTY, ...error };
  const expiresAt = NOW + left * 1_000;
  const entry: Entry = afterSuccess(EMPTY, credentials(expiresAt), true, expiresAt - 21_600_000, 0, {});
  return {
    ...entry,
    ...error,
    kind: "cached",
    isRejected: rejected,
    notBefore: backsOff === undefined ? 0 : NOW + backsOff * 1_000,
  };
}

describe("afterSuccess() sets the windows", () => {
  for (
    const { name, lifetime, options, random, stable, advisory, mandatory } of readTable<WindowRow>("refresh_windows")
  ) {
    it(name, () => {
      const expiresAt = NOW + lifetime * 1_000;
      const entry = afterSuccess(EMPTY, credentials(expiresAt), stable, NOW, random, options);
      const windows = [entry.advisoryAt, entry.mandatoryAt].map((at) => Math.round(expiresAt - at) / 1_000);
      assertEquals(windows, [advisory, mandatory]);
    });
  }
});

describe("afterFailure()", () => {
  for (const stable of [true, false]) {
    it(`goes by the ${stable ? "" : "missing "}static stability of what is cached, whatever the source has by now`, () => {
      const state = afterSuccess(EMPTY, credentials(NOW + 60_000), stable, NOW, 0, {});
      const after = afterFailure(state, new Error("offline"), !stable, NOW, 0);
      assertEquals(after.kind === "cached" && [after.notBefore, after.failures], stable ? [NOW + 300_000, 1] : [0, 0]);
    });
  }
});

describe("nextStep() checks in the order of the specification", () => {
  for (const { name, step, ...given } of readTable<StepRow>("refresh_steps")) {
    it(name, () => {
      assertEquals(nextStep(stateOf(given), NOW, given.refreshPending ?? false, given.forced ?? false), step);
    });
  }
});

it("nextAttemptAt() is the first time at which nextStep() retrieves, in any state", () => {
  const seconds = (min: number, max: number) => fc.option(fc.integer({ min, max }), { nil: undefined });
  const given = fc.record({
    left: seconds(-7_200, 7_200),
    backsOff: seconds(-10, 600),
    failed: seconds(-1, 5),
    rejected: fc.boolean(),
  });
  fc.assert(fc.property(given, fc.nat(7_200_000), (given, wait) => {
    const state = stateOf(given as Given);
    const at = nextAttemptAt(state, NOW);
    assert(at >= NOW);
    assertEquals(nextStep(state, at, false, false), "retrieve");
    const before = NOW + (wait % Math.max(1, at - NOW));
    if (before < at) assert(nextStep(state, before, false, false) !== "retrieve");
    if (state.kind === "cached") assertEquals(isBackingOff(state, at), false);
  }));
});
