import { assert, assertEquals, assertFalse, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  cached,
  chain,
  type Credentials,
  CredentialsProviderError,
  fromInstanceMetadata,
  type RetrieveOptions,
} from "../mod.ts";
import { ImdsEmulator } from "../lib/testing/mod.ts";
import { FakeRuntime } from "./support/fake_runtime.ts";
import { printed } from "./support/printed.ts";

const CREDENTIALS: Credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "CANARY-secret", source: "test" };

function absent(code: "NoCredentials" | "ImdsNoRole" = "NoCredentials", hint?: string) {
  const error = new CredentialsProviderError(code, `Cannot get credentials: ${code} says no`, { hint });
  return { error, provider: () => Promise.reject(error) };
}

describe("chain()", () => {
  it("returns the credentials of the first available provider, and calls no further one", async () => {
    let calls = 0;
    const last = () => Promise.resolve({ ...CREDENTIALS, accessKeyId: `AKIA${calls++}` });
    const credentials = await chain(absent().provider, () => Promise.resolve(CREDENTIALS), last)();
    assertEquals({ ...credentials }, { ...CREDENTIALS });
    assertEquals(calls, 0);
    for (const shown of printed(credentials)) assertFalse(shown.includes("CANARY"), shown);
  });

  it("throws the error of a broken provider as it is, and calls no further one", async () => {
    const broken = new CredentialsProviderError("ImdsHttpError", "Cannot read: IMDS returned 500");
    const provider = chain(absent().provider, () => Promise.reject(broken), () => Promise.resolve(CREDENTIALS));
    assertStrictEquals(await provider().catch((error) => error), broken);
  });

  it("throws an error without tryNextLink as it is", async () => {
    for (const odd of [new Error("odd"), null, undefined, "text"]) {
      const provider = chain(() => Promise.reject(odd), () => Promise.resolve(CREDENTIALS));
      assertStrictEquals(await provider().catch((error) => error), odd);
    }
  });

  it("goes on after a foreign error that says so, as those of AWS SDK v3 do", async () => {
    const foreign = Object.assign(new Error("CANARY"), { name: "ProviderError", tryNextLink: true });
    assertEquals((await chain(() => Promise.reject(foreign), () => Promise.resolve(CREDENTIALS))()).source, "test");
    const error = await assertRejects(() => chain(() => Promise.reject(foreign))(), CredentialsProviderError);
    assert(error.message.endsWith("\n  ProviderError from provider 1, see errors[0]"), error.message);
    assertEquals(error.errors, [foreign]);
  });

  it("has a line for every provider's error and its fix, when none has credentials", async () => {
    const [first, second] = [absent(), absent("ImdsNoRole", "Attach a role.")];
    const error = await assertRejects(() => chain(first.provider, second.provider)(), CredentialsProviderError);
    assertEquals([error.code, error.tryNextLink, error.recoverable], ["NoCredentials", true, true]);
    assertEquals(error.errors, [first.error, second.error]);
    assertEquals(error.message.split("\n"), [
      "Cannot get credentials from any provider:",
      "  NoCredentials: Cannot get credentials: NoCredentials says no.",
      "  ImdsNoRole: Cannot get credentials: ImdsNoRole says no. Attach a role.",
    ]);
  });

  it("keeps a provider's error to one line, also that of a chain inside and of one that is not an error", async () => {
    const hostile = Object.assign(new Error("x"), { name: "E\r\nforged\u2028", tryNextLink: true });
    const unnamed = { tryNextLink: true };
    const inside = chain(absent().provider, () => Promise.reject(hostile));
    const provider = chain(() => Promise.reject(hostile), inside, () => Promise.reject(unnamed));
    const { message } = await assertRejects(() => provider(), CredentialsProviderError);
    assertEquals(message.split("\n").length, 4);
    assertEquals(message.split("\n")[1], "  E forged from provider 1, see errors[0]");
    assertEquals(message.split("\n")[3], "  an error from provider 3, see errors[2]");
  });

  it("is not recoverable, when no provider is", async () => {
    const error = await assertRejects(() => chain(absent().provider)(), CredentialsProviderError);
    assertEquals(error.recoverable, false);
  });

  it("takes objects and chains, and has the names of their providers", async () => {
    const source = { retrieve: () => Promise.resolve(CREDENTIALS), providerSources: () => ["Mine"] };
    const outer = chain(chain(absent().provider), source);
    assertEquals((await outer()).accessKeyId, "AKIAEXAMPLE");
    assertEquals(outer.providerSources?.(), ["Mine"]);
  });

  it("rejects a caller whose signal aborts, and goes on for the others", async () => {
    const controller = new AbortController();
    const ends: ((credentials: Credentials) => void)[] = [];
    const provider = chain(absent().provider, () => new Promise<Credentials>((resolve) => ends.push(resolve)));
    const [impatient, patient] = [provider({ signal: controller.signal }), provider()];
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await impatient.catch((error) => error), reason);
    ends[0]?.(CREDENTIALS);
    assertEquals([(await patient).source, ends.length], ["test", 1]);
  });

  it("passes forceRefresh on, and goes no further when a provider says that its signal is aborted", async () => {
    const seen: unknown[] = [];
    const reason = new DOMException("enough", "AbortError");
    const first = (options?: RetrieveOptions) => {
      seen.push(options);
      return Promise.reject(reason);
    };
    const provider = chain(first, () => Promise.resolve(CREDENTIALS));
    assertStrictEquals(await provider({ forceRefresh: true }).catch((error) => error), reason);
    assertEquals(seen, [{ forceRefresh: true }]);
  });

  it("throws at once, without a provider", () => {
    const { code, hint } = assertThrows(() => chain(), CredentialsProviderError);
    assertEquals([code, hint], ["ConfigurationError", "Give at least one, such as fromInstanceMetadata()."]);
  });
});

