import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { inspect } from "node:util";
import {
  CredentialsCache,
  type CredentialsProvider,
  CredentialsProviderError,
  type CredentialsSource,
} from "../../mod.ts";
import { fromInstanceMetadata, type RetrieveOptions } from "../../mod.ts";
import { ImdsEmulator } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { ManualSource } from "../support/manual_source.ts";

function emulated() {
  const runtime = new FakeRuntime();
  const emulator = new ImdsEmulator({ runtime });
  runtime.answer = emulator.fetch;
  return { emulator, runtime, provider: fromInstanceMetadata({ runtime }) };
}

describe("CachedProvider", () => {
  it("tells AWS SDK v3 that it is memoized", () => {
    assertStrictEquals(emulated().provider.memoized, true);
  });

  it("caches, and asks for new credentials with forceRefresh", async () => {
    const { emulator, provider } = emulated();
    const first = await provider();
    assertEquals((await provider()).accessKeyId, first.accessKeyId);
    assertEquals(emulator.requests.length, 3);
    emulator.rotate();
    const second = await provider({ forceRefresh: true });
    assertEquals(second.accessKeyId === first.accessKeyId, false);
    assertEquals(emulator.requests.length, 4);
  });

  it("ignores what else AWS SDK v3 hands in", async () => {
    const { emulator, provider } = emulated();
    const callerClientConfig = { region: () => Promise.resolve("us-east-1"), profile: "x" };
    const sdk = provider as (options?: unknown) => Promise<unknown>;
    for (const options of [{ callerClientConfig }, { callerClientConfig, forceRefresh: false }, {}, null, undefined]) {
      await sdk(options);
    }
    assertEquals(emulator.requests.length, 3);
  });

  it("invalidate() and clear() are those of its cache", async () => {
    const { emulator, provider } = emulated();
    const held = await provider();
    provider.invalidate(held);
    assertEquals(provider.cache.needsRefresh(), true);
    emulator.rotate();
    const next = await provider();
    provider.clear();
    assertEquals(provider.cache.expireTime, null);
    assertEquals((await provider()).accessKeyId, next.accessKeyId);
    assertEquals(emulator.requests.length, 5);
  });

  it("prints without secrets", async () => {
    const { provider } = emulated();
    const { secretAccessKey } = await provider();
    assertEquals(inspect(provider, { depth: 9, showHidden: true }).includes(secretAccessKey), false);
  });
});

