import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import process from "node:process";
import { inspect } from "node:util";
import { type CacheEvent, type CacheOptions, type Credentials, CredentialsCache, type Logger } from "../../mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { CANARY, ManualSource } from "../support/manual_source.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number) => new Date(START + seconds * 1_000);

class Watched {
  readonly runtime = new FakeRuntime();
  readonly source: ManualSource;
  readonly cache: CredentialsCache;
  readonly events: CacheEvent[] = [];
  readonly lines: string[] = [];

  constructor({ stable = true, ...options }: CacheOptions & { readonly stable?: boolean } = {}) {
    const log = (level: keyof Logger) => (line: string) => void this.lines.push(`${level}: ${line}`);
    const logger = {
      trace: log("trace"),
      debug: log("debug"),
      info: log("info"),
      warn: log("warn"),
      error: log("error"),
    };
    this.source = new ManualSource(this.runtime.now, stable);
    const onEvent = (event: CacheEvent) => void this.events.push(event);
    this.cache = new CredentialsCache(this.source, { onEvent, logger, ...options, runtime: this.runtime });
  }

  /** Advances to a moment, answers one call, and returns what happened since. */
  async get(seconds: number, answer: ManualSource["answer"], forceRefresh = false): Promise<readonly CacheEvent[]> {
    this.runtime.time = START + seconds * 1_000;
    this.source.answer = answer;
    await this.cache.get({ forceRefresh }).catch(() => {/* events tell */});
    return this.take();
  }

  take(): readonly CacheEvent[] {
    return this.events.splice(0);
  }

  takeLines(): readonly string[] {
    return this.lines.splice(0);
  }
}

const OFFLINE = "ImdsUnreachable: Cannot reach IMDS: the test is offline";

