import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SsoEmulator, type SsoEmulatorOptions } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** An emulator with a session, and ways to send what a client of it would. */
function signedIn(options: SsoEmulatorOptions = {}) {
  const runtime = new FakeRuntime();
  const emulator = new SsoEmulator({ runtime, ...options });
  const file = JSON.parse(emulator.login());
  const { clientId, clientSecret, refreshToken } = file;
  const fields = { clientId, clientSecret, grantType: "refresh_token", refreshToken };
  const refresh = (changes: object = {}, init: RequestInit = {}) =>
    emulator.fetch("https://oidc.test/token", {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify({ ...fields, ...changes }),
      ...init,
    });
  const role = (query: string, headers: Record<string, string> = { "x-amz-sso_bearer_token": file.accessToken }) =>
    emulator.fetch(`https://portal.test/federation/credentials?${query}`, { headers });
  return { runtime, emulator, file, refresh, role };
}

// deno-lint-ignore no-explicit-any -- whatever the service sends
async function json(response: Response): Promise<any> {
  return await response.json();
}

async function outcome(response: Promise<Response>): Promise<readonly unknown[]> {
  const { status, headers } = await response;
  return [status, headers.get("x-amzn-errortype")?.split(":")[0] ?? null];
}

describe("SsoEmulator", () => {
  const ROLE = "account_id=123456789012&role_name=Developer";

  it("returns role credentials that say when they expire in milliseconds", async () => {
    const { runtime, role } = signedIn({ roleLifetimeSeconds: 900 });
    assertEquals((await json(await role(ROLE))).roleCredentials, {
      accessKeyId: "ASIAEMULATEDSSO00003",
      secretAccessKey: "emulated-sso-secret-access-key-3",
      sessionToken: "emulated-sso-session-token-3",
      expiration: runtime.time + 900_000,
    });
  });

  it("refreshes a token, and refuses the used one", async () => {
    const { refresh } = signedIn();
    const { accessToken, expiresIn, refreshToken, tokenType } = await json(await refresh());
    assertEquals([typeof accessToken, expiresIn, tokenType], ["string", 28_800, "Bearer"]);
    assertEquals(await outcome(refresh()), [400, "InvalidGrantException"]);
    assertEquals(await outcome(refresh({ refreshToken })), [200, null]);
  });

  it("accepts a refresh token again, where the option says so", async () => {
    const { refresh } = signedIn({ refreshTokens: "reuse" });
    assertEquals([await outcome(refresh()), await outcome(refresh())], [[200, null], [200, null]]);
  });

  it("returns no further refresh token, where the option says so", async () => {
    const { refresh } = signedIn({ refreshTokens: "last" });
    assertEquals("refreshToken" in await json(await refresh()), false);
  });

  for (
    const [name, changes, init, expected] of [
      ["another client", { clientSecret: "x" }, {}, [401, "InvalidClientException"]],
      ["another grant type", { grantType: "authorization_code" }, {}, [400, "UnsupportedGrantTypeException"]],
      ["an unknown field", { scope: "x" }, {}, [400, "InvalidRequestException"]],
      ["a field that is no string", { clientId: 1 }, {}, [400, "InvalidRequestException"]],
      ["no refresh token", { refreshToken: undefined }, {}, [400, "InvalidRequestException"]],
      ["a form", {}, { headers: { "content-type": "application/x-www-form-urlencoded" } }, [
        400,
        "InvalidRequestException",
      ]],
      ["no JSON", {}, { body: "{" }, [400, "InvalidRequestException"]],
      ["a signature", {}, { headers: { ...JSON_TYPE, authorization: "x" } }, [400, "InvalidRequestException"]],
      ["another method", {}, { method: "PUT" }, [404, "UnknownOperationException"]],
    ] as const
  ) {
    it(`refuses to refresh for a request with ${name}`, async () => {
      assertEquals<readonly unknown[]>(await outcome(signedIn().refresh(changes, init)), expected);
    });
  }

  for (
    const [name, query, headers, expected] of [
      ["no token", ROLE, {}, [401, "UnauthorizedException"]],
      ["an unknown token", ROLE, { "x-amz-sso_bearer_token": "x" }, [401, "UnauthorizedException"]],
      ["no role", "account_id=123456789012", undefined, [400, "InvalidRequestException"]],
      ["no account", "role_name=Developer", undefined, [400, "InvalidRequestException"]],
      ["a role that is not assigned", "account_id=123456789012&role_name=Admin", undefined, [
        403,
        "ForbiddenException",
      ]],
      ["an account that is not assigned", "account_id=1&role_name=Developer", undefined, [403, "ForbiddenException"]],
    ] as const
  ) {
    it(`refuses role credentials for a request with ${name}`, async () => {
      assertEquals<readonly unknown[]>(await outcome(signedIn().role(query, headers)), expected);
    });
  }

  it("refuses a token that has expired, and refreshes until the session ends", async () => {
    const { runtime, role, refresh } = signedIn({ sessionLifetimeSeconds: 30_000 });
    runtime.time += 28_800_000;
    assertEquals(await outcome(role(ROLE)), [401, "UnauthorizedException"]);
    runtime.time += 1_200_000;
    assertEquals(await outcome(refresh()), [400, "ExpiredTokenException"]);
  });

  it("revokes tokens, and sessions", async () => {
    const { emulator, role, refresh } = signedIn();
    emulator.revoke();
    assertEquals(await outcome(role(ROLE)), [401, "UnauthorizedException"]);
    const { refreshToken } = await json(await refresh());
    emulator.revoke({ sessions: true });
    assertEquals(await outcome(refresh({ refreshToken })), [400, "InvalidGrantException"]);
  });

  it("names the steps for faults", async () => {
    const { emulator, role, refresh } = signedIn();
    emulator.inject("throttled", { on: "token" });
    assertEquals([await outcome(role(ROLE)), await outcome(refresh())], [[200, null], [429, null]]);
    await emulator.fetch("https://portal.test/elsewhere");
    assertEquals(emulator.requests.map(({ step, status }) => [step, status]), [
      ["role", 200],
      ["token", 429],
      ["other", 404],
    ]);
  });
});
