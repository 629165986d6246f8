import { assert, assertEquals, assertFalse, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  chain,
  type Credentials,
  CredentialsCache,
  CredentialsProviderError,
  fromInstanceMetadata,
  InstanceMetadataProvider,
} from "../mod.ts";
import { ImdsEmulator } from "../lib/testing/mod.ts";
import { FakeRuntime } from "./support/fake_runtime.ts";
import { printed } from "./support/printed.ts";

const CREDENTIALS: Credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "CANARY-secret", source: "test" };

function absent(code: "NoCredentials" | "ImdsNoRole" = "NoCredentials") {
  const error = new CredentialsProviderError(code, `Cannot get credentials: ${code} says no`);
  return { error, provider: () => Promise.reject(error) };
}

describe("chain()", () => {
  it("returns what the first available provider has, and asks no further", async () => {
    let asked = 0;
    const last = () => Promise.resolve({ ...CREDENTIALS, accessKeyId: `AKIA${asked++}` });
    const credentials = await chain(absent().provider, () => Promise.resolve(CREDENTIALS), last)();
    assertEquals({ ...credentials }, { ...CREDENTIALS });
    assertEquals(asked, 0);
    for (const shown of printed(credentials)) assertFalse(shown.includes("CANARY"), shown);
  });

  it("throws the error of a broken provider as it is, and asks no further", async () => {
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
    assert(error.message.endsWith("\n  ProviderError"), error.message);
    assertEquals(error.errors, [foreign]);
  });

  it("tells every provider's error in a line, when none has credentials", async () => {
    const [first, second] = [absent(), absent("ImdsNoRole")];
    const error = await assertRejects(() => chain(first.provider, second.provider)(), CredentialsProviderError);
    assertEquals([error.code, error.tryNextLink, error.recoverable], ["NoCredentials", true, true]);
    assertEquals(error.errors, [first.error, second.error]);
    assertEquals(error.message.split("\n"), [
      "Cannot get credentials from any provider:",
      "  NoCredentials: Cannot get credentials: NoCredentials says no",
      "  ImdsNoRole: Cannot get credentials: ImdsNoRole says no",
    ]);
  });

  it("is not recoverable, when no provider is", async () => {
    const error = await assertRejects(() => chain(absent().provider)(), CredentialsProviderError);
    assertEquals(error.recoverable, false);
  });

  it("takes objects and chains, and names what they stand for", async () => {
    const source = { retrieve: () => Promise.resolve(CREDENTIALS), providerSources: () => ["Mine"] };
    const outer = chain(chain(absent().provider), source);
    assertEquals((await outer()).accessKeyId, "AKIAEXAMPLE");
    assertEquals(outer.providerSources?.(), ["Mine"]);
  });

  it("passes the signal on, and goes no further when it aborts", async () => {
    const reason = new Error("enough");
    const waiting = (options?: { signal?: AbortSignal }): Promise<Credentials> =>
      Promise.reject(options?.signal?.reason);
    const provider = chain(waiting, () => Promise.resolve(CREDENTIALS));
    assertStrictEquals(await provider({ signal: AbortSignal.abort(reason) }).catch((error) => error), reason);
  });

  it("throws at once, without a provider", () => {
    assertEquals(assertThrows(() => chain(), CredentialsProviderError).code, "ConfigurationError");
  });
});

describe("CredentialsCache over a chain", () => {
  it("keeps what an instance role gave through an outage, and asks a function again when its credentials end", async () => {
    const runtime = new FakeRuntime();
    const emulator = new ImdsEmulator({ runtime });
    runtime.answer = emulator.fetch;
    let mine: Credentials | undefined;
    const { error } = absent();
    const first = () => mine === undefined ? Promise.reject(error) : Promise.resolve(mine);
    const cache = new CredentialsCache(chain(first, new InstanceMetadataProvider({ runtime })), { runtime });
    const { accessKeyId } = await cache.get();

    runtime.time += 7 * 3_600_000;
    emulator.inject("reset", { times: Infinity });
    assertEquals((await cache.get()).accessKeyId, accessKeyId);

    runtime.time += 600_000;
    mine = { ...CREDENTIALS, expiration: new Date(runtime.time + 1_000) };
    assertEquals((await cache.get()).accessKeyId, "AKIAEXAMPLE");
    runtime.time += 1_000;
    mine = undefined;
    const gone = await assertRejects(() => cache.get(), CredentialsProviderError);
    assertEquals(gone.code, "NoCredentials");
  });

  it("takes a cached provider as a link", async () => {
    const runtime = new FakeRuntime();
    runtime.answer = new ImdsEmulator({ runtime }).fetch;
    const provider = chain(absent().provider, fromInstanceMetadata({ runtime }));
    assertEquals((await provider()).source, "EC2RoleProvider");
  });
});
