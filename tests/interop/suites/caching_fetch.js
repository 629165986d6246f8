// Frameworks such as Next.js replace `fetch` by one that stores responses unless a request says `cache: "no-store"`.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fromContainerMetadata, fromInstanceMetadata, fromWebToken } from "../../../.build/mod.js";
import { EcsEmulator, ImdsEmulator, serveEmulator, StsEmulator } from "../../../.build/lib/testing/mod.js";

const env = () => undefined;
const settings = { sharedConfig: {}, logger: null, runtime: { env } };
const { fetch } = globalThis;

let stored;
beforeEach(() => {
  stored = new Map();
  globalThis.fetch = cachingFetch;
});
afterEach(() => void (globalThis.fetch = fetch));

/** Stores by method, URL and body, and looks at neither headers nor expiration, as the data cache of Next.js does. */
async function cachingFetch(input, init = {}) {
  if (init.cache === "no-store") return await fetch(input, init);
  const key = [
    init.method ?? "GET",
    String(input?.url ?? input),
    String(init.body),
  ].join(" ");
  if (!stored.has(key)) {
    const response = await fetch(input, init);
    const { status, headers } = response;
    stored.set(key, {
      status,
      headers: [...headers],
      body: await response.arrayBuffer(),
    });
  }
  const { body, ...rest } = stored.get(key);
  return new Response(body, rest);
}

const SOURCES = {
  "IMDS": {
    emulator: new ImdsEmulator(),
    connect: (endpoint) => fromInstanceMetadata({ endpoint, ...settings }),
  },
  "a container endpoint": {
    emulator: new EcsEmulator(),
    connect: (endpoint) =>
      fromContainerMetadata({
        awsContainerCredentialsFullUri: `${endpoint}/v2/credentials/emulated-task`,
        ...settings,
      }),
  },
  "STS": {
    emulator: new StsEmulator(),
    connect: (endpoint) =>
      fromWebToken({
        webIdentityToken: "emulated-web-identity-token",
        roleArn: "arn:aws:iam::123456789012:role/emulated-role",
        endpoint,
        ...settings,
      }),
  },
};

describe("behind a fetch that stores responses", () => {
  it("a request that does not ask for no-store is stored, as in the framework", async () => {
    const server = await serveEmulator(new StsEmulator());
    await (await globalThis.fetch(server.endpoint)).text();
    await server.close();
    assert.equal(stored.size, 1);
  });

  for (const [name, { emulator, connect }] of Object.entries(SOURCES)) {
    it(`credentials from ${name} are neither stored nor served again after a rotation`, async () => {
      const server = await serveEmulator(emulator);
      const provider = connect(server.endpoint);
      const first = await provider();
      emulator.rotate?.();
      provider.invalidate(first);
      const second = await provider();
      await server.close();
      assert.notEqual(second.accessKeyId, first.accessKeyId);
      assert.equal(stored.size, 0);
    });
  }
});
