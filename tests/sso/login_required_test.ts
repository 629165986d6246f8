import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { LoginRequest } from "../../lib/session/session.ts";
import { Laptop, ssoTokenPath } from "../support/laptop.ts";
import { COMMAND, failure, REFRESH, REFUSED, ROLE, signedIn, ssoProvider, TOKEN, wire } from "../support/sso_laptop.ts";

describe("a token that SSO refuses before it expires", () => {
  it("is refreshed once, and the request sent once more", async () => {
    const laptop = signedIn();
    laptop.sso.revoke();
    await ssoProvider(laptop).retrieve();
    assertEquals(wire(laptop), [REFUSED, REFRESH, ROLE]);
  });

  it("is replaced by that of the file, if another process has written it", async () => {
    const laptop = signedIn();
    laptop.sso.revoke();
    const { answer } = laptop;
    laptop.answer = async (url, init) => {
      const response = await answer(url, init);
      if (response.status === 401) laptop.files[TOKEN] = laptop.sso.login();
      return response;
    };
    await ssoProvider(laptop).retrieve();
    assertEquals(wire(laptop), [REFUSED, ROLE]);
  });

  it("is an error with the command, when the session is revoked", async () => {
    const laptop = signedIn();
    laptop.sso.revoke({ sessions: true });
    const error = await failure(laptop);
    assertEquals([error.code, error.command, error.recoverable], ["SsoTokenError", COMMAND, false]);
    assertEquals(wire(laptop), [REFUSED, "POST /token 400"]);
  });

  it("is an error with the command, when the next one is refused, too", async () => {
    const laptop = signedIn();
    const body = JSON.stringify({ message: "Session token not found or invalid" });
    laptop.sso.inject({ status: 401, body, headers: { "x-amzn-errortype": "UnauthorizedException" } }, {
      on: "role",
      times: Infinity,
    });
    const error = await failure(laptop);
    assertEquals(
      [error.code, error.statusCode, error.ssoCode, error.recoverable, error.command],
      ["SsoError", 401, "UnauthorizedException", false, COMMAND],
    );
    assertEquals(wire(laptop), [REFUSED, REFRESH, REFUSED]);
  });

  it("is an error with the command, in a profile of the older form", async () => {
    const laptop = new Laptop();
    laptop.files[ssoTokenPath("https://old.awsapps.com/start")] = laptop.sso.login();
    laptop.sso.revoke();
    const error = await failure(laptop, { profile: "old" });
    assertEquals([error.code, error.command], ["SsoError", "aws sso login --profile old"]);
    assertEquals(wire(laptop), [REFUSED]);
  });

  it("may be the fault of a clock that is behind", async () => {
    const laptop = signedIn();
    const behind = { ...laptop, now: () => laptop.time - 40_000_000 };
    laptop.time += 30_000_000;
    await ssoProvider(laptop, { runtime: behind }).retrieve();
    assertEquals(wire(laptop), [REFUSED, REFRESH, ROLE]);
  });
});

