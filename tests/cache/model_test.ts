import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CredentialsCache, type CredentialsProviderError } from "../../mod.ts";
import { CacheModel, type ModelResponse } from "../support/cache_model.ts";
import { ManualRuntime } from "../support/manual_runtime.ts";
import { ManualSource } from "../support/manual_source.ts";

type Action =
  | { readonly do: "call"; readonly forced: boolean }
  | { readonly do: "abort"; readonly call: number }
  | { readonly do: "advance"; readonly seconds: number }
  | { readonly do: "land"; readonly response: ModelResponse | "stale" | "same" }
  | { readonly do: "invalidate"; readonly what: "cached" | "other" | "any" }
  | { readonly do: "clear" };

/** Sums of these meet every boundary exactly: windows, pauses, expirations. */
const SECONDS = [1, 2, 3, 5, 30, 60, 240, 300, 450, 600, 1_800, 18_000, 21_600];

const response: fc.Arbitrary<ModelResponse | "stale" | "same"> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(600, 1_200, 1_230, 5_400, 21_600).map((lasts) => ({ set: "new", lasts })) },
  { weight: 3, arbitrary: fc.constant({ fail: "recoverable" as const }) },
  { weight: 1, arbitrary: fc.constant({ fail: "final" as const }) },
  { weight: 1, arbitrary: fc.constant("stale" as const) },
  { weight: 2, arbitrary: fc.constant("same" as const) },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("call" as const), forced: fc.nat(5).map((n) => n === 0) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("land" as const), response }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("advance" as const), seconds: fc.constantFrom(...SECONDS) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abort" as const), call: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("invalidate" as const),
      what: fc.constantFrom("cached" as const, "other" as const, "any" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const) }) },
);

/** A cache and its model side by side. */
class Pair {
  readonly runtime = new ManualRuntime();
  readonly source: ManualSource;
  readonly cache: CredentialsCache;
  readonly model: CacheModel;
  readonly controllers: AbortController[] = [];
  readonly results = new Map<number, string>();
  readonly stable: boolean;
  /** What the source returned last. */
  returnedId: string | undefined;
  #sets = 0;
  #last = { set: "AKID-0", expiresAt: 0 };

  constructor(stable: boolean) {
    this.stable = stable;
    this.source = new ManualSource(this.runtime.now, stable);
    this.cache = new CredentialsCache(this.source, { runtime: this.runtime, logger: null });
    this.model = new CacheModel(stable);
  }

  act(action: Action): void {
    switch (action.do) {
      case "call":
        return this.#call(action.forced);
      case "abort":
        this.model.abort(action.call);
        return this.controllers[action.call]?.abort();
      case "advance":
        this.runtime.advance(action.seconds * 1_000);
        return this.model.advance(action.seconds);
      case "land":
        return this.land(action.response);
      case "invalidate": {
        if (action.what === "any") {
          this.model.invalidate(undefined);
          return this.cache.invalidate();
        }
        const accessKeyId = action.what === "cached" ? this.model.cachedId ?? "none" : "AKID-other";
        this.model.invalidate(accessKeyId);
        return this.cache.invalidate({ accessKeyId });
      }
      case "clear":
        this.model.clear();
        return this.cache.clear();
    }
  }

  land(response: ModelResponse | "stale" | "same"): void {
    if (this.model.contacting === 0) return;
    const concrete = this.#concrete(response);
    this.returnedId = "set" in concrete ? concrete.set : undefined;
    this.source.land(concrete);
    this.model.land(concrete);
  }

