import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Credentials, CredentialsProviderError } from "../../mod.ts";
import type { Fault } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";
import { readTable } from "../support/tables.ts";
import { type Source, SOURCES } from "./sources.ts";

/** What a fault that does not end does to a first call: the code (none where it succeeds), and what that costs. */
interface Row {
  readonly name: string;
  readonly service: string;
  readonly step: string;
  readonly fault: Fault;
  readonly code?: string;
  /** False where only a change of settings helps: then callers get the error although credentials are cached. */
  readonly recoverable?: false;
  readonly requests: number;
  /** The most that a call may take, in seconds of the fake clock, for random numbers of 0.5. */
  readonly seconds: number;
}

/** When each state of a cache with credentials is, for a lifetime of `L` milliseconds. */
const STATES: Readonly<Record<string, (lifetimeMs: number) => number>> = {
  fresh: (lifetimeMs) => 0.2 * lifetimeMs,
  advisory: (lifetimeMs) => 0.86 * lifetimeMs,
  mandatory: (lifetimeMs) => lifetimeMs - 30_000,
  expired: (lifetimeMs) => lifetimeMs + 3_600_000,
};

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
  async call(): Promise<
    { readonly result: Credentials | CredentialsProviderError; requests: number; seconds: number }
  > {
    const { emulator, provider } = this.source;
    const [sent, start] = [emulator.requests.length, this.runtime.time];
    const result = await provider().catch((error) => error);
    return { result, requests: emulator.requests.length - sent, seconds: (this.runtime.time - start) / 1_000 };
  }
}

const rows = readTable<Row>("faults");

describe("a first call under a fault that does not end", () => {
  for (const row of rows) {
    it(`${row.name}: ${row.code ?? "credentials"}`, async () => {
      const trial = new Trial(row);
      trial.break();
      const { result, requests, seconds } = await trial.call();
      assertEquals(result instanceof CredentialsProviderError ? result.code : undefined, row.code);
      assertEquals(requests, row.requests);
      assert(seconds <= row.seconds, `${seconds} s`);
      if (!(result instanceof CredentialsProviderError)) return;
      assertEquals(result.recoverable, row.recoverable ?? true);
      assertFalse(/emulated-[a-z-]*(secret|session|token-\d)/.test(printed(result).join()), printed(result).join());
      trial.source.emulator.recover();
      trial.runtime.time += 5_000;
      assert("accessKeyId" in (await trial.call()).result, "the next call, with the service well, succeeds");
    });
  }
});

describe("a call with cached credentials under a fault that does not end: credentials, and no more than a first call costs", () => {
  for (const row of rows) {
    it(row.recoverable === false ? `${row.name}: the error, unless they are fresh` : row.name, async () => {
      for (const [state, at] of Object.entries(STATES)) await callIn(state, at, new Trial(row));
    });
  }
});

async function callIn(state: string, at: (lifetimeMs: number) => number, trial: Trial): Promise<void> {
  const { row, runtime, source } = trial;
  const first = (await trial.call()).result;
  assertCredentials(first, state);
  runtime.time += at(source.lifetimeMs);
  trial.break();
  const { result, requests, seconds } = await trial.call();
  assert(seconds <= row.seconds, `${state}: ${seconds} s`);
  assert(requests <= (state === "fresh" ? 0 : row.requests), `${state}: ${requests} requests`);
  if (row.recoverable === false && state !== "fresh") {
    return assertEquals((result as CredentialsProviderError).code, row.code, state);
  }
  assertCredentials(result, state);
  if (result.accessKeyId !== first.accessKeyId) return; // this refresh does not have the step
  runtime.time += 1_000;
  const again = await trial.call();
  assertCredentials(again.result, `${state}, backing off`);
  assertEquals([again.requests, again.seconds], [0, 0], `${state}, backing off`);
}

function assertCredentials(
  result: Credentials | CredentialsProviderError,
  state: string,
): asserts result is Credentials {
  assert("accessKeyId" in result, `${state}: ${result}`);
}