describe("onLoginRequired", () => {
  /** Signs in whenever it is called. */
  function withPerson(laptop: Laptop) {
    const calls: LoginRequest[] = [];
    const onLoginRequired = (request: LoginRequest) => {
      calls.push(request);
      laptop.files[TOKEN] = laptop.sso.login();
      return Promise.resolve();
    };
    return { calls, onLoginRequired };
  }

  it("is told what is missing, and the retrieval goes on", async () => {
    const laptop = new Laptop();
    const { calls, onLoginRequired } = withPerson(laptop);
    const { signal } = new AbortController();
    await ssoProvider(laptop, { onLoginRequired }).retrieve({ signal });
    assertEquals(calls, [{ kind: "sso", profile: "dev", session: "corp", command: COMMAND, signal }]);
    assertEquals(wire(laptop), [ROLE]);
  });

  it("is not called while a token is there", async () => {
    const laptop = signedIn();
    const { calls, onLoginRequired } = withPerson(laptop);
    await ssoProvider(laptop, { onLoginRequired }).retrieve();
    assertEquals(calls, []);
  });

  for (
    const [name, prepare, requests] of [
      ["the session is revoked", (laptop: Laptop) => laptop.sso.revoke({ sessions: true }), [
        REFUSED,
        "POST /token 400",
        ROLE,
      ]],
      ["the token and the registration have expired", (laptop: Laptop) => void (laptop.time += 91 * 86_400_000), [
        ROLE,
      ]],
      ["the refresh is refused", (laptop: Laptop) => {
        laptop.time += 28_800_000;
        laptop.sso.revoke({ sessions: true });
      }, ["POST /token 400", ROLE]],
      ["the refreshed token is refused, too", (laptop: Laptop) => {
        laptop.sso.inject({ status: 401 }, { on: "role", times: 2 });
      }, [REFUSED, REFRESH, REFUSED, ROLE]],
    ] as const
  ) {
    it(`is called once when ${name}`, async () => {
      const laptop = signedIn();
      const { calls, onLoginRequired } = withPerson(laptop);
      prepare(laptop);
      await ssoProvider(laptop, { onLoginRequired }).retrieve();
      assertEquals([calls.length, wire(laptop)], [1, requests]);
    });
  }

  it("is called once for all providers of a session", async () => {
    const laptop = new Laptop();
    const { calls, onLoginRequired } = withPerson(laptop);
    const late = async (request: LoginRequest) => {
      await new Promise((resolve) => setTimeout(resolve));
      await onLoginRequired(request);
    };
    const options = { onLoginRequired: late };
    await Promise.all(["dev", "ops"].map((profile) => ssoProvider(laptop, { profile, ...options }).retrieve()));
    assertEquals(calls.length, 1);
  });

  it("is called again when the next session ends", async () => {
    const laptop = new Laptop();
    const { calls, onLoginRequired } = withPerson(laptop);
    const sso = ssoProvider(laptop, { onLoginRequired });
    await sso.retrieve();
    laptop.time += 91 * 86_400_000;
    await sso.retrieve();
    assertEquals([calls.length, wire(laptop)], [2, [ROLE, ROLE]]);
  });

  it("is not called for what a login does not help with", async () => {
    for (const fault of ["reset", "throttled", { status: 403 }, "html"] as const) {
      const laptop = signedIn();
      laptop.sso.inject(fault, { times: Infinity });
      const { calls, onLoginRequired } = withPerson(laptop);
      await failure(laptop, { onLoginRequired });
      assertEquals(calls, []);
    }
  });

  it("may fail: its error is the cause", async () => {
    const cause = new Error("no terminal");
    const onLoginRequired = () => Promise.reject(cause);
    const error = await failure(new Laptop(), { onLoginRequired });
    assertEquals([error.code, error.cause, error.command], ["SsoTokenError", cause, COMMAND]);
    assertMatch(error.message, /; onLoginRequired failed$/);
    const throws = await failure(new Laptop(), {
      onLoginRequired: () => {
        throw cause;
      },
    });
    assertEquals(throws.cause, cause);
  });

  it("may achieve nothing: the error is that of the second try", async () => {
    let calls = 0;
    const onLoginRequired = () => Promise.resolve(void calls++);
    assertEquals((await failure(new Laptop(), { onLoginRequired })).code, "SsoTokenError");
    assertEquals(calls, 1);
  });

  it("leaves the caller who gives up while a person signs in", async () => {
    const controller = new AbortController();
    const onLoginRequired = () => {
      controller.abort(new Error("enough"));
      return new Promise<void>(() => {});
    };
    const retrieval = ssoProvider(new Laptop(), { onLoginRequired }).retrieve({ signal: controller.signal });
    await assertRejects(() => retrieval, Error, "enough");
  });
});
