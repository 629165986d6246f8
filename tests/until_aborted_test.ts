import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { untilAborted } from "../lib/until_aborted.ts";
import { countListeners } from "./support/count_listeners.ts";

const never = new Promise<never>(() => {});

describe("untilAborted()", () => {
  it("adds one listener to a signal, however many wait, and removes it when all have ended", async () => {
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const ends: (() => void)[] = [];
    const works = Array.from({ length: 20 }, () => new Promise<void>((resolve) => ends.push(resolve)));
    const waiting = works.map((work) => untilAborted(work, signal));
    assertEquals(listeners, { now: 1, most: 1 });
    ends[0]?.();
    await waiting[0];
    assertEquals(listeners.now, 1);
    for (const end of ends) end();
    await Promise.all(waiting);
    assertEquals(listeners, { now: 0, most: 1 });
    await untilAborted(Promise.resolve(), signal);
    assertEquals(listeners, { now: 0, most: 1 });
  });

  it("rejects the only one that waits, and one that waits after it, with the reason of the signal", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    await untilAborted(Promise.resolve(), signal);
    const only = untilAborted(never, signal).catch((error) => error);
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await only, reason);
    assertStrictEquals(await untilAborted(never, signal).catch((error) => error), reason);
  });

  it("rejects all that wait with the reason of the signal, and no one else", async () => {
    const controller = new AbortController();
    const listeners = countListeners(controller.signal);
    const reason = new Error("enough");
    const waiting = Array.from({ length: 20 }, () => untilAborted(never, controller.signal).catch((error) => error));
    const other = untilAborted(Promise.resolve("done"), new AbortController().signal);
    controller.abort(reason);
    assertEquals([...new Set(await Promise.all(waiting))], [reason]);
    assertEquals([await other, listeners], ["done", { now: 0, most: 1 }]);
  });

  it("rejects at once where the signal is aborted, and leaves no rejection of the work unhandled", async () => {
    const reason = new Error("enough");
    const listeners = countListeners(AbortSignal.abort(reason));
    const failing = Promise.reject(new Error("the work failed"));
    assertStrictEquals(await untilAborted(failing, AbortSignal.abort(reason)).catch((error) => error), reason);
    assertEquals(listeners.now, 0);
  });

  it("waits without a listener where there is no signal", async () => {
    assertEquals(await untilAborted(Promise.resolve(1), undefined), 1);
  });
});
