import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Credentials, CredentialsProviderError } from "../../mod.ts";
import type { Fault } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";
import { readTable } from "../support/tables.ts";
import { type Source, SOURCES } from "./sources.ts";

/**
 * What one call with cached credentials does: the requests it makes, the milliseconds it takes, and what the caller
 * gets.
 */
type Refresh = readonly [requests: number, milliseconds: number, result: "new" | "cached" | "error"];

/**
 * A fault that does not end, at one step of a source. `source` names the sections of the specification that the row was
 * derived from. Times are exact, with random numbers of 0.5.
 */
interface Row {
  readonly name: string;
  readonly service: string;
  readonly step: string;
  readonly fault: Fault;
  /** The code of the error; none where the call succeeds. */
  readonly code?: string;
  /** False where only a change of settings helps: then callers get the error although credentials are cached. */
  readonly recoverable?: false;
  /** True where a chain continues with the next source. */
  readonly tryNextLink?: true;
  readonly cold: readonly [requests: number, milliseconds: number];
  readonly advisory: Refresh;
  readonly mandatory: Refresh;
  readonly expired: Refresh;
}

const FRESH: Refresh = [0, 0, "cached"];

/** When each state of a cache with credentials is, for a lifetime of `L` milliseconds. */
const STATES: Readonly<Record<"fresh" | "advisory" | "mandatory" | "expired", (lifetimeMs: number) => number>> = {
  fresh: (lifetimeMs) => 0.2 * lifetimeMs,
  advisory: (lifetimeMs) => 0.86 * lifetimeMs,
  mandatory: (lifetimeMs) => lifetimeMs - 30_000,
  expired: (lifetimeMs) => lifetimeMs + 3_600_000,
};

interface Called {
  readonly result: Credentials | CredentialsProviderError;
  /** Requests, and milliseconds of the fake clock. */
  readonly cost: readonly [number, number];
}

class Trial {
  readonly runtime = new FakeRuntime();
  readonly source: Source;
  readonly row: Row;

  constructor(row: Row) {
    this.row = row;
    this.source = SOURCES[row.service]!(this.runtime, this.runtime);
  }

  break(): void {
    this.source.emulator.inject(this.row.fault, { on: this.row.step, times: Infinity });
  }

  /** Calls once; what comes back, and what it cost. */
  async call(): Promise<Called> {
    const { emulator, provider } = this.source;
    const [sent, start] = [emulator.requests.length, this.runtime.time];
    const result = await provider().catch((error) => error);
    return { result, cost: [emulator.requests.length - sent, this.runtime.time - start] };
  }
}

const rows = readTable<Row>("faults");

describe("a first call under a fault that does not end", () => {
  for (const row of rows) {
    it(`${row.name}: ${row.code ?? "credentials"}`, async () => {
      const trial = new Trial(row);
      trial.break();
      const { result, cost } = await trial.call();
      assertEquals(result instanceof CredentialsProviderError ? result.code : undefined, row.code);
      assertEquals(cost, row.cold);
      if (!(result instanceof CredentialsProviderError)) return;
      const { recoverable, tryNextLink } = result;
      assertEquals([recoverable, tryNextLink], [row.recoverable ?? true, row.tryNextLink ?? false]);
      assertFalse(/emulated-[a-z-]*(secret|session|token-\d)/.test(printed(result).join()), printed(result).join());
      if (!recoverable) assertEquals(await trial.call(), { result, cost: [0, 0] }, "the error is cached");
      trial.source.emulator.recover();
      trial.runtime.time += recoverable ? 0 : 5_000;
      assert("accessKeyId" in (await trial.call()).result, "the next call, with the service well, succeeds");
    });
  }
});

describe("a call with cached credentials under a fault that does not end", () => {
  for (const row of rows) {
    for (const state of ["fresh", "advisory", "mandatory", "expired"] as const) {
      const expected = state === "fresh" ? FRESH : row[state];
      it(`${row.name}, ${state}: ${expected[2]}`, () => callIn(state, expected, new Trial(row)));
    }
  }
});

async function callIn(state: keyof typeof STATES, expected: Refresh, trial: Trial): Promise<void> {
  const { row, runtime, source } = trial;
  const first = (await trial.call()).result;
  runtime.time += STATES[state](source.lifetimeMs);
  source.rotate(); // a refresh that succeeds is then seen
  trial.break();
  const { result, cost } = await trial.call();
  assertEquals([...cost, kindOf(result, first)], expected);
  if (result instanceof Error) assertEquals(result.code, row.code);
  if (expected[2] === "new") return;
  runtime.time += 500; // the pause after a failure is longer, also that after an error that is cached
  const again = await trial.call();
  assertEquals([...again.cost, kindOf(again.result, first)], [0, 0, expected[2]], "in the pause");
}

function kindOf(
  result: Credentials | CredentialsProviderError,
  first: Credentials | CredentialsProviderError,
): Refresh[2] {
  assert("accessKeyId" in first, String(first));
  if (result instanceof CredentialsProviderError) return "error";
  return result.accessKeyId === first.accessKeyId ? "cached" : "new";
}