describe("CredentialsCache reports", () => {
  it("retrieved, with a line for debugging", async () => {
    const watched = new Watched();
    assertEquals(await watched.get(0, { set: "AKID-1", lasts: 21_600 }), [{
      type: "retrieved",
      source: "ManualProvider",
      accessKeyId: "AKID-1",
      expiration: at(21_600),
      expired: false,
      nextAttempt: at(18_000),
    }]);
    assertEquals(watched.takeLines(), ["debug: Retrieved AKID-1 from ManualProvider"]);
    assertEquals(await watched.get(1, "hang"), []);
    assertEquals(watched.takeLines(), []);
  });

  it("retrieved and servedStale, with one warning, when the first credentials arrive expired", async () => {
    const watched = new Watched();
    assertEquals(await watched.get(0, { set: "AKID-1", lasts: -60 }), [
      {
        type: "retrieved",
        source: "ManualProvider",
        accessKeyId: "AKID-1",
        expiration: at(-60),
        expired: true,
        nextAttempt: at(450),
      },
      { type: "servedStale", source: "ManualProvider", expiration: at(-60) },
    ]);
    assertEquals(watched.takeLines(), [
      "warn: Credentials from ManualProvider arrived expired and are used all the same: the source has an outage or " +
      "this clock is wrong; next attempt in 450 s",
    ]);
    assertEquals((await watched.get(1, "hang")).map(({ type }) => type), ["servedStale"]);
    assertEquals(watched.takeLines(), []);
  });

  it("refreshFailed while the held credentials are valid, then recovered", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    const [event, ...others] = await watched.get(18_000, { fail: "recoverable" });
    assert(event?.type === "refreshFailed");
    const { error, ...rest } = event;
    assertEquals([(error as { code: string }).code, rest, others], [
      "ImdsUnreachable",
      { type: "refreshFailed", source: "ManualProvider", serving: true, expired: false, nextAttempt: at(18_450) },
      [],
    ]);
    assertEquals(watched.takeLines(), [
      `warn: Cannot refresh credentials from ManualProvider: ${OFFLINE}; the held ones, still valid, stay in use, next ` +
      "attempt in 450 s",
    ]);
    watched.runtime.nextRandom = 0.500_01;
    await watched.get(18_450, { fail: "recoverable" });
    assertEquals(watched.takeLines().map((line) => /in \d+ s$/.exec(line)?.[0]), ["in 451 s"]);
    watched.runtime.nextRandom = 0;
    const events = await watched.get(18_901, { set: "AKID-2", lasts: 21_600 });
    assertEquals(events.map(({ type }) => type), ["retrieved", "recovered"]);
    assertEquals(events[1], { type: "recovered", source: "ManualProvider", failures: 2 });
    assertEquals(watched.takeLines(), [
      "debug: Retrieved AKID-2 from ManualProvider",
      "info: Refreshed credentials from ManualProvider, failed before: 2",
    ]);
    assertEquals((await watched.get(36_901, { set: "AKID-3", lasts: 21_600 })).map(({ type }) => type), ["retrieved"]);
  });

  it("refreshFailed and servedStale once the held credentials are expired", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    const [failed, stale] = await watched.get(21_600, { set: "AKID-2", lasts: 0 });
    assert(failed?.type === "refreshFailed");
    assertEquals([failed.serving, failed.expired, failed.nextAttempt], [true, true, at(22_050)]);
    assertEquals(stale, { type: "servedStale", source: "ManualProvider", expiration: at(21_600) });
    assertEquals(watched.takeLines(), [
      "warn: Cannot refresh credentials from ManualProvider: ExpiredCredentialsError: Cannot use the credentials: they " +
      "were expired on arrival; the held ones, already expired, stay in use, next attempt in 450 s",
    ]);
  });

  it("refreshFailed without a line when the caller gets the error", async () => {
    const watched = new Watched();
    const [cold] = await watched.get(0, { fail: "recoverable" });
    assert(cold?.type === "refreshFailed");
    assertEquals([cold.source, cold.serving, cold.expired, cold.nextAttempt], [undefined, false, false, at(0)]);
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    const [final] = await watched.get(18_000, { fail: "final" });
    assert(final?.type === "refreshFailed");
    assertEquals([final.source, final.serving, final.nextAttempt], ["ManualProvider", false, at(18_003)]);
    assertEquals(await watched.get(18_001, "hang"), []);
    assertEquals(watched.takeLines(), []);
  });

  it("refreshFailed of another source that is bridged inside expiryWindow", async () => {
    const watched = new Watched({ stable: false, expiryWindow: 60 });
    await watched.get(0, { set: "AKID-1", lasts: 600 });
    watched.takeLines();
    const [event] = await watched.get(550, { fail: "recoverable" });
    assert(event?.type === "refreshFailed");
    assertEquals([event.serving, event.expired, event.nextAttempt], [true, false, at(550)]);
    assertEquals(watched.takeLines(), [
      `warn: Cannot refresh credentials from ManualProvider: ${OFFLINE}; the held ones, still valid, stay in use, next ` +
      "attempt at the next call",
    ]);
  });

  it("invalidated, once, and only where it has an effect", async () => {
    const watched = new Watched();
    watched.cache.invalidate({ accessKeyId: "AKID-1" });
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    watched.cache.invalidate();
    watched.cache.invalidate({ accessKeyId: "AKID-0" });
    assertEquals(watched.take(), []);
    watched.cache.invalidate({ accessKeyId: "AKID-1" });
    watched.cache.invalidate({ accessKeyId: "AKID-1" });
    assertEquals(watched.take(), [{ type: "invalidated", source: "ManualProvider", accessKeyId: "AKID-1" }]);
    assertEquals(watched.takeLines(), ["debug: AWS refused AKID-1 from ManualProvider"]);
  });

  it("nothing when the source returns the same credentials again", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    assertEquals(await watched.get(21_550, { set: "AKID-1", lasts: 50 }), []);
    assertEquals(watched.takeLines(), []);
  });

  it("nothing of a retrieval that clear() let go of", async () => {
    const watched = new Watched();
    const call = watched.cache.get();
    watched.cache.clear();
    watched.source.land({ set: "AKID-1", lasts: -1 });
    assertEquals((await call).accessKeyId, "AKID-1");
    assertEquals(watched.take().map(({ type }) => type), ["servedStale"]);
    assertEquals(watched.takeLines(), []);
  });
});

describe("CredentialsCache without a logger prints", () => {
  async function warningsOf(options: CacheOptions & { readonly stable?: boolean }, lasts: number, failAt: number) {
    const runtime = new FakeRuntime();
    const source = new ManualSource(runtime.now, options.stable ?? true);
    const cache = new CredentialsCache(source, { ...options, runtime });
    source.answer = { set: "AKID-1", lasts };
    await cache.get();
    cache.invalidate({ accessKeyId: "AKID-0" });
    runtime.time += failAt * 1_000;
    source.answer = { fail: "recoverable" };
    await cache.get();
    runtime.time += 600_000;
    source.answer = { set: "AKID-2", lasts: 21_600 };
    await cache.get();
    return runtime.warnings;
  }

  it("a refresh that failed in silence", async () => {
    assertEquals(await warningsOf({}, 21_600, 18_000), [
      `Cannot refresh credentials from ManualProvider: ${OFFLINE}; the held ones, still valid, stay in use, next ` +
      "attempt in 450 s",
    ]);
  });

  it("credentials that arrived expired", async () => {
    const [first] = await warningsOf({}, -10, 450);
    assert(first?.startsWith("Credentials from ManualProvider arrived expired"));
  });

  it("nothing for a source without static stability", async () => {
    assertEquals(await warningsOf({ stable: false, expiryWindow: 60 }, 600, 550), []);
  });

  it("nothing where the logger is null, or has no method for it", async () => {
    assertEquals(await warningsOf({ logger: null }, -10, 450), []);
    assertEquals(await warningsOf({ logger: {} }, -10, 450), []);
  });
});

