import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDetails, assertNoSecrets, type FaultRow } from "../support/errors.ts";
import { Laptop, ssoTokenPath } from "../support/laptop.ts";
import { COMMAND, failure, REFRESH, ROLE, signedIn, ssoProvider, TOKEN, wire } from "../support/sso_laptop.ts";
import { readTable } from "../support/tables.ts";

describe("the token of an SSO session", () => {
  for (
    const [secondsLeft, requests] of [[300.001, [ROLE]], [300, [REFRESH, ROLE]], [-86_400, [REFRESH, ROLE]]] as const
  ) {
    it(`is ${requests.length === 1 ? "used" : "refreshed"} with ${secondsLeft} s left`, async () => {
      const laptop = signedIn();
      laptop.time += (28_800 - secondsLeft) * 1_000;
      await ssoProvider(laptop).retrieve();
      assertEquals(wire(laptop), requests);
    });
  }

  it("is written back with all other fields as they were", async () => {
    const laptop = signedIn();
    laptop.change(TOKEN, { more: [{ a: null }] });
    const before = laptop.json(TOKEN);
    laptop.time += 28_700_500;
    await ssoProvider(laptop).retrieve();
    const { accessToken, expiresAt, refreshToken, ...others } = laptop.json(TOKEN);
    assertEquals(expiresAt, "2026-01-01T15:58:20Z");
    assert(accessToken !== before["accessToken"] && refreshToken !== before["refreshToken"]);
    assertEquals({ ...others, accessToken: 0, expiresAt: 0, refreshToken: 0 }, {
      ...before,
      accessToken: 0,
      expiresAt: 0,
      refreshToken: 0,
    });
    laptop.time += 28_800_000; // the new refresh token works
    await ssoProvider(laptop).retrieve();
    assertEquals(wire(laptop), [REFRESH, ROLE, REFRESH, ROLE]);
  });

  it("loses its refresh token when it was the last", async () => {
    const laptop = signedIn({ refreshTokens: "last" });
    laptop.time += 28_700_000;
    await ssoProvider(laptop).retrieve();
    assertFalse("refreshToken" in laptop.json(TOKEN));
    laptop.time += 28_800_000;
    assertEquals((await failure(laptop)).command, COMMAND);
  });

  it("sends what CreateToken wants, and nothing else", async () => {
    const laptop = signedIn();
    const { clientId, clientSecret, refreshToken } = laptop.json(TOKEN);
    laptop.time += 28_700_000;
    const sent: unknown[] = [];
    const { answer } = laptop;
    laptop.answer = (url, init) => {
      if (init.body !== undefined) sent.push(url, JSON.parse(`${init.body}`), init.redirect, init.cache);
      return answer(url, init);
    };
    await ssoProvider(laptop).retrieve();
    const body = { clientId, clientSecret, grantType: "refresh_token", refreshToken };
    assertEquals(sent, ["https://oidc.eu-central-1.amazonaws.com/token", body, "manual", "no-store"]);
  });

  it("is not refreshed in a profile of the older form", async () => {
    const laptop = new Laptop();
    const path = ssoTokenPath("https://old.awsapps.com/start");
    laptop.files[path] = laptop.sso.login();
    laptop.time += 28_799_999;
    await ssoProvider(laptop, { profile: "old" }).retrieve();
    laptop.time += 1;
    const error = await failure(laptop, { profile: "old" });
    assertEquals([error.code, error.command], ["SsoTokenError", "aws sso login --profile old"]);
    assertEquals(error.message, "Cannot use the token of SSO for profile old: it expired and cannot be refreshed");
    assertEquals(wire(laptop), [ROLE]);
  });

  for (const { name, fault, requests, message, slept, ...details } of readTable<FaultRow>("sso_refresh_faults")) {
    it(`stays in use while it is valid, when the refresh fails with ${name}`, async () => {
      const laptop = signedIn();
      laptop.time += 28_200_000 + 500_000;
      laptop.sso.inject(fault, { on: "token", times: Infinity });
      const sso = ssoProvider(laptop);
      assertEquals((await sso.retrieve()).source, "SsoProvider");
      assertEquals(wire(laptop).length, requests + 1);
      assertEquals(laptop.logged, [`${message}; the current token is used until it expires`]);
      assertNoSecrets(laptop.logged);
      await sso.retrieve();
      if (!laptop.slept.some((ms) => ms > 1_000) && fault !== "hang") {
        assertEquals(wire(laptop).length, requests + 2); // no second refresh within 30 s
      }
    });

    it(`fails with SsoTokenError once it has expired, when the refresh fails with ${name}`, async () => {
      const laptop = signedIn();
      laptop.time += 28_800_000;
      laptop.sso.inject(fault, { on: "token", times: Infinity });
      const error = await failure(laptop);
      assertEquals([error.code, error.message, wire(laptop).length], ["SsoTokenError", message, requests]);
      assertDetails(error, details);
      if (slept !== undefined) assertEquals(laptop.slept, slept);
    });
  }

  it("is refreshed again 30 s after a failure, and not before", async () => {
    const laptop = signedIn();
    laptop.time += 28_600_000;
    laptop.sso.inject({ status: 400 }, { on: "token", times: Infinity });
    const sso = ssoProvider(laptop);
    const counts: number[] = [];
    for (const ms of [0, 29_999, 1]) {
      laptop.time += ms;
      await sso.retrieve();
      counts.push(wire(laptop).filter((line) => line.startsWith("POST")).length);
    }
    assertEquals(counts, [1, 1, 2]);
  });

  it("has its pause for itself: another session is refreshed at once", async () => {
    const laptop = signedIn();
    laptop.files["/home/me/.aws/config"] +=
      "\n[sso-session two]\nsso_region = us-east-1\nsso_start_url = https://two\n";
    laptop.files[ssoTokenPath("two")] = laptop.sso.login();
    laptop.time += 28_600_000;
    const options = { ssoSession: "two", ssoAccountId: "123456789012", ssoRoleName: "Developer" };
    await ssoProvider(laptop).retrieve();
    await ssoProvider(laptop, options).retrieve();
    assertEquals(wire(laptop), [REFRESH, ROLE, REFRESH, ROLE]);
  });

  it("is refreshed once for all who wait, also with several profiles", async () => {
    const laptop = signedIn();
    laptop.time += 28_800_000;
    const roles = ["dev", "ops", "dev", "ops"].map((profile) => ssoProvider(laptop, { profile }).retrieve());
    assertEquals((await Promise.all(roles)).length, 4);
    assertEquals(wire(laptop), [REFRESH, ROLE, ROLE, ROLE, ROLE]);
  });

  it("sends nothing when it has expired and its registration, too", async () => {
    const laptop = signedIn();
    laptop.time += 91 * 86_400_000;
    const error = await failure(laptop);
    assertEquals([error.code, error.recoverable, error.command], ["SsoTokenError", false, COMMAND]);
    assertEquals(error.message, "Cannot use the token of SSO session corp: it expired and cannot be refreshed");
    assertEquals([error.hint, wire(laptop)], [`Run \`${COMMAND}\`.`, []]);
  });
});
