import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../lib/errors.ts";
import { fromLoginCredentials, LoginProvider } from "../../lib/login/provider.ts";
import { assertDetails, assertNoSecrets, type FaultRow } from "../support/errors.ts";
import { COMMAND, failure, loginProvider, PATH, signedIn, statuses } from "../support/login_laptop.ts";
import { readTable } from "../support/tables.ts";

describe("LoginProvider", () => {
  it("returns the credentials of the file without a request, while more than five minutes are left", async () => {
    const laptop = await signedIn();
    laptop.time += 599_999;
    assertEquals<object>({ ...await loginProvider(laptop).retrieve() }, {
      accessKeyId: "ASIAEMULATEDLOG00001",
      secretAccessKey: "emulated-log-secret-access-key-1",
      sessionToken: "emulated-log-session-token-1",
      expiration: new Date("2026-01-01T00:15:00Z"),
      accountId: "123456789012",
      source: "LoginProvider",
    });
    assertEquals(statuses(laptop), []);
  });

  for (const keyForm of ["sec1", "pkcs8"] as const) {
    it(`refreshes them with a proof that the service verifies, by a key in the form ${keyForm}`, async () => {
      const laptop = await signedIn({}, keyForm);
      const urls: string[] = [];
      const { answer } = laptop;
      laptop.answer = (url, init) => {
        urls.push(url);
        return answer(url, init);
      };
      laptop.time += 600_000;
      const { accessKeyId, expiration, accountId } = await loginProvider(laptop).retrieve();
      assertEquals([accessKeyId, expiration, accountId], [
        "ASIAEMULATEDLOG00003",
        new Date("2026-01-01T00:25:00Z"),
        "123456789012",
      ]);
      assertEquals(urls, ["https://eu-west-1.signin.aws.amazon.com/v1/token"]);
      assertEquals(statuses(laptop), [200]);
    });
  }

  it("writes them back with all other fields as they were", async () => {
    const laptop = await signedIn();
    laptop.change(PATH, { more: [{ a: null }] });
    const { accessToken: _, refreshToken: before, ...others } = laptop.json(PATH);
    laptop.time += 700_500;
    const { accessKeyId, secretAccessKey, sessionToken } = await loginProvider(laptop).retrieve();
    const { accessToken, refreshToken, ...rest } = laptop.json(PATH);
    const accountId = "123456789012";
    assertEquals(accessToken, {
      accountId,
      accessKeyId,
      secretAccessKey,
      sessionToken,
      expiresAt: "2026-01-01T00:26:40Z",
    });
    assertEquals(rest, others);
    assert(refreshToken !== before);
  });

  it("refreshes them for twelve hours, each time with another proof", async () => {
    const laptop = await signedIn({ reusesRefreshTokens: false });
    const login = loginProvider(laptop);
    for (let minutes = 0; minutes < 710; minutes += 10) {
      laptop.time += 600_000;
      await login.retrieve();
    }
    assertEquals(statuses(laptop), Array.from({ length: 71 }, () => 200));
    laptop.time += 900_000;
    assertEquals((await failure(laptop)).loginCode, "TOKEN_EXPIRED");
  });

  it("makes a new proof for each attempt", async () => {
    const laptop = await signedIn();
    laptop.time += 900_000;
    laptop.login.inject("throttled", { times: 2 });
    await loginProvider(laptop).retrieve();
    const proofs = laptop.login.requests.map(({ headers }) => headers["dpop"]);
    assertEquals([statuses(laptop), new Set(proofs).size], [[429, 429, 200], 3]);
  });

  it("refreshes at once when AWS refused the credentials, and then not for 30 s", async () => {
    const laptop = await signedIn();
    const login = fromLoginCredentials({ profile: "signed-in", runtime: laptop, logger: null });
    const first = await login();
    login.invalidate(first);
    const second = await login();
    assert(second.accessKeyId !== first.accessKeyId);
    login.invalidate(second);
    assertEquals((await login()).accessKeyId, second.accessKeyId);
    laptop.time += 30_000;
    assert((await login({ forceRefresh: true })).accessKeyId !== second.accessKeyId);
    assertEquals(statuses(laptop), [200, 200]);
  });

  for (const { name, fault, requests, message, slept, ...details } of readTable<FaultRow>("login_refresh_faults")) {
    it(`goes on with credentials that are still valid, when the refresh fails with ${name}`, async () => {
      const laptop = await signedIn();
      laptop.time += 700_000;
      laptop.login.inject(fault, { times: Infinity });
      assertEquals((await loginProvider(laptop).retrieve()).accessKeyId, "ASIAEMULATEDLOG00001");
      assertEquals(statuses(laptop).length, requests);
      assertEquals(laptop.logged, [`${message}; the current token is used until it expires`]);
      assertNoSecrets(laptop.logged);
    });

    it(`fails with LoginError once they have expired, when the refresh fails with ${name}`, async () => {
      const laptop = await signedIn();
      laptop.time += 900_000;
      laptop.login.inject(fault, { times: Infinity });
      const error = await failure(laptop);
      assertEquals([error.code, error.message, statuses(laptop).length], ["LoginError", message, requests]);
      assertDetails(error, details);
      if (slept !== undefined) assertEquals(laptop.slept, slept);
    });
  }

  it("says when a clock is wrong: the service does not accept the proof", async () => {
    const laptop = await signedIn();
    const ahead = { ...laptop, now: () => laptop.time + 1_000_000 };
    const error = await failure(laptop, { runtime: ahead });
    assertEquals([error.statusCode, error.command], [400, COMMAND]);
  });

  it("is refreshed once for all who wait", async () => {
    const laptop = await signedIn();
    laptop.time += 900_000;
    await Promise.all(Array.from({ length: 10 }, () => loginProvider(laptop).retrieve()));
    assertEquals(statuses(laptop), [200]);
  });

  it("ends with the reason of the caller's signal", async () => {
    const laptop = await signedIn();
    laptop.time += 900_000;
    const controller = new AbortController();
    laptop.answer = () => {
      controller.abort(new Error("enough"));
      return new Promise(() => {});
    };
    await assertRejects(() => loginProvider(laptop).retrieve({ signal: controller.signal }), Error, "enough");
  });
});

describe("fromLoginCredentials()", () => {
  it("goes on with its credentials during an outage of the sign-in service, also when they have expired", async () => {
    const laptop = await signedIn();
    const login = fromLoginCredentials({ profile: "signed-in", runtime: laptop, logger: null });
    const first = await login();
    laptop.login.inject("reset", { times: Infinity });
    laptop.time += 1_000_000;
    assertEquals((await login()).accessKeyId, first.accessKeyId);
    laptop.login.recover();
    laptop.time += 700_000;
    assert((await login()).accessKeyId !== first.accessKeyId);
  });

  it("ends when the session has ended", async () => {
    const laptop = await signedIn();
    const login = fromLoginCredentials({ profile: "signed-in", runtime: laptop, logger: null });
    await login();
    laptop.login.inject("TOKEN_EXPIRED", { times: Infinity });
    laptop.time += 900_000;
    const error = await assertRejects(() => login(), CredentialsProviderError);
    assertEquals(error.command, COMMAND);
    assertFalse(error.recoverable);
  });

  it("prints without secrets", async () => {
    const laptop = await signedIn();
    const login = fromLoginCredentials({ profile: "signed-in", runtime: laptop, logger: null });
    const single = new LoginProvider({ profile: "signed-in" });
    assertNoSecrets(await login(), login, single);
  });
});
