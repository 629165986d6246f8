import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LoginProvider } from "../../lib/login/provider.ts";
import { Laptop } from "../support/laptop.ts";
import { COMMAND, failure, loginProvider, PATH, signedIn, statuses } from "../support/login_laptop.ts";
import { readTable } from "../support/tables.ts";

describe("the file of a login", () => {
  const message = (state: string) => `Cannot use the login of profile signed-in: ${state}`;

  it("may be missing: the error says which command makes it", async () => {
    const laptop = new Laptop();
    const error = await failure(laptop);
    assertEquals([error.code, error.recoverable, error.command], ["LoginError", false, COMMAND]);
    assertEquals([error.message, error.hint], [
      message(`${PATH} does not exist, or this program is not permitted to read it`),
      `Run \`${COMMAND}\`.`,
    ]);
  });

  for (const field of ["refreshToken", "clientId", "dpopKey"]) {
    it(`may lack ${field}: that is recoverable, and nothing is sent`, async () => {
      const laptop = await signedIn();
      laptop.change(PATH, { [field]: undefined });
      laptop.time += 900_000;
      const error = await failure(laptop);
      assertEquals([error.code, error.recoverable, error.command], ["LoginError", true, undefined]);
      assertEquals(
        error.message,
        message(`${PATH} does not hold a token: its ${field} is missing, blank or not a string`),
      );
      assertEquals([error.hint, statuses(laptop)], [`Run \`${COMMAND}\`.`, []]);
    });
  }

  for (const { name, pem, message } of readTable<{ name: string; pem: string; message?: string }>("ec_private_keys")) {
    if (message === undefined || pem === "") continue;
    it(`may hold a key that is no key: ${name}`, async () => {
      const laptop = await signedIn();
      laptop.change(PATH, { dpopKey: pem });
      await loginProvider(laptop).retrieve(); // not needed yet
      laptop.time += 900_000;
      const error = await failure(laptop);
      assertEquals([error.code, error.recoverable, error.command], ["LoginError", false, COMMAND]);
      assertEquals(
        error.message,
        `Cannot refresh the login session: the dpopKey in the session file is invalid: ${message}`,
      );
      assertEquals([error.hint, error.cause, statuses(laptop)], [`Run \`${COMMAND}\`.`, undefined, []]);
    });
  }

  it("may hold the key of another session: the service does not accept the proof", async () => {
    const laptop = await signedIn();
    laptop.change(PATH, { dpopKey: JSON.parse(await laptop.login.login()).dpopKey });
    laptop.time += 900_000;
    assertEquals((await failure(laptop)).statusCode, 400);
  });

  it("cannot be written: the credentials live in memory, and one warning says so", async () => {
    const laptop = await signedIn();
    const before = laptop.files[PATH];
    laptop.writeError = new Error("permission denied (EACCES)");
    const login = new LoginProvider({ profile: "signed-in", runtime: laptop });
    for (let round = 0; round < 3; round++) {
      laptop.time += 600_000;
      await login.retrieve();
    }
    assertEquals([statuses(laptop), laptop.files[PATH] === before], [[200, 200, 200], true]);
    assertEquals(laptop.warnings, [
      `Cannot write ${PATH}: permission denied (EACCES); the new token is kept in memory, and lost when this program ends`,
    ]);
  });
});