describe("chain() caches", () => {
  function onEc2() {
    const runtime = new FakeRuntime();
    const emulator = new ImdsEmulator({ runtime });
    runtime.answer = emulator.fetch;
    return { runtime, emulator };
  }

  it("what it returns, and has what every cached provider has", async () => {
    let calls = 0;
    const provider = chain(absent().provider, () => Promise.resolve({ ...CREDENTIALS, accessKeyId: `AKIA${calls++}` }));
    const [first, second] = [await provider(), await provider()];
    assertEquals([first.accessKeyId, second.accessKeyId], ["AKIA0", "AKIA0"]);
    assertEquals([provider.memoized, provider.cache.peek()?.accessKeyId], [true, "AKIA0"]);
    provider.invalidate(first);
    assertEquals((await provider()).accessKeyId, "AKIA1");
    provider.clear();
    assertEquals((await provider()).accessKeyId, "AKIA2");
  });

  it("as the provider that responded does: an instance role is served through an outage, a function is not", async () => {
    const { runtime, emulator } = onEc2();
    let mine: Credentials | undefined;
    const { error } = absent();
    const first = () => mine === undefined ? Promise.reject(error) : Promise.resolve(mine);
    const provider = cached(chain(first, fromInstanceMetadata({ runtime })), { runtime, logger: null });
    const { accessKeyId } = await provider();
    assertEquals(provider.cache.nextRefresh, new Date(Number(provider.cache.expireTime) - 3_600_000));

    runtime.time += 7 * 3_600_000;
    emulator.inject("reset", { times: Infinity });
    assertEquals((await provider()).accessKeyId, accessKeyId);

    runtime.time += 600_000;
    mine = { ...CREDENTIALS, expiration: new Date(runtime.time + 1_000) };
    assertEquals((await provider()).accessKeyId, "AKIAEXAMPLE");
    assertEquals(provider.cache.nextRefresh, mine.expiration);
    runtime.time += 1_000;
    mine = undefined;
    const gone = await assertRejects(() => provider(), CredentialsProviderError);
    assertEquals(gone.code, "NoCredentials");
  });

  it("a cached provider once: a refresh reaches its source", async () => {
    const { runtime, emulator } = onEc2();
    const provider = cached(chain(absent().provider, fromInstanceMetadata({ runtime })), { runtime });
    await provider();
    emulator.rotate();
    provider.invalidate();
    await provider();
    assertEquals([emulator.requests.length, provider.cache.needsRefresh()], [4, false]);
  });

  it("invalid credentials never: they are an error, and the chain does not go on", async () => {
    const provider = chain(() => Promise.resolve({} as Credentials), () => Promise.resolve(CREDENTIALS));
    const error = await assertRejects(() => provider(), CredentialsProviderError);
    assertEquals(error.code, "InvalidCredentials");
  });
});
