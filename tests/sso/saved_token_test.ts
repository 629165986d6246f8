import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SsoProvider } from "../../lib/sso/provider.ts";
import { assertNoSecrets } from "../support/errors.ts";
import { Laptop } from "../support/laptop.ts";
import { COMMAND, failure, REFRESH, ROLE, signedIn, ssoProvider, TOKEN, wire } from "../support/sso_laptop.ts";

describe("the token file", () => {
  const message = (state: string) => `Cannot use the token of SSO session corp: ${state}`;

  it("may be missing: the error says which command makes it", async () => {
    const laptop = new Laptop();
    const error = await failure(laptop);
    assertEquals([error.code, error.recoverable, error.command], ["SsoTokenError", false, COMMAND]);
    assertEquals(error.message, message(`${TOKEN} does not exist, or this program is not permitted to read it`));
    assertEquals([error.hint, wire(laptop)], [`Run \`${COMMAND}\`.`, []]);
  });

  for (
    const [name, text] of [["empty", ""], ["half written", '{"accessToken":"canary-secret","exp'], ["no object", "[]"]]
  ) {
    it(`may be ${name} for a moment: that is recoverable`, async () => {
      const laptop = signedIn();
      laptop.files[TOKEN] = text ?? "";
      const error = await failure(laptop);
      assertEquals([error.code, error.recoverable, error.command], ["SsoTokenError", true, undefined]);
      assertEquals(error.message, message(`${TOKEN} does not hold a token: it is not a JSON object`));
      assertEquals([error.hint, wire(laptop)], [`Run \`${COMMAND}\`.`, []]);
    });
  }

  it("may be unreadable: that is recoverable", async () => {
    const laptop = signedIn();
    laptop.files[TOKEN] = new Error("canary-secret");
    const error = await failure(laptop);
    assertEquals([error.code, error.recoverable, error.cause], ["SsoTokenError", true, undefined]);
    assertEquals(error.message, message(`${TOKEN} cannot be read`));
  });

  it("may have a byte order mark", async () => {
    const laptop = signedIn();
    laptop.files[TOKEN] = `\ufeff${laptop.files[TOKEN]}`;
    laptop.time += 28_800_000;
    await ssoProvider(laptop).retrieve();
    assertEquals(laptop.json(TOKEN)["expiresAt"], "2026-01-01T16:00:00Z");
  });

  it("is taken as it is when another process wrote a token that lasts longer", async () => {
    const laptop = signedIn();
    laptop.time += 28_700_000;
    const { answer } = laptop;
    laptop.answer = async (url, init) => {
      const response = await answer(url, init);
      if (url.endsWith("/token")) laptop.files[TOKEN] = laptop.sso.login().replace(/T15:58:20Z/, "T15:58:21Z");
      return response;
    };
    await ssoProvider(laptop).retrieve();
    const { accessToken, expiresAt } = laptop.json(TOKEN);
    assertEquals(expiresAt, "2026-01-01T15:58:21Z");
    assertEquals(laptop.sso.requests[1]?.headers["x-amz-sso_bearer_token"], accessToken);
  });

  it("is taken when another process has used up the refresh token", async () => {
    const laptop = signedIn();
    laptop.time += 28_800_000;
    const { answer } = laptop;
    laptop.answer = async (url, init) => {
      if (url.endsWith("/token")) laptop.sso.inject({ status: 400 }, { on: "token" });
      const response = await answer(url, init);
      if (url.endsWith("/token")) laptop.files[TOKEN] = laptop.sso.login();
      return response;
    };
    await ssoProvider(laptop).retrieve();
    assertEquals([wire(laptop), laptop.slept], [["POST /token 400", ROLE], []]);
  });

  it("is waited for once when another process has used up the refresh token and not yet written", async () => {
    const laptop = signedIn();
    laptop.time += 28_800_000;
    laptop.sso.inject({ status: 400 }, { on: "token" });
    const { sleep } = laptop;
    const other = {
      ...laptop,
      sleep(ms: number) {
        laptop.files[TOKEN] = laptop.sso.login();
        return sleep(ms);
      },
    };
    await ssoProvider(laptop, { runtime: other }).retrieve();
    assertEquals([wire(laptop), laptop.slept], [["POST /token 400", ROLE], [1_000]]);
  });

  it("is not taken when the token of another process has expired, too", async () => {
    const laptop = signedIn();
    laptop.time += 30_000_000;
    laptop.sso.inject({ status: 400 }, { on: "token" });
    const { answer } = laptop;
    laptop.answer = (url, init) => {
      laptop.change(TOKEN, { expiresAt: "2026-01-01T08:10:00Z" });
      return answer(url, init);
    };
    assertEquals((await failure(laptop)).statusCode, 400);
    assertEquals(wire(laptop), ["POST /token 400"]);
  });

  it("stays away when a person logs out during the refresh", async () => {
    const laptop = signedIn();
    laptop.time += 28_700_000;
    const { answer } = laptop;
    laptop.answer = (url, init) => {
      if (url.endsWith("/token")) delete laptop.files[TOKEN];
      return answer(url, init);
    };
    await ssoProvider(laptop).retrieve();
    assertEquals(laptop.files[TOKEN], undefined);
  });

  for (
    const [name, error] of [["cannot", new Error("the disk is full (ENOSPC)")], ["is nowhere to", undefined]] as const
  ) {
    it(`${name} be written: the token lives in memory, and one warning says so`, async () => {
      const laptop = signedIn();
      const before = laptop.files[TOKEN];
      laptop.writeError = error;
      const runtime = error === undefined ? { ...laptop, writeTextFile: undefined } : laptop;
      const sso = new SsoProvider({ profile: "dev", runtime });
      for (const ms of [28_700_000, 28_700_000, 28_700_000]) {
        laptop.time += ms;
        await sso.retrieve();
      }
      await new SsoProvider({ profile: "ops", runtime }).retrieve();
      assertEquals(wire(laptop), [REFRESH, ROLE, REFRESH, ROLE, REFRESH, ROLE, ROLE]);
      assertEquals(laptop.files[TOKEN], before);
      const reason = error?.message ?? "this runtime writes no files";
      assertEquals(laptop.warnings, [
        `Cannot write ${TOKEN}: ${reason}; the new token is kept in memory, and lost when this program ends`,
      ]);
      assertNoSecrets(laptop.warnings);
    });
  }

  it("counts again as soon as another process has written it", async () => {
    const laptop = signedIn();
    laptop.writeError = new Error("the disk is full (ENOSPC)");
    laptop.time += 28_700_000;
    await ssoProvider(laptop).retrieve();
    laptop.files[TOKEN] = laptop.sso.login();
    await ssoProvider(laptop).retrieve();
    assertEquals(laptop.sso.requests.at(-1)?.headers["x-amz-sso_bearer_token"], laptop.json(TOKEN)["accessToken"]);
    delete laptop.files[TOKEN];
    assertEquals((await failure(laptop)).command, COMMAND);
  });
});
