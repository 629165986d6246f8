import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../lib/errors.ts";
import { fromSSO, SsoProvider } from "../../lib/sso/provider.ts";
import { assertDetails, assertNoSecrets, type FaultRow } from "../support/errors.ts";
import { COMMAND, failure, ROLE, signedIn, ssoProvider, TOKEN, wire } from "../support/sso_laptop.ts";
import { readTable } from "../support/tables.ts";

describe("SsoProvider", () => {
  it("gets the credentials of the role with one request", async () => {
    const laptop = signedIn();
    const urls: string[] = [];
    const { answer } = laptop;
    laptop.answer = (url, init) => {
      urls.push(url);
      return answer(url, init);
    };
    const { secretAccessKey, sessionToken, ...shown } = await ssoProvider(laptop).retrieve();
    assertEquals<object>(shown, {
      accessKeyId: "ASIAEMULATEDSSO00003",
      expiration: new Date("2026-01-01T01:00:00Z"),
      accountId: "123456789012",
      source: "SsoProvider",
    });
    assertEquals([secretAccessKey, sessionToken], [
      "emulated-sso-secret-access-key-3",
      "emulated-sso-session-token-3",
    ]);
    assertEquals(urls, [
      "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials?role_name=Developer&account_id=123456789012",
    ]);
    const headers = laptop.sso.requests[0]?.headers ?? {};
    assertEquals(headers["x-amz-sso_bearer_token"], laptop.json(TOKEN)["accessToken"]);
    assertEquals([headers["authorization"], headers["accept"]], [undefined, "application/json"]);
  });

  it("keeps the zeros of an account id, and encodes what a URL needs encoded", async () => {
    const roles = { "000000000001": ["A/B &=+é"] };
    const laptop = signedIn({ roles });
    const options = { ssoSession: "corp", ssoAccountId: "000000000001", ssoRoleName: "A/B &=+é" };
    assertEquals((await ssoProvider(laptop, options).retrieve()).accountId, "000000000001");
  });

  it("reads the token at each retrieval", async () => {
    const laptop = signedIn();
    const sso = ssoProvider(laptop);
    await sso.retrieve();
    laptop.files[TOKEN] = laptop.sso.login();
    await sso.retrieve();
    const [first, second] = laptop.sso.requests.map(({ headers }) => headers["x-amz-sso_bearer_token"]);
    assert(first !== second);
  });

  it("refuses credentials that arrive expired", async () => {
    assertEquals((await failure(signedIn({ roleLifetimeSeconds: 0 }))).code, "ExpiredCredentialsError");
  });

  for (const { name, fault, requests, message, slept, ...details } of readTable<FaultRow>("sso_role_faults")) {
    it(`fails with SsoError, for ${name}`, async () => {
      const laptop = signedIn();
      laptop.sso.inject(fault, { on: "role", times: Infinity });
      const error = await failure(laptop);
      assertEquals([error.code, error.message, wire(laptop).length], ["SsoError", message, requests]);
      assertDetails(error, details);
      if (slept !== undefined) assertEquals(laptop.slept, slept);
    });
  }

  it("goes on after a failure that passes", async () => {
    const laptop = signedIn();
    laptop.sso.inject("throttled", { on: "role", times: 2 });
    assertEquals((await ssoProvider(laptop).retrieve()).source, "SsoProvider");
    assertEquals(wire(laptop).length, 3);
  });

  it("sends as many requests as maxRetries says, and one more", async () => {
    const laptop = signedIn();
    laptop.sso.inject("reset", { times: Infinity });
    assertEquals((await failure(laptop, { maxRetries: 0 })).message.includes("attempts"), false);
    assertEquals(wire(laptop).length, 1);
  });

  it("ends with the reason of the caller's signal", async () => {
    const laptop = signedIn();
    const reason = new Error("enough");
    await assertRejects(() => ssoProvider(laptop).retrieve({ signal: AbortSignal.abort(reason) }), Error, "enough");
    assertEquals([wire(laptop), laptop.reads], [[], []]);
    const controller = new AbortController();
    laptop.answer = (_url, { signal }) => {
      controller.abort(reason);
      return Promise.reject(signal?.reason);
    };
    await assertRejects(() => ssoProvider(laptop).retrieve({ signal: controller.signal }), Error, "enough");
  });
});

describe("fromSSO()", () => {
  it("goes on with its credentials during an outage of SSO", async () => {
    const laptop = signedIn();
    const sso = fromSSO({ profile: "dev", runtime: laptop, logger: null });
    const first = await sso();
    laptop.sso.inject("reset", { times: Infinity });
    laptop.time += 3_700_000;
    assertEquals((await sso()).accessKeyId, first.accessKeyId);
    laptop.sso.recover();
    laptop.time += 700_000;
    assert((await sso()).accessKeyId !== first.accessKeyId);
  });

  it("ends when the session is revoked", async () => {
    const laptop = signedIn();
    const sso = fromSSO({ profile: "dev", runtime: laptop, logger: null });
    await sso();
    laptop.sso.revoke({ sessions: true });
    laptop.time += 3_700_000;
    const error = await assertRejects(() => sso(), CredentialsProviderError);
    assertEquals(error.command, COMMAND);
  });

  it("shares one retrieval among a thousand callers", async () => {
    const laptop = signedIn();
    const sso = fromSSO({ profile: "dev", runtime: laptop, logger: null });
    await Promise.all(Array.from({ length: 1_000 }, () => sso()));
    assertEquals(wire(laptop), [ROLE]);
  });

  it("prints without secrets", async () => {
    const laptop = signedIn();
    const sso = fromSSO({ profile: "dev", runtime: laptop, logger: null });
    const credentials = await sso();
    assertInstanceOf(credentials, Object);
    const plain = new SsoProvider({ profile: "dev", ssoSession: undefined });
    await ssoProvider(laptop).retrieve();
    assertNoSecrets(credentials, sso, plain);
  });
});
