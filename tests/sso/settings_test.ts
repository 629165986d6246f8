import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../lib/errors.ts";
import { SsoProvider } from "../../lib/sso/provider.ts";
import type { SsoProviderOptions } from "../../lib/sso/settings.ts";
import { Laptop, ssoTokenPath } from "../support/laptop.ts";
import { failure, signedIn, ssoProvider, wire } from "../support/sso_laptop.ts";

describe("the settings of SsoProvider", () => {
  it("make a profile without a role unavailable, so that a chain goes on", async () => {
    const laptop = signedIn();
    for (const profile of ["tokens", "signed-in"]) {
      const retrieval = ssoProvider(laptop, { profile }).retrieve();
      const error = await assertRejects(() => retrieval, CredentialsProviderError);
      assertEquals([error.code, error.tryNextLink], ["NoCredentials", true]);
      assertEquals(
        error.message,
        `Cannot get credentials from SSO: profile ${profile} has neither sso_account_id nor sso_role_name`,
      );
    }
  });

  it("name the profile that is missing", async () => {
    assertEquals((await failure(signedIn(), { profile: "gone" })).code, "ProfileNotFoundError");
  });

  it("may be given in code, with a session of the config file", async () => {
    const laptop = signedIn();
    const options = { ssoSession: "corp", ssoAccountId: "123456789012", ssoRoleName: "Operator", profile: "gone" };
    await ssoProvider(laptop, options).retrieve();
    const error = await failure(laptop, { ...options, ssoSession: "none" });
    assertEquals(
      error.message,
      "Cannot use SSO for the options: its sso_session names [sso-session none], which the config file does not have",
    );
  });

  it("may be given in code without a session", async () => {
    const laptop = new Laptop();
    laptop.files[ssoTokenPath("https://code.awsapps.com/start")] = laptop.sso.login();
    const options = {
      ssoStartUrl: "https://code.awsapps.com/start",
      ssoRegion: "us-east-2",
      ssoAccountId: "123456789012",
      ssoRoleName: "Developer",
    };
    await ssoProvider(laptop, options).retrieve();
    laptop.time += 28_800_000;
    const error = await failure(laptop, options);
    assertEquals([error.code, error.command], ["SsoTokenError", "aws sso login"]);
    assertEquals(
      error.message,
      "Cannot use the token of SSO for the options: it expired and cannot be refreshed",
    );
  });

  for (
    const options of [
      { ssoSession: "corp" },
      { ssoSession: "corp", ssoAccountId: "1" },
      { ssoAccountId: "1", ssoRoleName: "r" },
      { ssoStartUrl: "u", ssoAccountId: "1", ssoRoleName: "r" },
      { ssoRegion: "r", ssoAccountId: "1", ssoRoleName: "r" },
      { ssoSession: " " },
      { maxRetries: -1 },
      { endpoint: "ftp://x" },
      { onLoginRequired: "aws sso login" },
    ]
  ) {
    it(`are checked when the provider is made: ${JSON.stringify(options)}`, () => {
      const make = () => new SsoProvider(options as SsoProviderOptions);
      assertEquals(assertThrows(make, CredentialsProviderError).code, "ConfigurationError");
    });
  }

  it("accept undefined for every option", async () => {
    const laptop = signedIn();
    const { profile: _, ...none } = {
      profile: 0,
      ssoSession: undefined,
      ssoStartUrl: undefined,
      ssoRegion: undefined,
      ssoAccountId: undefined,
      ssoRoleName: undefined,
      endpoint: undefined,
      maxRetries: undefined,
      onLoginRequired: undefined,
    };
    assertEquals((await ssoProvider(laptop, none).retrieve()).source, "SsoProvider");
  });

  for (
    const [name, variables, options, urls] of [
      ["AWS_ENDPOINT_URL_SSO", { AWS_ENDPOINT_URL_SSO: "http://127.0.0.1:1/a/" }, {}, [
        "https://oidc.eu-central-1.amazonaws.com/token",
        "http://127.0.0.1:1/a/federation/credentials",
      ]],
      ["AWS_ENDPOINT_URL_SSO_OIDC", { AWS_ENDPOINT_URL_SSO_OIDC: "http://127.0.0.1:1" }, {}, [
        "http://127.0.0.1:1/token",
        "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials",
      ]],
      ["the option endpoint", { AWS_ENDPOINT_URL: "http://127.0.0.1:1" }, { endpoint: "http://127.0.0.1:2" }, [
        "http://127.0.0.1:2/token",
        "http://127.0.0.1:2/federation/credentials",
      ]],
      ["FIPS and dual stack", { AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true" }, {}, [
        "https://oidc-fips.eu-central-1.api.aws/token",
        "https://portal.sso-fips.eu-central-1.api.aws/federation/credentials",
      ]],
    ] as const
  ) {
    it(`move the endpoints: ${name}`, async () => {
      const laptop = signedIn();
      Object.assign(laptop.variables, variables);
      laptop.time += 28_800_000;
      const seen: string[] = [];
      laptop.answer = (url, init) => {
        seen.push(url.split("?")[0] ?? "");
        return laptop.sso.fetch(`https://any${new URL(url).pathname.replace("/a/", "/")}${new URL(url).search}`, init);
      };
      await ssoProvider(laptop, options).retrieve();
      assertEquals<readonly string[]>(seen, urls);
    });
  }

  it("refuse a region that would be another host", async () => {
    const laptop = signedIn();
    const options = { ssoStartUrl: "u", ssoRegion: "evil.example/", ssoAccountId: "1", ssoRoleName: "r" };
    assertEquals((await failure(laptop, options)).code, "ConfigurationError");
    assertEquals(wire(laptop), []);
  });

  it("need a home directory", async () => {
    const laptop = new Laptop();
    delete laptop.variables["HOME"];
    const error = await failure(laptop, { sharedConfig: { config: `${laptop.files["/home/me/.aws/config"]}` } });
    assertEquals([error.code, error.message], [
      "ConfigurationError",
      "Cannot find the SSO token: the home directory is not known",
    ]);
  });
});
