import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CredentialsCache, type CredentialsProviderError } from "../../mod.ts";
import { CacheModel, type ModelAnswer } from "../support/cache_model.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { ManualSource } from "../support/manual_source.ts";

type Action =
  | { readonly do: "call"; readonly forced: boolean }
  | { readonly do: "abort"; readonly call: number }
  | { readonly do: "advance"; readonly seconds: number }
  | { readonly do: "land"; readonly answer: ModelAnswer | "stale" | "same" }
  | { readonly do: "invalidate"; readonly held: boolean }
  | { readonly do: "clear" };

/** Sums of these meet every boundary exactly: windows, pauses, ends. */
const SECONDS = [1, 2, 3, 5, 30, 60, 240, 300, 450, 600, 1_800, 18_000, 21_600];

const answer: fc.Arbitrary<ModelAnswer | "stale" | "same"> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(600, 1_200, 1_230, 5_400, 21_600).map((lasts) => ({ set: "new", lasts })) },
  { weight: 3, arbitrary: fc.constant({ fail: "recoverable" as const }) },
  { weight: 1, arbitrary: fc.constant({ fail: "final" as const }) },
  { weight: 1, arbitrary: fc.constant("stale" as const) },
  { weight: 2, arbitrary: fc.constant("same" as const) },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("call" as const), forced: fc.nat(5).map((n) => n === 0) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("land" as const), answer }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("advance" as const), seconds: fc.constantFrom(...SECONDS) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abort" as const), call: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("invalidate" as const), held: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const) }) },
);

/** A cache and its model side by side. */
class Pair {
  readonly runtime = new FakeRuntime();
  readonly source: ManualSource;
  readonly cache: CredentialsCache;
  readonly model: CacheModel;
  readonly controllers: AbortController[] = [];
  readonly results = new Map<number, string>();
  readonly stable: boolean;
  #sets = 0;
  #last = { set: "AKID-0", endsAt: 0 };

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
        this.runtime.time += action.seconds * 1_000;
        this.model.now += action.seconds;
        return;
      case "land":
        return this.land(action.answer);
      case "invalidate": {
        const accessKeyId = action.held ? this.model.heldId ?? "none" : "AKID-other";
        this.model.invalidate(accessKeyId);
        return this.cache.invalidate({ accessKeyId });
      }
      case "clear":
        this.model.clear();
        return this.cache.clear();
    }
  }

  land(answer: ModelAnswer | "stale" | "same"): void {
    if (!this.model.asking) return;
    const concrete = this.#concrete(answer);
    this.source.land(concrete);
    this.model.land(concrete);
  }

  /** New credentials get the next id; the same ones are those the source gave last. */
  #concrete(answer: ModelAnswer | "stale" | "same"): ModelAnswer {
    if (answer === "stale") return { set: `AKID-${++this.#sets}`, lasts: -1 };
    if (answer === "same") return { set: this.#last.set, lasts: this.#last.endsAt - this.model.now };
    if ("fail" in answer) return answer;
    this.#last = { set: `AKID-${++this.#sets}`, endsAt: this.model.now + answer.lasts };
    return { set: this.#last.set, lasts: answer.lasts };
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

/** What holds whatever the model says; a rejection that nobody handles fails the run by itself, on all three runtimes. */
function checkInvariants(pair: Pair, action: Action, before: Snapshot): void {
  assert(pair.source.mostAtOnce <= 1, "two contacts at once");
  const contacted = pair.source.contacts > before.contacts;
  if (before.pausing && action.do === "call") assert(!contacted, "a contact inside a backoff");
  const settled = [...pair.results].filter(([call]) => !before.settled.has(call)).map(([, result]) => result);
  const isRecoverable = action.do === "land" && (typeof action.answer === "string" || "fail" in action.answer) &&
    (action.answer as { fail?: string }).fail !== "final";
  if (pair.stable && before.heldId !== undefined && isRecoverable) {
    assert(!settled.includes("recoverable"), "an error in spite of held credentials");
  }
  for (const retired of before.retired) {
    assert(!settled.includes(retired), "refused credentials after their replacement");
  }
}

interface Snapshot {
  readonly contacts: number;
  readonly pausing: boolean;
  readonly heldId: string | undefined;
  readonly settled: ReadonlySet<number>;
  readonly retired: ReadonlySet<string>;
}

async function run(stable: boolean, actions: readonly Action[]): Promise<void> {
  const pair = new Pair(stable);
  const { model } = pair;
  const [refused, retired] = [new Set<string>(), new Set<string>()];
  for (const action of actions) {
    const { heldId, pausing } = model;
    const settled = new Set(pair.results.keys());
    const before = { contacts: pair.source.contacts, pausing, heldId, settled, retired: new Set(retired) };
    pair.act(action);
    await turns();
    assertEquals([...pair.results].sort(byCall), [...model.results].sort(byCall));
    assertEquals(pair.source.contacts, model.contacts);
    checkInvariants(pair, action, before);
    if (action.do === "invalidate" && action.held && heldId !== undefined) refused.add(heldId);
    if (heldId !== undefined && model.heldId !== heldId && refused.has(heldId) && action.do === "land") {
      retired.add(heldId);
    }
    if (model.heldId !== undefined) retired.delete(model.heldId); // the source insists
  }
  for (let flight = 0; model.asking; flight++) {
    assert(flight < actions.length, "a flight that never lands");
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
