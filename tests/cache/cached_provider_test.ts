import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { inspect } from "node:util";
import {
  cached,
  chain,
  CredentialsCache,
  type CredentialsProvider,
  CredentialsProviderError,
  type CredentialsSource,
  fromInstanceMetadata,
  type RetrieveOptions,
} from "../../mod.ts";
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

  it("caches, and retrieves new credentials with forceRefresh", async () => {
    const { emulator, provider } = emulated();
    const first = await provider();
    assertEquals((await provider()).accessKeyId, first.accessKeyId);
    assertEquals(emulator.requests.length, 3);
    emulator.rotate();
    const second = await provider({ forceRefresh: true });
    assertEquals(second.accessKeyId === first.accessKeyId, false);
    assertEquals(emulator.requests.length, 4);
  });

  it("ignores the other options of AWS SDK v3", async () => {
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
    provider.invalidate(await provider());
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

  it("a function that throws at once: get() rejects", async () => {
    let isBroken = true;
    const cache = new CredentialsCache(() => {
      if (isBroken) throw new RangeError("at once");
      return Promise.resolve(fields);
    });
    await assertRejects(() => cache.get(), RangeError, "at once");
    isBroken = false;
    assertEquals((await cache.get()).accessKeyId, "AKID");
  });

  it("a source, which does not see the caller's signal", async () => {
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

  it("a source, which is told to refresh by force only where a caller says so or AWS rejected the credentials", async () => {
    const runtime = new FakeRuntime();
    const source = new ManualSource(runtime.now, false);
    source.response = { set: "AKID", lasts: 60 };
    const cache = new CredentialsCache(source, { runtime });
    await cache.get();
    runtime.time += 60_000;
    await cache.get();
    cache.invalidate();
    await cache.get();
    assertEquals(source.options, [undefined, undefined, { forceRefresh: true }]);
  });

  it("a source, from which refresh() retrieves now, with the signal of its caller", async () => {
    const runtime = new FakeRuntime();
    const source = new ManualSource(runtime.now);
    source.response = { set: "AKID-1", lasts: 21_600 };
    const cache = new CredentialsCache(source, { runtime });
    await cache.get();
    source.response = { set: "AKID-2", lasts: 21_600 };
    assertEquals((await cache.refresh()).accessKeyId, "AKID-2");
    assertEquals(source.options, [undefined, { forceRefresh: true }]);
    const reason = new RangeError("enough");
    assertStrictEquals(await cache.refresh({ signal: AbortSignal.abort(reason) }).catch((error) => error), reason);
  });

  it("a source, and rejects a caller that gives up with the reason of its signal", async () => {
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
      { expiryWindowSeconds: -1 },
      { onEvent: "log" as never },
    ];
    for (const options of wrong) {
      const error = assertThrows(() => new CredentialsCache(source, options), CredentialsProviderError);
      assertEquals([error.code, error.message.includes(`${Object.keys(options)}`)], ["ConfigurationError", true]);
    }
  });

  it("nothing that cannot retrieve", () => {
    for (const provider of [undefined, null, fields, "AKID", { retrieve: true }]) {
      for (const wrap of [cached, chain, (provider: never) => new CredentialsCache(provider)]) {
        const error = assertThrows(() => wrap(provider as never), CredentialsProviderError);
        assertEquals(error.code, "ConfigurationError");
        assert(
          error.message.includes("provider must be a function, or an object with a function retrieve()"),
          error.message,
        );
      }
    }
  });
});

describe("cached()", () => {
  const fields = { accessKeyId: "AKID", secretAccessKey: "secret" };

  it("puts a cache with options in front of any source", async () => {
    const runtime = new FakeRuntime();
    const source = new ManualSource(runtime.now);
    source.response = { set: "AKID", lasts: 3_600 };
    const provider = cached(source, { runtime, advisoryWindow: 60_000 });
    assertEquals([(await provider()).accessKeyId, (await provider()).accessKeyId], ["AKID", "AKID"]);
    assertEquals([source.contacts, provider.memoized], [1, true]);
    assertEquals(provider.cache.nextRefresh, new Date(runtime.time + 3_540_000));
  });

  it("takes a function, too", async () => {
    const provider = cached(() => Promise.resolve(fields));
    assertEquals([(await provider()).source, provider.cache.peek()?.accessKeyId], ["custom", "AKID"]);
  });

  it("makes a source that retrieves past the cache, with the hooks of the source in front", async () => {
    const runtime = new FakeRuntime();
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now);
    source.response = { set: "AKID", lasts: 3_600 };
    assertEquals(cached(source).handleFailToRefresh, undefined);
    source.handleFailToRefresh = function (this: ManualSource) {
      return this.set("HOOK-1", 60);
    };
    source.adjustExpiresBy = function (this: ManualSource) {
      return this.set("HOOK-2", 60);
    };
    source.providerSources = function (this: ManualSource) {
      return [`contacted ${this.contacts} times`];
    };
    const provider = cached(source, { runtime });
    await provider.retrieve();
    await provider.retrieve({ forceRefresh: true });
    assertEquals(source.options, [undefined, { forceRefresh: true }]);
    assertEquals(provider.cache.peek(), undefined);
    assertEquals(provider.staticStability, true);
    assertEquals(provider.handleFailToRefresh?.(undefined, undefined).accessKeyId, "HOOK-1");
    assertEquals(provider.adjustExpiresBy?.(source.set("AKID", 60), 0).accessKeyId, "HOOK-2");
    assertEquals(provider.providerSources?.(), ["contacted 2 times"]);
  });
});

