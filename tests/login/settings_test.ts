import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../lib/errors.ts";
import type { LoginRequest } from "../../lib/session/session.ts";
import { LoginProvider } from "../../lib/login/provider.ts";
import type { LoginProviderOptions } from "../../lib/login/settings.ts";
import { Laptop, LOGIN_SESSION } from "../support/laptop.ts";
import { COMMAND, failure, loginProvider, PATH, signedIn } from "../support/login_laptop.ts";

describe("the settings of LoginProvider", () => {
  it("make a profile without a login unavailable, so that a chain goes on", async () => {
    const error = await assertRejects(
      () => loginProvider(new Laptop(), { profile: "dev" }).retrieve(),
      CredentialsProviderError,
    );
    assertEquals([error.code, error.tryNextLink], ["NoCredentials", true]);
    assertEquals(error.message, "Cannot get credentials from a login: profile dev has no login_session");
  });

  it("name the profile that is missing", async () => {
    assertEquals((await failure(new Laptop(), { profile: "gone" })).code, "ProfileNotFoundError");
  });

  for (
    const [name, config, options, variables, host] of [
      [
        "the profile",
        "region = cn-north-1",
        { region: "us-east-2" },
        { AWS_REGION: "us-east-1" },
        "cn-north-1.signin.amazonaws.cn",
      ],
      ["the option", "", { region: "us-east-2" }, { AWS_REGION: "us-east-1" }, "us-east-2.signin.aws.amazon.com"],
      ["clientConfig of AWS SDK v3", "", { clientConfig: { region: "us-west-2" } }, {
        AWS_REGION: "us-east-1",
      }, "us-west-2.signin.aws.amazon.com"],
      ["AWS_REGION", "", {}, { AWS_REGION: "us-gov-west-1" }, "us-gov-west-1.signin.amazonaws-us-gov.com"],
      ["nothing", "", {}, {}, undefined],
    ] as const
  ) {
    it(`take the region from ${name}`, async () => {
      const laptop = await signedIn();
      Object.assign(laptop.variables, variables);
      laptop.time += 900_000;
      const hosts: string[] = [];
      laptop.answer = (url) => {
        hosts.push(new URL(url).host);
        return Promise.reject(new TypeError("offline"));
      };
      const sharedConfig = { config: `[profile a]\nlogin_session = ${LOGIN_SESSION}\n${config}` };
      const error = await failure(laptop, { profile: "a", sharedConfig, maxRetries: 0, ...options });
      assertEquals([error.code, ...hosts], host === undefined ? ["ConfigurationError"] : ["LoginError", host]);
    });
  }

  it("take the folder from AWS_LOGIN_CACHE_DIRECTORY", async () => {
    for (const folder of ["/elsewhere", "/elsewhere/", "~/elsewhere"]) {
      const laptop = await signedIn();
      laptop.variables["AWS_LOGIN_CACHE_DIRECTORY"] = folder;
      const path = `${folder.replace("~", "/home/me").replace(/\/$/, "")}/${PATH.split("/").at(-1)}`;
      laptop.files[path] = laptop.files[PATH] ?? "";
      delete laptop.files[PATH];
      assertEquals((await loginProvider(laptop).retrieve()).source, "LoginProvider");
    }
  });

  it("need a home directory", async () => {
    const laptop = new Laptop();
    delete laptop.variables["HOME"];
    const error = await failure(laptop, { sharedConfig: { config: `${laptop.files["/home/me/.aws/config"]}` } });
    assertEquals([error.code, error.message], [
      "ConfigurationError",
      "Cannot find the login session: the home directory is not known",
    ]);
  });

  for (
    const options of [{ region: " " }, { clientConfig: { region: 1 } }, { maxRetries: 0.5 }, { endpoint: "x" }, {
      onLoginRequired: {},
    }]
  ) {
    it(`are checked when the provider is made: ${JSON.stringify(options)}`, () => {
      const make = () => new LoginProvider(options as LoginProviderOptions);
      assertEquals(assertThrows(make, CredentialsProviderError).code, "ConfigurationError");
    });
  }
});

describe("onLoginRequired of LoginProvider", () => {
  it("may fail: its error is the cause, and no cache goes on", async () => {
    const cause = new Error("no terminal");
    const error = await failure(new Laptop(), { onLoginRequired: () => Promise.reject(cause) });
    assertEquals([error.code, error.cause, error.command, error.recoverable], ["LoginError", cause, COMMAND, false]);
  });

  for (
    const [name, prepare, isCalled] of [
      ["there is no session", (laptop: Laptop) => void (delete laptop.files[PATH]), true],
      ["the session has ended", (laptop: Laptop) => void (laptop.time += 43_200_000), true],
      ["the password changed", (laptop: Laptop) => {
        laptop.login.inject("USER_CREDENTIALS_CHANGED");
        laptop.time += 900_000;
      }, true],
      ["a permission is missing", (laptop: Laptop) => {
        laptop.login.inject("INSUFFICIENT_PERMISSIONS");
        laptop.time += 900_000;
      }, false],
    ] as const
  ) {
    it(`is ${isCalled ? "" : "not "}called when ${name}`, async () => {
      const laptop = await signedIn();
      prepare(laptop);
      const calls: LoginRequest[] = [];
      const onLoginRequired = async (request: LoginRequest) => {
        calls.push(request);
        laptop.files[PATH] = await laptop.login.login();
      };
      const retrieval = loginProvider(laptop, { onLoginRequired }).retrieve();
      if (!isCalled) {
        await assertRejects(() => retrieval, CredentialsProviderError);
        return assertEquals(calls, []);
      }
      await retrieval;
      const request = { kind: "login", profile: "signed-in", session: LOGIN_SESSION, command: COMMAND } as const;
      assertEquals(calls, [{ ...request, signal: undefined }]);
    });
  }
});
