import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import process from "node:process";
import { inspect } from "node:util";
import {
  type CacheEvent,
  type CacheOptions,
  type Credentials,
  CredentialsCache,
  CredentialsProviderError,
  type Logger,
} from "../../mod.ts";
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

  /** Advances to a time, makes one call with this response of the source, and returns the events. */
  async get(seconds: number, response: ManualSource["response"], forceRefresh = false): Promise<readonly CacheEvent[]> {
    this.runtime.time = START + seconds * 1_000;
    this.source.response = response;
    await this.cache.get({ forceRefresh }).catch(() => {/* the events say it */});
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
      "warn: Serving credentials from ManualProvider that were expired when they arrived: the source has an outage, " +
      "or the clock of this machine is wrong; next attempt in 450 s",
    ]);
    assertEquals((await watched.get(1, "hang")).map(({ type }) => type), ["servedStale"]);
    assertEquals(watched.takeLines(), []);
  });

  it("retrieved as expired from the very millisecond of the expiration", async () => {
    const watched = new Watched();
    const [event] = await watched.get(0, { set: "AKID-1", lasts: 0 });
    assert(event?.type === "retrieved");
    assertEquals(event.expired, true);
  });

  it("refreshFailed while the cached credentials are valid, then recovered", async () => {
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
      `warn: Cannot refresh credentials from ManualProvider: ${OFFLINE}; serving the cached ones, still valid; ` +
      "next attempt in 450 s",
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
      "info: Refreshed credentials from ManualProvider; failed refreshes before: 2",
    ]);
    assertEquals((await watched.get(36_901, { set: "AKID-3", lasts: 21_600 })).map(({ type }) => type), ["retrieved"]);
  });

  it("refreshFailed of credentials that do not expire: only a call with forceRefresh retrieves again", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: null });
    watched.takeLines();
    const [event] = await watched.get(1, { fail: "recoverable" }, true);
    assert(event?.type === "refreshFailed");
    assertEquals([event.serving, event.nextAttempt], [true, undefined]);
    assertEquals(watched.takeLines(), [
      `warn: Cannot refresh credentials from ManualProvider: ${OFFLINE}; serving the cached ones, still valid; ` +
      "next attempt when a caller sets forceRefresh",
    ]);
  });

  it("refreshFailed and servedStale once the cached credentials are expired", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    const [failed, stale] = await watched.get(21_600, { fail: "recoverable" });
    assert(failed?.type === "refreshFailed");
    assertEquals([failed.serving, failed.expired, failed.nextAttempt], [true, true, at(22_050)]);
    assertEquals(stale, { type: "servedStale", source: "ManualProvider", expiration: at(21_600) });
    assertEquals(watched.takeLines(), [
      `warn: Cannot refresh credentials from ManualProvider: ${OFFLINE}; serving the cached ones, already expired; ` +
      "next attempt in 450 s",
    ]);
  });

  it("refreshFailed, with the reason, when expired credentials arrive and the cached ones are valid", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    const [failed, ...others] = await watched.get(18_000, { set: "AKID-2", lasts: 0 });
    assert(failed?.type === "refreshFailed");
    assertEquals([(failed.error as { code: string }).code, others], ["ExpiredCredentialsError", []]);
    assertEquals(watched.takeLines(), [
      "warn: Cannot refresh credentials from ManualProvider: ExpiredCredentialsError: Cannot use the credentials: they " +
      "were expired when they arrived; serving the cached ones, still valid; next attempt in 450 s",
    ]);
  });

  it("retrieved, but not recovered, when expired credentials replace expired ones", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    await watched.get(21_600, { fail: "recoverable" });
    watched.takeLines();
    const adopted = await watched.get(22_050, { set: "AKID-2", lasts: -60 });
    assertEquals(adopted.map(({ type }) => type), ["retrieved", "servedStale"]);
    assertEquals(watched.takeLines().map((line) => line.slice(0, 57)), [
      "warn: Serving credentials from ManualProvider that were e",
    ]);
    const [, recovered] = await watched.get(22_500, { set: "AKID-3", lasts: 21_600 });
    assertEquals(recovered, { type: "recovered", source: "ManualProvider", failures: 1 });
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

  it("refreshFailed of a source without static stability inside its expiry window", async () => {
    const watched = new Watched({ stable: false, expiryWindowSeconds: 60 });
    await watched.get(0, { set: "AKID-1", lasts: 600 });
    watched.takeLines();
    const [event] = await watched.get(550, { fail: "recoverable" });
    assert(event?.type === "refreshFailed");
    assertEquals([event.serving, event.expired, event.nextAttempt], [true, false, at(550)]);
    assertEquals(watched.takeLines(), [
      `warn: Cannot refresh credentials from ManualProvider: ${OFFLINE}; serving the cached ones, still valid; ` +
      "next attempt at the next call",
    ]);
  });

  it("invalidated, once, and only where it has an effect", async () => {
    const watched = new Watched();
    watched.cache.invalidate({ accessKeyId: "AKID-1" });
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    watched.cache.invalidate({ accessKeyId: "AKID-0" });
    assertEquals(watched.take(), []);
    watched.cache.invalidate({ accessKeyId: "AKID-1" });
    watched.cache.invalidate({ accessKeyId: "AKID-1" });
    watched.cache.invalidate();
    assertEquals(watched.take(), [{ type: "invalidated", source: "ManualProvider", accessKeyId: "AKID-1" }]);
    assertEquals(watched.takeLines(), ["debug: AWS rejected AKID-1 from ManualProvider"]);
  });

  it("nothing when the source returns the same credentials again", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    watched.takeLines();
    assertEquals(await watched.get(21_550, { set: "AKID-1", lasts: 50 }), []);
    assertEquals(watched.takeLines(), []);
  });

  it("nothing of a retrieval from before clear()", async () => {
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
    source.response = { set: "AKID-1", lasts };
    await cache.get();
    cache.invalidate({ accessKeyId: "AKID-0" });
    runtime.time += failAt * 1_000;
    source.response = { fail: "recoverable" };
    await cache.get();
    runtime.time += 600_000;
    source.response = { set: "AKID-2", lasts: 21_600 };
    await cache.get();
    return runtime.warnings;
  }

  it("a failed refresh that callers do not see", async () => {
    assertEquals(await warningsOf({}, 21_600, 18_000), [
      `Cannot refresh credentials from ManualProvider: ${OFFLINE}; serving the cached ones, still valid; ` +
      "next attempt in 450 s",
    ]);
  });

  it("credentials that arrived expired", async () => {
    const [first] = await warningsOf({}, -10, 450);
    assert(first?.startsWith("Serving credentials from ManualProvider that were expired"));
  });

  it("nothing for a source without static stability", async () => {
    assertEquals(await warningsOf({ stable: false, expiryWindowSeconds: 60 }, 600, 550), []);
  });

  it("nothing where the logger is null, or has no method for it", async () => {
    assertEquals(await warningsOf({ logger: null }, -10, 450), []);
    assertEquals(await warningsOf({ logger: {} }, -10, 450), []);
  });
});

