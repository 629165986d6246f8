import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, fromProfile, type LoginRequest, type ProfileOptions } from "../../mod.ts";
import { Laptop, LOGIN_SESSION, loginPath, ssoTokenPath } from "../support/laptop.ts";

function provide(laptop: Laptop, profile: string, options: ProfileOptions = {}) {
  return fromProfile({ profile, runtime: laptop, logger: null, ...options });
}

describe("fromProfile() with profiles that people sign in to", () => {
  it("gets credentials from SSO, and keeps them through an outage", async () => {
    const laptop = new Laptop();
    laptop.files[ssoTokenPath("corp")] = laptop.sso.login();
    const provider = provide(laptop, "dev");
    const first = await provider();
    assertEquals([first.source, first.accountId], ["SsoProvider", "123456789012"]);
    laptop.time += 4_000_000;
    laptop.sso.inject("reset", { times: Infinity });
    assertEquals((await provider()).accessKeyId, first.accessKeyId);
  });

  it("gets credentials from a login", async () => {
    const laptop = new Laptop();
    laptop.files[loginPath()] = await laptop.login.login();
    assertEquals((await provide(laptop, "signed-in")()).source, "LoginProvider");
  });

  it("passes on where the services are and how often to try", async () => {
    const laptop = new Laptop();
    laptop.files[ssoTokenPath("corp")] = laptop.sso.login();
    laptop.files[loginPath()] = await laptop.login.login();
    laptop.time += 900_000;
    const urls: string[] = [];
    laptop.answer = (url) => {
      urls.push(new URL(url).origin);
      return Promise.reject(new TypeError("offline"));
    };
    const sso = { endpoint: "http://127.0.0.1:1", maxRetries: 1 };
    const login = { endpoint: "http://127.0.0.1:2", maxRetries: 0 };
    for (const profile of ["dev", "signed-in"]) {
      await assertRejects(() => provide(laptop, profile, { sso, login })(), CredentialsProviderError);
    }
    assertEquals(urls, ["http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:2"]);
  });

  it("calls onLoginRequired for both kinds", async () => {
    const laptop = new Laptop();
    const calls: LoginRequest[] = [];
    const onLoginRequired = async (request: LoginRequest) => {
      calls.push(request);
      if (request.kind === "sso") laptop.files[ssoTokenPath("corp")] = laptop.sso.login();
      else laptop.files[loginPath()] = await laptop.login.login();
    };
    for (const profile of ["dev", "signed-in"]) await provide(laptop, profile, { onLoginRequired })();
    assertEquals(calls.map(({ kind, profile, session, command }) => [kind, profile, session, command]), [
      ["sso", "dev", "corp", "aws sso login --sso-session corp"],
      ["login", "signed-in", LOGIN_SESSION, "aws login --profile signed-in"],
    ]);
  });

  it("stops a chain when nobody has signed in", async () => {
    for (const [profile, code] of [["dev", "SsoTokenError"], ["old", "SsoTokenError"], ["signed-in", "LoginError"]]) {
      const error = await assertRejects(() => provide(new Laptop(), profile ?? "")(), CredentialsProviderError);
      assertEquals([error.code, error.tryNextLink], [code, false]);
    }
  });

  it("uses credentials from SSO to assume a role", async () => {
    const laptop = new Laptop();
    laptop.files[ssoTokenPath("corp")] = laptop.sso.login();
    laptop.files["/home/me/.aws/config"] +=
      "\n[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/Admin\nsource_profile = dev\nregion = eu-west-1\n";
    const { answer } = laptop;
    const signers: (string | null)[] = [];
    laptop.answer = (url, init) => {
      if (!url.startsWith("https://sts.")) return answer(url, init);
      signers.push(new Headers(init.headers).get("authorization"));
      return Promise.reject(new TypeError("offline"));
    };
    await assertRejects(() => provide(laptop, "admin", { sts: { maxRetries: 0 } })(), CredentialsProviderError);
    assertEquals(signers.map((signer) => /Credential=(\w+)/.exec(signer ?? "")?.[1]), ["ASIAEMULATEDSSO00003"]);
  });
});
