import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findingsOf } from "../support/findings.ts";
import { Laptop, loginPath, ssoTokenPath } from "../support/laptop.ts";

/** The session and the provider in the findings for a profile, with its status. */
async function sessionOf(runtime: Laptop, profile: string): Promise<readonly string[]> {
  return (await findingsOf({ profile, runtime }))
    .filter(({ check }) => check === "profile.session" || check === "profile")
    .map(({ check, status, message, hint }) =>
      `${check} ${status}: ${message}${hint === undefined ? "" : ` -> ${hint}`}`
    );
}

describe("diagnose() for a person who signed in with SSO", () => {
  const path = ssoTokenPath("corp");

  it("says until when the token is valid, and that it can be refreshed", async () => {
    const laptop = new Laptop();
    laptop.files[path] = laptop.sso.login();
    const [session = "", provider = ""] = await sessionOf(laptop, "dev");
    assertEquals(
      session,
      `profile.session ok: The token of SSO session corp in ${path} expires in 8 h 0 min, and can be refreshed`,
    );
    assertStringIncludes(provider, "profile ok: Chosen: ASIAEMULATEDSSO");
  });

  it("names the command for a token that cannot be refreshed", async () => {
    const laptop = new Laptop();
    const old = ssoTokenPath("https://old.awsapps.com/start");
    laptop.files[old] = laptop.sso.login();
    const [session = ""] = await sessionOf(laptop, "old");
    assertStringIncludes(session, "profile.session ok: The token of SSO for profile old in ");
    assertStringIncludes(session, "expires in 8 h 0 min -> When it expires, run `aws sso login --profile old`.");
  });

  it("says of an expired token that it can be refreshed, and refreshes it", async () => {
    const laptop = new Laptop();
    laptop.files[path] = laptop.sso.login();
    laptop.time += 9 * 3_600_000;
    const [session = "", provider = ""] = await sessionOf(laptop, "dev");
    assertStringIncludes(session, "expired 1 h 0 min ago, and can be refreshed");
    assertStringIncludes(provider, "profile ok: Chosen: ");
  });

  it("leaves a session that has ended to the error of the provider", async () => {
    const laptop = new Laptop();
    laptop.files[path] = laptop.sso.login();
    laptop.change(path, { refreshToken: undefined });
    laptop.time += 9 * 3_600_000;
    const [provider = "", ...others] = await sessionOf(laptop, "dev");
    assertEquals(others, []);
    assertStringIncludes(provider, "profile failure: SsoTokenError: ");
    assertStringIncludes(provider, "-> Run `aws sso login --sso-session corp`.");
  });

  it("names a file that does not hold a token, without its text", async () => {
    const laptop = new Laptop();
    laptop.files[path] = "canary";
    const [provider = ""] = await sessionOf(laptop, "dev");
    assertStringIncludes(provider, `profile failure: SsoTokenError: `);
    assertStringIncludes(provider, path);
  });
});

describe("diagnose() for a person who signed in with `aws login`", () => {
  it("says until when the token is valid", async () => {
    const laptop = new Laptop();
    laptop.files[loginPath()] = await laptop.login.login();
    const [session = "", provider = ""] = await sessionOf(laptop, "signed-in");
    assertStringIncludes(session, `profile.session ok: The token of the login in ${loginPath()} expires in 15 min`);
    assertStringIncludes(provider, "profile ok: Chosen: ");
  });

  it("names the command, where there is no session", async () => {
    const [provider = ""] = await sessionOf(new Laptop(), "signed-in");
    assertStringIncludes(provider, "profile failure: LoginError: ");
    assertStringIncludes(provider, "-> Run `aws login --profile signed-in`.");
  });
});