describe("CredentialsCache serves callers, whatever is done by", () => {
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

  it("an observer that changes its event", async () => {
    const vandal = (event: CacheEvent) => event.type === "retrieved" && event.expiration?.setTime(0);
    const watched = new Watched({ onEvent: vandal });
    await watched.get(0, { set: "AKID-1", lasts: 21_600 });
    assertEquals(watched.cache.expireTime, at(21_600));
    assertEquals((await watched.cache.get()).expiration, at(21_600));
  });

  it("an observer that calls get() whenever expired credentials are served: it is not told of its own calls", async () => {
    const types: string[] = [];
    const served: Promise<Credentials>[] = [];
    const watched: Watched = new Watched({
      onEvent: ({ type }) => {
        types.push(type);
        if (type !== "servedStale") return;
        watched.cache.invalidate({ accessKeyId: "AKID-1" });
        served.push(watched.cache.get(), watched.cache.get());
      },
    });
    await watched.get(0, { set: "AKID-1", lasts: -60 });
    await watched.cache.get();
    assertEquals(types, ["retrieved", "servedStale", "invalidated", "servedStale"]);
    assertEquals((await Promise.all(served)).map(({ accessKeyId }) => accessKeyId), Array(4).fill("AKID-1"));
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

describe("CredentialsCache makes printable, in events and log lines,", () => {
  const HOSTILE = "a\r\nINFO forged \u001b[31m \u2028 \u202e b";
  const CLEAN = "a INFO forged  [31m     b";

  it("the access key id and the source", async () => {
    const watched = new Watched();
    const given = { accessKeyId: HOSTILE, secretAccessKey: "secret", source: HOSTILE, expiration: at(-60) };
    const events = [...await watched.get(0, { give: given })];
    watched.cache.invalidate();
    events.push(...await watched.get(450, { fail: "recoverable" }), ...watched.take());
    assertEquals(events.map(({ type }) => type), [
      "retrieved",
      "servedStale",
      "invalidated",
      "refreshFailed",
      "servedStale",
    ]);
    assertEquals([...new Set(events.map(({ source }) => source))], [CLEAN]);
    assertEquals(events.flatMap((event) => "accessKeyId" in event ? [event.accessKeyId] : []), [CLEAN, CLEAN]);
    assertEquals(watched.lines.filter((line) => /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(line)), []);
    assertEquals((await watched.cache.get()).accessKeyId, HOSTILE);
  });

  it("the name of a foreign error, and the message of one of this library's class", async () => {
    const watched = new Watched();
    await watched.get(0, { set: "AKID-1", lasts: 600 });
    await watched.get(400, { throw: Object.assign(new Error("x"), { name: `${HOSTILE}${"n".repeat(300)}` }) });
    await watched.get(900, { throw: new CredentialsProviderError("NoCredentials", HOSTILE, { recoverable: true }) });
    const [, foreign = "", own = ""] = watched.takeLines();
    assert(foreign.includes(CLEAN) && foreign.length < 450, foreign);
    assert(own.includes(`NoCredentials: ${CLEAN}; serving`), own);
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
    assert(watched.lines.some((line) => line.includes("ManualProvider: Error; serving the cached ones")));
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
    const cached: Credentials = await watched.cache.get();
    assert(cached.secretAccessKey.includes(CANARY));
    assertFalse(inspect(watched.cache, { depth: 9, showHidden: true, getters: true }).includes(CANARY));
    assertFalse(JSON.stringify(watched.cache).includes(CANARY));
  });
});
