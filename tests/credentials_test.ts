import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runInNewContext } from "node:vm";
import { cached, chain, CredentialsProviderError, type ForeignCredentials } from "../mod.ts";
import { FakeRuntime } from "./support/fake_runtime.ts";

const EXPIRATION = new Date("2026-01-01T06:00:00Z");
const FIELDS = {
  accessKeyId: "AKIAFOREIGN",
  secretAccessKey: "secret",
  sessionToken: "token",
  expiration: EXPIRATION,
  accountId: "123456789012",
  source: "mine",
};

/** As AWS SDK v2: the secret is not enumerable, and the expiration has another name. */
class SdkV2Credentials {
  accessKeyId = FIELDS.accessKeyId;
  declare secretAccessKey: string;
  sessionToken = FIELDS.sessionToken;
  expired = false;
  expireTime: Date | null = EXPIRATION;

  constructor() {
    Object.defineProperty(this, "secretAccessKey", { value: FIELDS.secretAccessKey, enumerable: false });
  }
}

/** Fields that exist on the prototype only. */
class Getters {
  readonly #fields = FIELDS;
  reads = 0;

  get accessKeyId(): string {
    this.reads++;
    return this.#fields.accessKeyId;
  }
  get secretAccessKey(): string {
    this.reads++;
    return this.#fields.secretAccessKey;
  }
  get sessionToken(): string {
    this.reads++;
    return this.#fields.sessionToken;
  }
  get expiration(): Date {
    this.reads++;
    return this.#fields.expiration;
  }
  get accountId(): string {
    this.reads++;
    return this.#fields.accountId;
  }
  get source(): string {
    this.reads++;
    return this.#fields.source;
  }
}

async function copyOf(given: unknown): Promise<object> {
  const source = () => Promise.resolve(given as ForeignCredentials);
  return { ...await cached(source, { runtime: new FakeRuntime() })() };
}

describe("credentials from other code are read field by field", () => {
  it("where the fields are getters of a class, each of which is called once", async () => {
    const given = new Getters();
    assertEquals(await copyOf(given), FIELDS);
    assertEquals(given.reads, 6);
  });

  it("where they are not enumerable", async () => {
    const given = Object.defineProperties(
      {},
      Object.fromEntries(Object.entries(FIELDS).map(([name, value]) => [name, { value }])),
    );
    assertEquals(await copyOf(given), FIELDS);
  });

  it("where they are those of AWS SDK v2, which calls the expiration expireTime", async () => {
    const { accountId: _none, source: _unnamed, ...fields } = FIELDS;
    assertEquals(await copyOf(new SdkV2Credentials()), { ...fields, source: "custom" });
    const { expiration: _unlimited, ...keys } = fields;
    assertEquals(await copyOf(Object.assign(new SdkV2Credentials(), { expireTime: null })), {
      ...keys,
      source: "custom",
    });
  });

  it("where they are inherited, through a chain", async () => {
    const given: typeof FIELDS = Object.create(FIELDS);
    assertEquals<object>(
      { ...await cached(chain(() => Promise.resolve(given)), { runtime: new FakeRuntime() })() },
      FIELDS,
    );
  });

  it("and no other field is copied", async () => {
    assertEquals(await copyOf({ ...FIELDS, $source: {}, password: "x" }), FIELDS);
  });

  it("and empty ones are none", async () => {
    const { accessKeyId, secretAccessKey } = FIELDS;
    const empty = { sessionToken: "", expiration: undefined, accountId: null, source: "" };
    assertEquals(await copyOf({ accessKeyId, secretAccessKey, ...empty }), {
      accessKeyId,
      secretAccessKey,
      source: "custom",
    });
  });

  it("and a Date of another realm is a Date", async () => {
    const expiration: unknown = runInNewContext("new Date('2026-01-01T06:00:00.123Z')");
    const copy = await copyOf({ ...FIELDS, expiration }) as typeof FIELDS;
    assert(copy.expiration instanceof Date);
    assertEquals(copy.expiration, new Date("2026-01-01T06:00:00.123Z"));
  });
});

describe("credentials from other code are refused", () => {
  const wrong: readonly [string, unknown, string][] = [
    ["nothing", undefined, "accessKeyId or secretAccessKey is missing, empty or not a string"],
    ["a string", "AKIAFOREIGN", "accessKeyId or secretAccessKey is missing, empty or not a string"],
    [
      "an accessKeyId that is no string",
      { ...FIELDS, accessKeyId: 7 },
      "accessKeyId or secretAccessKey is missing, empty or not a string",
    ],
    [
      "an empty secretAccessKey",
      { ...FIELDS, secretAccessKey: "" },
      "accessKeyId or secretAccessKey is missing, empty or not a string",
    ],
    ["a sessionToken that is no string", { ...FIELDS, sessionToken: {} }, "sessionToken is not a string"],
    ["an accountId that is no string", { ...FIELDS, accountId: 123456789012 }, "accountId is not a string"],
    ["an expiration that is a string", { ...FIELDS, expiration: "2026" }, "expiration is not a valid Date"],
    ["an expiration that is no time", { ...FIELDS, expiration: new Date(NaN) }, "expiration is not a valid Date"],
    [
      "an originalExpiration that is a number",
      { ...FIELDS, originalExpiration: 5 },
      "originalExpiration is not a valid Date",
    ],
  ];
  for (const [name, given, state] of wrong) {
    it(`for ${name}`, async () => {
      const error = await assertRejects(() => copyOf(given), CredentialsProviderError);
      assertEquals([error.code, error.message], ["InvalidCredentials", `Cannot use the credentials: ${state}`]);
      assert(error.hint?.startsWith("The provider must return accessKeyId and secretAccessKey"), error.hint);
      assertEquals([error.recoverable, error.tryNextLink], [true, false]);
    });
  }
});