  /** New credentials get the next id; the same ones are those the source gave last. */
  #concrete(response: ModelResponse | "stale" | "same"): ModelResponse {
    if (response === "stale") return { set: `AKID-${++this.#sets}`, lasts: -1 };
    if (response === "same") return { set: this.#last.set, lasts: this.#last.expiresAt - this.model.now };
    if ("fail" in response) return response;
    this.#last = { set: `AKID-${++this.#sets}`, expiresAt: this.model.now + response.lasts };
    return { set: this.#last.set, lasts: response.lasts };
  }

  #call(forceRefresh: boolean): void {
    const controller = new AbortController();
    const call = this.controllers.push(controller) - 1;
    this.model.call(call, forceRefresh);
    this.cache.get({ signal: controller.signal, forceRefresh }).then(
      ({ accessKeyId }) => this.results.set(call, accessKeyId),
      (error: CredentialsProviderError | DOMException) => this.results.set(call, kindOf(error)),
    );
  }
}

function kindOf(error: CredentialsProviderError | DOMException): string {
  if (error.name === "AbortError") return "aborted";
  return (error as CredentialsProviderError).recoverable ? "recoverable" : "final";
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 16; turn++) await Promise.resolve();
}

/** What is true whatever the model says. An unhandled rejection fails the run by itself, on all three runtimes. */
function checkInvariants(pair: Pair, action: Action, before: Snapshot): void {
  assertEquals(pair.source.pending, pair.model.contacting);
  const contacted = pair.source.contacts > before.contacts;
  if (before.isBackingOff && action.do === "call") assert(!contacted, "a contact inside a backoff");
  const settled = [...pair.results].filter(([call]) => !before.settled.has(call)).map(([, result]) => result);
  const isRecoverable = action.do === "land" && (typeof action.response === "string" || "fail" in action.response) &&
    (action.response as { fail?: string }).fail !== "final";
  if (pair.stable && before.cachedId !== undefined && isRecoverable) {
    assert(!settled.includes("recoverable"), "an error in spite of cached credentials");
  }
  for (const retired of before.retired) {
    if (retired === pair.returnedId) continue; // the source returned them again
    assert(!settled.includes(retired), "rejected credentials after their replacement");
  }
}

interface Snapshot {
  readonly contacts: number;
  readonly isBackingOff: boolean;
  readonly cachedId: string | undefined;
  readonly settled: ReadonlySet<number>;
  readonly retired: ReadonlySet<string>;
}

async function run(stable: boolean, actions: readonly Action[]): Promise<void> {
  const pair = new Pair(stable);
  const { model } = pair;
  const [rejected, retired] = [new Set<string>(), new Set<string>()];
  for (const action of actions) {
    const { cachedId, isBackingOff } = model;
    const settled = new Set(pair.results.keys());
    const before = { contacts: pair.source.contacts, isBackingOff, cachedId, settled, retired: new Set(retired) };
    pair.act(action);
    await turns();
    assertEquals([...pair.results].sort(byCall), [...model.results].sort(byCall));
    assertEquals(pair.source.contacts, model.contacts);
    assertEquals(pair.cache.peek()?.accessKeyId, model.cachedId);
    checkInvariants(pair, action, before);
    if (action.do === "invalidate" && action.what !== "other" && cachedId !== undefined) rejected.add(cachedId);
    if (cachedId !== undefined && model.cachedId !== cachedId && rejected.has(cachedId) && action.do === "land") {
      retired.add(cachedId);
    }
    if (model.cachedId !== undefined) retired.delete(model.cachedId); // the source insists
  }
  for (let landed = 0; model.contacting > 0; landed++) {
    assert(landed < actions.length, "a refresh that never ends");
    pair.land({ fail: "recoverable" });
    await turns();
  }
  assertEquals([...pair.results.keys()].sort((a, b) => a - b), pair.controllers.map((_, call) => call), "a call waits");
}

function byCall([a]: readonly [number, string], [b]: readonly [number, string]): number {
  return a - b;
}

describe("CredentialsCache does what its model does, whatever happens", () => {
  for (const stable of [true, false]) {
    it(`with a source ${stable ? "with" : "without"} static stability`, async () => {
      const actions = fc.array(action, { minLength: 1, maxLength: 60, size: "max" });
      await fc.assert(fc.asyncProperty(actions, (actions) => run(stable, actions)), { numRuns: 400 });
    });
  }
});