describe("CredentialsCache serves in spite of", () => {
  const broken = (): never => {
    throw new Error("the observer is broken");
  };
  const rejecting = () => Promise.reject(new Error("the observer is broken"));

  for (const [name, observer] of Object.entries({ "throws": broken, "rejects": rejecting })) {
    it(`an observer and a logger that ${name}`, async () => {
      const unhandled: unknown[] = [];
      const note = (reason: unknown) => void unhandled.push(reason);
      process.on("unhandledRejection", note);
      const logger = { debug: observer, info: observer, warn: observer };
      const watched = new Watched({ onEvent: observer, logger });
      await watched.get(0, { set: "AKID-1", lasts: 21_600 });
      await watched.get(18_000, { fail: "recoverable" });
      assertEquals((await watched.cache.get()).accessKeyId, "AKID-1");
      watched.cache.invalidate({ accessKeyId: "AKID-1" });
      await watched.get(18_450, { set: "AKID-2", lasts: 21_600 });
      assertEquals((await watched.cache.get()).accessKeyId, "AKID-2");
      await new Promise((resolve) => setTimeout(resolve));
      process.off("unhandledRejection", note);
      assertEquals(unhandled, []);
    });
  }

  it("an observer that throws: the log line is written all the same", async () => {
    const watched = new Watched({ onEvent: broken });
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    assertEquals(watched.takeLines(), ["debug: Retrieved AKID-1 from ManualProvider"]);
  });

  it("an observer that changes what it is told", async () => {
    const vandal = (event: CacheEvent) => event.type === "retrieved" && event.expiration?.setTime(0);
    const watched = new Watched({ onEvent: vandal });
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    assertEquals(watched.cache.expireTime, at(21_600));
    assertEquals((await watched.cache.get()).expiration, at(21_600));
  });

  it("a logger whose methods need their object", async () => {
    class Log implements Logger {
      readonly lines: string[] = [];
      debug(this: Log, line: string): void {
        this.lines.push(line);
      }
    }
    const logger = new Log();
    await new Watched({ logger }).get(0, { set: "AKID-1", lasts: 21_600 });
    assertEquals(logger.lines, ["Retrieved AKID-1 from ManualProvider"]);
  });
});

describe("CredentialsCache keeps secrets out of", () => {
  async function everything(watched: Watched): Promise<void> {
    await watched.get(0, { set: "AKID-1", lasts: -60 });
    await watched.get(450, { fail: "recoverable" });
    await watched.get(900, { fail: "final" });
    await watched.get(905, { throw: new Error(`${CANARY} in a foreign error`) });
    await watched.get(1_355, { give: { accessKeyId: "", secretAccessKey: CANARY } });
    await watched.get(1_805, { set: "AKID-2", lasts: 21_600 });
    watched.cache.invalidate({ accessKeyId: "AKID-2" });
  }

  it("its log, also where a foreign error quotes them", async () => {
    const watched = new Watched();
    await everything(watched);
    assert(watched.lines.length > 5);
    assertEquals(watched.lines.filter((line) => line.includes(CANARY)), []);
    assert(watched.lines.some((line) => line.includes("ManualProvider: Error; the held ones")));
  });

  it("a line about an error that only looks like ours", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 600 });
    const foreign = Object.assign(new Error(`Command failed: ${CANARY}`), { name: "CredentialsProviderError" });
    await watched.get(400, { throw: Object.assign(foreign, { code: CANARY, tryNextLink: true }) });
    await watched.get(900, { throw: CANARY });
    const lines = watched.takeLines();
    assertEquals(lines.map((line) => /Provider: (.*?);/.exec(line)?.[1]), [
      undefined,
      "CredentialsProviderError",
      "an unknown error",
    ]);
    assertEquals(lines.filter((line) => line.includes(CANARY)), []);
  });

  it("its events, but for the text of a foreign error", async () => {
    const events: CacheEvent[] = [];
    await everything(new Watched({ onEvent: (event) => void events.push(event) }));
    const ours = events.filter((event) => event.type !== "refreshFailed" || !/foreign/.test(`${event.error}`));
    assertEquals(new Set(ours.map(({ type }) => type)).size, 5);
    const hidden = (_key: string, value: unknown) => value instanceof Error ? { ...value, text: value.stack } : value;
    assertFalse(JSON.stringify(ours, hidden).includes(CANARY));
    assertFalse(inspect(ours, { depth: 9, showHidden: true }).includes(CANARY));
  });

  it("itself, when printed", async () => {
    const watched = new Watched();
    await everything(watched);
    const held: Credentials = await watched.cache.get();
    assert(held.secretAccessKey.includes(CANARY));
    assertFalse(inspect(watched.cache, { depth: 9, showHidden: true, getters: true }).includes(CANARY));
    assertFalse(JSON.stringify(watched.cache).includes(CANARY));
  });
});
