import { assertEquals } from "@std/assert";
import { beforeEach, describe, it } from "@std/testing/bdd";
import { CredentialsCache } from "../../mod.ts";
import { countListeners } from "../support/count_listeners.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { ManualSource } from "../support/manual_source.ts";

const CALLERS = 10_000;
const LIFETIME_SECONDS = 21_600;

describe(`CredentialsCache with ${CALLERS} callers`, () => {
  let runtime: FakeRuntime;
  let source: ManualSource;
  let cache: CredentialsCache;

  beforeEach(() => {
    runtime = new FakeRuntime();
    source = new ManualSource(runtime.now);
    cache = new CredentialsCache(source, { runtime, logger: null });
  });

  /** Half of the callers before a boundary, half after; the second half begins while the first may still wait. */
  async function cross(boundarySeconds: number): Promise<{ settled: number; finish(): Promise<Map<string, number>> }> {
    const start = runtime.time;
    runtime.time = start + boundarySeconds * 1_000 - 1;
    const calls = Array.from({ length: CALLERS / 2 }, () => cache.get());
    runtime.time += 1;
    for (let caller = 0; caller < CALLERS / 2; caller++) calls.push(cache.get());
    let settled = 0;
    for (const call of calls) call.then(() => settled++);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const finish = async () => {
      source.land({ set: "AKID-2", lasts: LIFETIME_SECONDS });
      const counts = new Map<string, number>();
      for (const { accessKeyId } of await Promise.all(calls)) {
        counts.set(accessKeyId, (counts.get(accessKeyId) ?? 0) + 1);
      }
      return counts;
    };
    return { settled, finish };
  }

  async function fill(): Promise<void> {
    source.response = { set: "AKID-1", lasts: LIFETIME_SECONDS };
    await cache.get();
    source.response = "hang";
  }

  it("makes one contact when nothing is cached, and all wait", async () => {
    const { settled, finish } = await cross(0);
    assertEquals([settled, source.contacts], [0, 1]);
    assertEquals(await finish(), new Map([["AKID-2", CALLERS]]));
    assertEquals(source.contacts, 1);
  });

  it("makes one contact across the advisory boundary, and one caller waits", async () => {
    await fill();
    const { settled, finish } = await cross(LIFETIME_SECONDS - 3_600);
    assertEquals([settled, source.contacts], [CALLERS - 1, 2]);
    assertEquals(await finish(), new Map([["AKID-1", CALLERS - 1], ["AKID-2", 1]]));
    assertEquals(source.contacts, 2);
  });

  it("makes one contact across the mandatory boundary, and one caller of the first half and all of the second wait", async () => {
    await fill();
    const { settled, finish } = await cross(LIFETIME_SECONDS - 60);
    assertEquals([settled, source.contacts], [CALLERS / 2 - 1, 2]);
    assertEquals(await finish(), new Map([["AKID-2", CALLERS / 2 + 1], ["AKID-1", CALLERS / 2 - 1]]));
    assertEquals(source.contacts, 2);
  });

  it("makes one contact for all callers that give up, and does not disturb the one that waits", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const listeners = countListeners(signal);
    const impatient = Array.from({ length: CALLERS - 1 }, () => cache.get({ signal }));
    const patient = cache.get();
    assertEquals(listeners.most, 1);
    controller.abort();
    const outcomes = await Promise.allSettled(impatient);
    assertEquals(outcomes.every(({ status }) => status === "rejected"), true);
    source.land({ set: "AKID-1", lasts: LIFETIME_SECONDS });
    assertEquals([(await patient).accessKeyId, source.contacts], ["AKID-1", 1]);
  });
});
