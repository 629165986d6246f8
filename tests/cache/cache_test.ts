import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type CacheOptions, type Credentials, CredentialsCache } from "../../mod.ts";
import { ManualRuntime } from "../support/manual_runtime.ts";
import { ManualSource, type Response } from "../support/manual_source.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  /** Whether the source supports static stability. @default {true} */
  readonly stable?: boolean;
  readonly random?: number;
  readonly options?: CacheOptions;
  /** How many contacts there may be at once. @default {1} */
  readonly mostAtOnce?: number;
  readonly steps: readonly Step[];
}

/** One action, then what must be true. Times are seconds from now; a result is an access key id or the code of an error. */
interface Step {
  readonly source?: Response;
  readonly advance?: number;
  readonly get?: string;
  readonly start?: string;
  readonly abort?: string;
  readonly land?: Response;
  readonly invalidate?: string | null;
  readonly clear?: true;
  readonly forced?: true;
  readonly aborted?: true;

  readonly settled?: Readonly<Record<string, string>>;
  readonly waiting?: readonly string[];
  readonly expiresIn?: number | null;
  readonly originallyIn?: number | null;
  readonly sameError?: true;
  readonly contacts?: number;
  readonly backsOff?: number | null;
  readonly nextRefresh?: number | null;
  readonly advisory?: number;
  readonly needsRefresh?: boolean;
  readonly expired?: boolean;
  readonly expireTime?: number | null;
}

interface Call {
  readonly controller: AbortController;
  readonly done: Promise<void>;
  result?: Credentials;
  error?: unknown;
}

class Player {
  readonly runtime = new ManualRuntime();
  readonly source: ManualSource;
  readonly cache: CredentialsCache;
  readonly calls = new Map<string, Call>();
  readonly errors: unknown[] = [];
  readonly mostAtOnce: number;
  last: Credentials | undefined;

  constructor({ stable = true, random = 0.5, options = {}, mostAtOnce = 1 }: Row) {
    this.mostAtOnce = mostAtOnce;
    this.runtime.nextRandom = random;
    this.source = new ManualSource(this.runtime.now, stable);
    this.cache = new CredentialsCache(this.source, { ...options, logger: null, runtime: this.runtime });
  }

  async play(step: Step): Promise<void> {
    if (step.source !== undefined) this.source.response = step.source;
    if (step.advance !== undefined) this.runtime.advance(step.advance * 1_000);
    if (step.land !== undefined) this.source.land(step.land);
    if (step.invalidate !== undefined) {
      this.cache.invalidate(step.invalidate === null ? undefined : { accessKeyId: step.invalidate });
    }
    if (step.clear) this.cache.clear();
    if (step.start !== undefined) this.calls.set(step.start, this.start(step));
    if (step.abort !== undefined) this.calls.get(step.abort)?.controller.abort();
    if (step.get !== undefined) {
      const call = this.start(step);
      await call.done;
      assertEquals(outcome(call), step.get);
    }
    await turns();
    this.check(step);
  }

  start({ forced, aborted }: Step): Call {
    const controller = new AbortController();
    if (aborted) controller.abort();
    const options = { signal: controller.signal, ...(forced && { forceRefresh: true }) };
    const call: { -readonly [K in keyof Call]: Call[K] } = { controller, done: Promise.resolve() };
    call.done = this.cache.get(options).then((result) => {
      this.last = call.result = result;
    }, (error) => {
      this.errors.push(call.error = error);
    });
    return call;
  }

  check(step: Step): void {
    for (const [name, expected] of Object.entries(step.settled ?? {})) {
      assertEquals([name, outcome(this.calls.get(name))], [name, expected]);
    }
    for (const name of step.waiting ?? []) assertEquals([name, outcome(this.calls.get(name))], [name, "waiting"]);
    if (step.sameError) assertStrictEquals(this.errors.at(-1), this.errors.at(-2));
    const { cache } = this;
    const seen: Step = {
      contacts: this.source.contacts,
      expiresIn: this.secondsUntil(this.last?.expiration),
      originallyIn: this.secondsUntil(this.last?.originalExpiration),
      backsOff: this.secondsUntil(cache.backingOffUntil),
      nextRefresh: this.secondsUntil(cache.nextRefresh),
      advisory: ((cache.expireTime?.getTime() ?? NaN) - (cache.nextRefresh?.getTime() ?? NaN)) / 1_000,
      expireTime: this.secondsUntil(cache.expireTime),
      needsRefresh: cache.needsRefresh(),
      expired: cache.expired,
    };
    for (const key of Object.keys(seen) as (keyof Step)[]) {
      if (key in step) assertEquals({ [key]: seen[key] }, { [key]: step[key] });
    }
    assert(this.source.mostAtOnce <= this.mostAtOnce, "too many contacts at once");
  }

  secondsUntil(date: Date | null | undefined): number | null {
    return date === undefined || date === null ? null : (date.getTime() - this.runtime.time) / 1_000;
  }
}

function outcome(call: Call | undefined): string {
  if (call?.result !== undefined) return call.result.accessKeyId;
  if (call === undefined || !("error" in call)) return "waiting";
  const { code, name } = (call.error ?? {}) as { code?: unknown; name?: string };
  return typeof code === "string" ? code : name ?? `${call.error}`;
}

/** Lets everything happen that needs no time. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

for (const table of ["cache_states", "cache_vectors", "cache_v2"]) {
  describe(`CredentialsCache.get() does what ${table}.json says`, () => {
    for (const row of readTable<Row>(table)) {
      it(row.name, async () => {
        const player = new Player(row);
        for (const step of row.steps) await player.play(step);
      });
    }
  });
}