describe("a cached provider in another cache is cached once", () => {
  const LIFETIME = 21_600;

  /** The source inside one, two or three caches, and the outermost one. */
  function nested(depth: number) {
    const runtime = new FakeRuntime();
    const source = new ManualSource(runtime.now);
    source.response = { set: "AKID-1", lasts: LIFETIME };
    const options = { runtime, logger: null, advisoryWindowJitter: 0.5 };
    let provider = cached(source, options);
    if (depth > 2) provider = chain(provider);
    if (depth > 1) provider = cached(provider, options);
    return { runtime, source, provider };
  }

  for (const depth of [1, 2, 3]) {
    it(`with the windows of one cache, and one backoff, ${depth} deep`, async () => {
      const { runtime, source, provider } = nested(depth);
      const start = runtime.time;
      await provider();
      assertEquals(provider.cache.nextRefresh, new Date(start + (LIFETIME - 3_600 * 0.75) * 1_000));
      runtime.time = Number(provider.cache.nextRefresh);
      source.response = { fail: "recoverable" };
      const served = await provider();
      assertEquals([served.accessKeyId, served.originalExpiration], ["AKID-1", undefined]);
      assertEquals(provider.cache.backingOffUntil, new Date(runtime.time + 450_000));
      runtime.time = start + LIFETIME * 1_000;
      const bridged = await provider();
      assertEquals(bridged.originalExpiration, new Date(start + LIFETIME * 1_000));
      assertEquals(source.contacts, 3);
    });

    it(`and invalidate(), clear() and forceRefresh reach the source, ${depth} deep`, async () => {
      const { source, provider } = nested(depth);
      await provider();
      provider.clear();
      await provider();
      await provider({ forceRefresh: true });
      provider.invalidate();
      await provider();
      assertEquals(source.options, [undefined, undefined, { forceRefresh: true }, { forceRefresh: true }]);
    });
  }

  it("with one expiry window of a source without static stability", async () => {
    const runtime = new FakeRuntime();
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now, false);
    source.response = { set: "AKID", lasts: 600 };
    source.adjustExpiresBy = (credentials, ms) => {
      return { ...credentials, expiration: new Date(Number(credentials.expiration) + ms) };
    };
    const provider = cached(cached(source, { runtime, expiryWindowSeconds: 60 }), { runtime, expiryWindowSeconds: 60 });
    assertEquals((await provider()).expiration, new Date(runtime.time + 540_000));
    assertEquals(provider.cache.nextRefresh, new Date(runtime.time + 540_000));
  });
});

describe("CredentialsCache calls the hooks of a source without static stability", () => {
  const runtime = new FakeRuntime();
  const at = (seconds: number) => new Date(runtime.time + seconds * 1_000);

  it("handleFailToRefresh() decides what is served", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now, false);
    const seen: unknown[] = [];
    source.handleFailToRefresh = (previous, error) => {
      seen.push([previous?.accessKeyId, (error as CredentialsProviderError).code]);
      if (previous === undefined) throw error;
      return { ...previous, expiration: at(600) };
    };
    const cache = new CredentialsCache(source, { runtime, logger: null });
    source.response = { fail: "recoverable" };
    await assertRejects(() => cache.get(), CredentialsProviderError);
    source.response = { set: "AKID", lasts: 60 };
    await cache.get();
    runtime.time += 60_000;
    source.response = { fail: "recoverable" };
    assertEquals((await cache.get()).expiration, at(600));
    await cache.get();
    assertEquals(seen, [[undefined, "ImdsUnreachable"], ["AKID", "ImdsUnreachable"]]);
    assertEquals(source.contacts, 3);
  });

  it("handleFailToRefresh() that returns no credentials leaves the error to the caller", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now, false);
    source.handleFailToRefresh = () => ({}) as never;
    source.response = { fail: "recoverable" };
    const error = await assertRejects(() => new CredentialsCache(source, { runtime }).get(), CredentialsProviderError);
    assertEquals(error.code, "ImdsUnreachable");
  });

  it("adjustExpiresBy() moves the expiration by expiryWindowSeconds less its jitter", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now, false);
    source.adjustExpiresBy = (credentials, ms) => {
      return { ...credentials, expiration: new Date(Number(credentials.expiration) + ms) };
    };
    source.response = { set: "AKID", lasts: 3_600 };
    const cache = new CredentialsCache(source, { runtime, expiryWindowSeconds: 300, advisoryWindowJitter: 0.5 });
    assertEquals((await cache.get()).expiration, at(3_600 - 225));
    assertEquals(cache.nextRefresh, at(3_600 - 225));
  });

  it("adjustExpiresBy() is not called without an expiry window", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now, false);
    source.adjustExpiresBy = () => {
      throw new Error("called");
    };
    source.response = { set: "AKID", lasts: 3_600 };
    assertEquals((await new CredentialsCache(source, { runtime }).get()).expiration, at(3_600));
  });

  it("and none of a source with it", async () => {
    const source: ManualSource & Partial<CredentialsSource> = new ManualSource(runtime.now);
    source.handleFailToRefresh = source.adjustExpiresBy = () => {
      throw new Error("called");
    };
    const cache = new CredentialsCache(source, { runtime, expiryWindowSeconds: 300, logger: null });
    source.response = { set: "AKID", lasts: 3_600 };
    await cache.get();
    runtime.time += 3_600_000;
    source.response = { fail: "recoverable" };
    assertEquals((await cache.get()).accessKeyId, "AKID");
  });
});