describe("CredentialsCache wraps", () => {
  const fields = { accessKeyId: "AKID", secretAccessKey: "secret" };

  it("an object that retrieves, keeping its this", async () => {
    class Source implements CredentialsSource {
      readonly #fields = { ...fields, source: "mine" };
      retrieve() {
        return Promise.resolve(this.#fields);
      }
    }
    assertEquals<object>({ ...await new CredentialsCache(new Source()).get() }, { ...fields, source: "mine" });
  });

  it("a function, whose source is then called custom", async () => {
    assertEquals<object>({ ...await new CredentialsCache(() => Promise.resolve(fields)).get() }, {
      ...fields,
      source: "custom",
    });
  });

  it("a function that throws at once: that is a rejection, too", async () => {
    let isBroken = true;
    const cache = new CredentialsCache(() => {
      if (isBroken) throw new RangeError("at once");
      return Promise.resolve(fields);
    });
    await assertRejects(() => cache.get(), RangeError, "at once");
    isBroken = false;
    assertEquals((await cache.get()).accessKeyId, "AKID");
  });

  it("another cached provider: what is forced reaches the source, and two caches make one contact", async () => {
    const { emulator, provider, runtime } = emulated();
    const cache = new CredentialsCache(provider, { runtime });
    const first = await cache.get();
    await Promise.all([cache.get(), provider()]);
    assertEquals(emulator.requests.length, 3);
    emulator.rotate();
    cache.invalidate(first);
    const second = await cache.get();
    assertEquals([second.accessKeyId === first.accessKeyId, emulator.requests.length], [false, 4]);
    assertEquals((await provider()).accessKeyId, second.accessKeyId);
  });

  it("another cached provider in an outage: the extended end and the real one go through", async () => {
    const { emulator, provider, runtime } = emulated();
    const cache = new CredentialsCache(provider, { runtime });
    const { expiration } = await cache.get();
    emulator.inject("reset", { times: Infinity });
    runtime.time = Number(expiration);
    const bridged = await cache.get();
    assertEquals([bridged.expiration, bridged.originalExpiration], [new Date(runtime.time + 450_000), expiration]);
  });

  it("a source without letting the caller's signal through", async () => {
    const seen: (RetrieveOptions | undefined)[] = [];
    const source: CredentialsProvider = (options) => {
      seen.push(options);
      return Promise.resolve({ ...fields, source: "test" });
    };
    const cache = new CredentialsCache(source);
    const { signal } = new AbortController();
    await cache.get({ signal });
    await cache.get({ signal, forceRefresh: true });
    assertEquals(seen, [undefined, { forceRefresh: true }]);
  });

  it("and rejects a caller that gives up with the reason of its signal", async () => {
    const controller = new AbortController();
    const cache = new CredentialsCache(new ManualSource(Date.now));
    const call = cache.get({ signal: controller.signal });
    const reason = new RangeError("enough");
    controller.abort(reason);
    assertStrictEquals(await call.catch((error) => error), reason);
    assertStrictEquals(await cache.get({ signal: controller.signal }).catch((error) => error), reason);
  });

  it("nothing with options out of range", () => {
    const source = () => Promise.resolve(fields);
    const wrong = [
      { advisoryWindow: NaN },
      { advisoryWindowJitter: 1.5 },
      { expiryWindow: -1 },
      { onEvent: "log" as never },
    ];
    for (const options of wrong) {
      const error = assertThrows(() => new CredentialsCache(source, options), CredentialsProviderError);
      assertEquals([error.code, error.message.includes(`${Object.keys(options)}`)], ["ConfigurationError", true]);
    }
  });
});

describe("CredentialsCache asks the hooks of a source without static stability", () => {
  const runtime = new FakeRuntime();
  const at = (seconds: number) => new Date(runtime.time + seconds * 1_000);

  it("handleFailToRefresh() decides what to go on with", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now, false);
    const seen: unknown[] = [];
    source.handleFailToRefresh = (previous, error) => {
      seen.push([previous?.accessKeyId, (error as CredentialsProviderError).code]);
      if (previous === undefined) throw error;
      return { ...previous, expiration: at(600) };
    };
    const cache = new CredentialsCache(source, { runtime, logger: null });
    source.answer = { fail: "recoverable" };
    await assertRejects(() => cache.get(), CredentialsProviderError);
    source.answer = { set: "AKID", lasts: 60 };
    await cache.get();
    runtime.time += 60_000;
    source.answer = { fail: "recoverable" };
    assertEquals((await cache.get()).expiration, at(600));
    await cache.get();
    assertEquals(seen, [[undefined, "ImdsUnreachable"], ["AKID", "ImdsUnreachable"]]);
    assertEquals(source.contacts, 3);
  });

  it("handleFailToRefresh() that returns nothing usable leaves the error to the caller", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now, false);
    source.handleFailToRefresh = () => ({}) as never;
    source.answer = { fail: "recoverable" };
    const error = await assertRejects(() => new CredentialsCache(source, { runtime }).get(), CredentialsProviderError);
    assertEquals(error.code, "ImdsUnreachable");
  });

  it("adjustExpiresBy() moves the end by expiryWindow less its jitter", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now, false);
    source.adjustExpiresBy = (credentials, ms) => {
      return { ...credentials, expiration: new Date(Number(credentials.expiration) + ms) };
    };
    source.answer = { set: "AKID", lasts: 3_600 };
    const cache = new CredentialsCache(source, { runtime, expiryWindow: 300, advisoryWindowJitter: 0.5 });
    assertEquals((await cache.get()).expiration, at(3_600 - 225));
    assertEquals(cache.nextRefresh, at(3_600 - 225));
  });

  it("and none of a source with it", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now);
    source.handleFailToRefresh = source.adjustExpiresBy = () => {
      throw new Error("asked");
    };
    const cache = new CredentialsCache(source, { runtime, expiryWindow: 300, logger: null });
    source.answer = { set: "AKID", lasts: 3_600 };
    await cache.get();
    runtime.time += 3_600_000;
    source.answer = { fail: "recoverable" };
    assertEquals((await cache.get()).accessKeyId, "AKID");
  });
});
