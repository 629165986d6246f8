import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { format, inspect } from "node:util";
import { type Credentials, CredentialsCache } from "../mod.ts";
import { FakeRuntime } from "./support/fake_runtime.ts";
import { CANARY } from "./support/manual_source.ts";

const FIELDS = {
  accessKeyId: "AKID",
  secretAccessKey: `${CANARY}-key`,
  sessionToken: `${CANARY}-token`,
  expiration: new Date("2026-01-01T06:00:00Z"),
  accountId: "123456789012",
  source: "test",
};

function cacheOf(fields: object): CredentialsCache {
  return new CredentialsCache(() => Promise.resolve(fields as Credentials), { runtime: new FakeRuntime() });
}

/** What `console.log` makes of a value: each runtime's own way, beside the one of `node:util`. */
const inspections: Readonly<Record<string, (value: unknown) => string>> = {
  "util.inspect": (value) => inspect(value, { depth: 9 }),
  "util.format": (value) => format("%o %O", value, value),
  ...ownInspection("Deno"),
  ...ownInspection("Bun"),
};

function ownInspection(name: string): Record<string, (value: unknown) => string> {
  const runtime = (globalThis as unknown as Record<string, { inspect(value: unknown): string } | undefined>)[name];
  return runtime === undefined ? {} : { [`${name}.inspect`]: (value) => runtime.inspect(value) };
}

describe("credentials print without their secrets", () => {
  for (const [name, print] of Object.entries(inspections)) {
    it(`with ${name}, alone and inside other values`, async () => {
      const credentials = await cacheOf(FIELDS).get();
      for (const value of [credentials, [credentials], { credentials }, new Map([["a", credentials]])]) {
        const text = print(value);
        assertFalse(text.includes(CANARY), text);
        assert(text.includes("[redacted]") && text.includes("AKID"), text);
      }
    });
  }

  it("and without a session token where there is none", async () => {
    const credentials = await cacheOf({ accessKeyId: "AKID", secretAccessKey: CANARY }).get();
    const text = "{ accessKeyId: 'AKID', secretAccessKey: '[redacted]', source: 'custom' }";
    assertEquals(inspect(credentials).replaceAll(/\s+/g, " "), text);
  });
});

describe("credentials are a plain object to the program", () => {
  it("which a spread, a clone and JSON take whole", async () => {
    const credentials = await cacheOf(FIELDS).get();
    assertEquals<object>({ ...credentials }, FIELDS);
    assertEquals<object>(structuredClone(credentials), FIELDS);
    assertEquals(JSON.parse(JSON.stringify(credentials)), { ...FIELDS, expiration: "2026-01-01T06:00:00.000Z" });
    assertEquals(Object.keys(credentials), Object.keys(FIELDS));
    assertEquals(credentials.constructor, Object);
  });

  it("with only the fields there are", async () => {
    const credentials = await cacheOf({ accessKeyId: "AKID", secretAccessKey: "secret", sessionToken: undefined })
      .get();
    assertEquals(Object.keys(credentials), ["accessKeyId", "secretAccessKey", "source"]);
  });

  it("whose fields can be written and added to, as AWS SDK v3 does", async () => {
    const cache = cacheOf(FIELDS);
    const credentials = await cache.get() as unknown as Record<string, unknown>;
    credentials["$source"] = { CREDENTIALS_CODE: "e" };
    credentials["accessKeyId"] = "changed";
    delete credentials["sessionToken"];
    assertEquals([credentials["accessKeyId"], "sessionToken" in credentials], ["changed", false]);
    assertEquals<object>({ ...await cache.get() }, FIELDS);
  });

  it("fresh for each call, dates too: a change reaches no other caller", async () => {
    const originalExpiration = new Date("2026-01-01T03:00:00Z");
    const given = { ...FIELDS, expiration: new Date(FIELDS.expiration), originalExpiration };
    const cache = cacheOf(given);
    const [first, second] = [await cache.get(), await cache.get()];
    first.expiration?.setTime(0);
    first.originalExpiration?.setTime(0);
    given.expiration.setTime(0);
    given.originalExpiration.setTime(0);
    const expected = { ...FIELDS, originalExpiration: new Date("2026-01-01T03:00:00Z") };
    assertEquals<object>({ ...second }, expected);
    assertEquals<object>({ ...await cache.get() }, expected);
    assertEquals(cache.expireTime, FIELDS.expiration);
  });

  it("fresh for each of those who waited for the same retrieval", async () => {
    const cache = cacheOf(FIELDS);
    const [first, second] = await Promise.all([cache.get(), cache.get()]);
    assertFalse(first === second);
    assertFalse(first?.expiration === second?.expiration);
  });
});
