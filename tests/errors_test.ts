import { assertEquals, assertFalse, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isRecoverable } from "../lib/errors.ts";
import { CredentialsProviderError } from "../mod.ts";

const FINAL = { recoverable: false };

function circle(): object {
  const error: { cause?: unknown } = {};
  error.cause = { cause: error };
  return error;
}

describe("new CredentialsProviderError()", () => {
  it("is named after its code, with one Error at the end", () => {
    const names = (["ImdsNoRole", "StsError"] as const).map((code) => new CredentialsProviderError(code, "x").name);
    assertEquals(names, ["ImdsNoRoleError", "StsError"]);
  });

  it("has the details that are given, and no others", () => {
    const details = { statusCode: 404, hint: "Attach a role.", path: undefined, recoverable: false };
    const error = new CredentialsProviderError("ImdsNoRole", "x", details);
    assertEquals({ ...error }, {
      name: "ImdsNoRoleError",
      code: "ImdsNoRole",
      recoverable: false,
      tryNextLink: true,
      statusCode: 404,
      hint: "Attach a role.",
    } as object);
  });

  it("has a cause only where one is given", () => {
    const cause = new Error("beneath");
    assertStrictEquals(new CredentialsProviderError("StsError", "x", { cause }).cause, cause);
    assertFalse("cause" in new CredentialsProviderError("StsError", "x"));
  });
});

describe("isRecoverable()", () => {
  const rows: readonly [string, unknown, boolean][] = [
    ["an error that says nothing", new Error("x"), true],
    ["what is no error", undefined, true],
    ["null", null, true],
    ["a string", "recoverable", true],
    ["an error that says no", FINAL, false],
    ["an error with another word than true or false", { recoverable: "no" }, true],
    ["an error of this library whose code is final", new CredentialsProviderError("ConfigurationError", "x"), false],
    ["an error whose cause says no", new Error("x", { cause: FINAL }), false],
    ["a cause of a cause that says no", new Error("x", { cause: new Error("y", { cause: FINAL }) }), false],
    ["an error that says yes, with a cause that says no", { recoverable: true, cause: FINAL }, true],
    ["an error that says no, with a cause that says yes", { recoverable: false, cause: { recoverable: true } }, false],
    ["the nearest cause that says something", { cause: { recoverable: true, cause: FINAL } }, true],
    ["causes in a circle", circle(), true],
    ["a cause that is a string", { cause: "recoverable" }, true],
  ];
  for (const [name, error, expected] of rows) {
    it(`is ${expected} for ${name}`, () => {
      assertEquals(isRecoverable(error), expected);
    });
  }
});
