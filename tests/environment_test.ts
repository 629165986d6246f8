import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, EnvironmentProvider, fromEnv } from "../mod.ts";
import { FakeRuntime } from "./support/fake_runtime.ts";
import { printed } from "./support/printed.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "CANARY-secret" };

function retrieve(env: Record<string, string>) {
  return new EnvironmentProvider({ runtime: new FakeRuntime(env) }).retrieve();
}

async function failure(env: Record<string, string>): Promise<CredentialsProviderError> {
  return await assertRejects(() => retrieve(env), CredentialsProviderError);
}

describe("EnvironmentProvider.retrieve()", () => {
  it("returns the two keys", async () => {
    assertEquals({ ...await retrieve(KEYS) }, {
      accessKeyId: "AKIAEXAMPLE",
      secretAccessKey: "CANARY-secret",
      source: "EnvironmentProvider",
    });
  });

  it("returns token, account and expiration, when they are set, without the white space around them", async () => {
    const credentials = await retrieve({
      ...KEYS,
      AWS_SESSION_TOKEN: " CANARY-token\n",
      AWS_ACCOUNT_ID: "123456789012",
      AWS_CREDENTIAL_EXPIRATION: " 2030-01-01T00:00:00Z ",
    });
    const { sessionToken, accountId, expiration } = credentials;
    assertEquals([sessionToken, accountId], ["CANARY-token", "123456789012"]);
    assertEquals(expiration, new Date("2030-01-01T00:00:00Z"));
    for (const shown of printed(credentials)) assertFalse(shown.includes("CANARY"), shown);
  });

  it("takes blank variables for unset ones", async () => {
    const env = { ...KEYS, AWS_SESSION_TOKEN: "", AWS_ACCOUNT_ID: " ", AWS_CREDENTIAL_EXPIRATION: "" };
    assertEquals(Object.keys(await retrieve(env)), Object.keys(await retrieve(KEYS)));
  });

  const incomplete: readonly Record<string, string>[] = [{}, { AWS_ACCESS_KEY_ID: "A" }, {
    AWS_SECRET_ACCESS_KEY: "CANARY",
  }, {
    ...KEYS,
    AWS_ACCESS_KEY_ID: " ",
  }];
  for (const env of incomplete) {
    it(`is not available, with ${Object.keys(env).join(" and ") || "nothing"}`, async () => {
      const error = await failure(env);
      assertEquals([error.code, error.tryNextLink], ["NoCredentials", true]);
      assertFalse(`${error.message}${error.hint}`.includes("CANARY"));
    });
  }

  it("fails, when the expiration is no time, without quoting it", async () => {
    const error = await failure({ ...KEYS, AWS_CREDENTIAL_EXPIRATION: "CANARY" });
    assertEquals([error.code, error.tryNextLink], ["ConfigurationError", false]);
    assert(error.message.includes("AWS_CREDENTIAL_EXPIRATION"));
    assertFalse(error.message.includes("CANARY"));
  });
});

describe("fromEnv()", () => {
  it("reads the variables once, while they have no expiration", async () => {
    const runtime = new FakeRuntime({ ...KEYS });
    const provider = fromEnv({ runtime });
    await provider();
    runtime.variables["AWS_ACCESS_KEY_ID"] = "AKIAOTHER";
    assertEquals((await provider()).accessKeyId, "AKIAEXAMPLE");
    provider.clear();
    assertEquals((await provider()).accessKeyId, "AKIAOTHER");
  });

  it("fails with ExpiredCredentialsError, when they are expired", async () => {
    const runtime = new FakeRuntime({ ...KEYS, AWS_CREDENTIAL_EXPIRATION: "2020-01-01T00:00:00Z" });
    const error = await assertRejects(() => fromEnv({ runtime })(), CredentialsProviderError);
    assertEquals(error.code, "ExpiredCredentialsError");
    assert(error.hint?.startsWith("Check the clock of this machine"), error.hint);
  });
});
