import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Fault } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { heapUsed } from "../support/heap.ts";
import { MAX_REQUESTS, MIN_BACKOFF_MINUTES, SOURCES, takeRequests } from "./sources.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const MAX_HEAP_GROWTH = 2_000_000;
const FAULTS: readonly Fault[] = [
  "hang",
  "reset",
  "truncated",
  "html",
  "binary",
  "oversized",
  "throttled",
  { status: 500 },
  { status: 503 },
  { status: 403 },
];

/** The clock of a program that jumps: what it shows is not the time of the service. */
class JumpingRuntime extends FakeRuntime {
  offMs = 0;
  override readonly now = (): number => this.time + this.offMs;
}

/** Numbers from 0 up to 1, the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

interface Week {
  errors: number;
  unavailableMinutes: number;
  jumps: number;
  requests: number;
  requestsUnavailable: number;
  sets: number;
  /** How much the heap grew after the first day, in bytes; only where the garbage collector can be called. */
  heapGrowth: number;
}

/** A call each minute of a week; after a first success the service comes and goes every few hours. */
async function week(name: string, jumpMs: number): Promise<Week> {
  const runtime = new JumpingRuntime();
  const service = { now: () => runtime.time, sleep: runtime.sleep };
  const { emulator, provider } = SOURCES[name]!(runtime, service);
  const next = numbers(name.length);
  const seen: Week = {
    errors: 0,
    unavailableMinutes: 0,
    jumps: 0,
    requests: 0,
    requestsUnavailable: 0,
    sets: 0,
    heapGrowth: 0,
  };
  const sets = new Set([(await provider()).accessKeyId]);
  let [isAvailable, changesAt, heapBefore] = [true, 0, 0];
  for (let minute = 0; minute < WEEK_MINUTES; minute++) {
    if (minute >= changesAt) {
      isAvailable = !isAvailable;
      changesAt = minute + Math.ceil(next() * 480);
      emulator.recover();
      if (!isAvailable) emulator.inject(FAULTS[Math.floor(next() * FAULTS.length)]!, { times: Infinity });
    }
    if (jumpMs > 0 && minute % 360 === 180) {
      runtime.offMs = Math.round((2 * next() - 1) * jumpMs);
      seen.jumps++;
    }
    runtime.nextRandom = next();
    await provider().then(({ accessKeyId }) => sets.add(accessKeyId), () => seen.errors++);
    const requests = takeRequests(emulator);
    seen.requests += requests;
    if (!isAvailable) seen.requestsUnavailable += requests;
    runtime.slept.length = 0; // the log of the test itself must not grow
    if (minute === DAY_MINUTES) heapBefore = await heapUsed() ?? 0;
    seen.unavailableMinutes += isAvailable ? 0 : 1;
    runtime.advance(MINUTE_MS);
  }
  return { ...seen, sets: sets.size, heapGrowth: (await heapUsed() ?? 0) - heapBefore };
}

describe("a week in which the service is unavailable half of the time", () => {
  for (const name of Object.keys(SOURCES)) {
    for (const [clock, jumpMs] of [["is right", 0], ["jumps by up to a day", DAY_MINUTES * MINUTE_MS]] as const) {
      it(`${name}, with a clock that ${clock}: no call fails, few requests are sent, and memory stays flat`, async (context) => {
        const seen = await week(name, jumpMs);
        const facts = JSON.stringify(seen);
        context.diagnostic?.(facts);
        assert(seen.errors === 0, facts);
        assert(seen.unavailableMinutes > WEEK_MINUTES / 3, facts);
        const retrievals = seen.unavailableMinutes / MIN_BACKOFF_MINUTES + seen.jumps;
        assert(seen.requestsUnavailable <= retrievals * MAX_REQUESTS, facts);
        const availableMinutes = WEEK_MINUTES - seen.unavailableMinutes;
        assert(seen.requests - seen.requestsUnavailable <= availableMinutes + seen.jumps * MAX_REQUESTS, facts);
        assert(seen.sets >= 7, facts);
        assert(seen.heapGrowth < MAX_HEAP_GROWTH, facts);
      });
    }
  }
});
