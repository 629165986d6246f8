import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, parseImdsCredentials } from "../../mod.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly text: string;
  readonly credentials?: Record<string, string>;
  readonly says?: string;
  readonly imdsCode?: string;
}

describe("parseImdsCredentials()", () => {
  for (const { name, text, credentials, says = "", imdsCode } of readTable<Row>("imds_documents")) {
    if (credentials !== undefined) {
      it(`reads ${name}`, () => {
        assertEquals(JSON.parse(JSON.stringify(parseImdsCredentials(text))), credentials);
      });
    } else {
      it(`fails on ${name}`, () => {
        const error = assertThrows(() => parseImdsCredentials(text), CredentialsProviderError);
        assertEquals([error.code, error.imdsCode], ["ImdsInvalidResponse", imdsCode]);
        assert(`${error.message} ${error.hint}`.includes(says), error.message);
        assertEquals(error.cause, undefined);
        assertFalse(/CANARY/.test(`${error.stack}${JSON.stringify(error)}`), "the error quotes the document");
      });
    }
  }

  it("cuts a reported message after 200 characters, and keeps it on one line", () => {
    const text = JSON.stringify({ Code: "Failed", Message: `a\u001b[31m\r\n${"x".repeat(300)}` });
    const { message } = assertThrows(() => parseImdsCredentials(text), CredentialsProviderError);
    assertEquals(message.split("Failed, ")[1], `a [31m ${"x".repeat(193)}…`);
  });

  it("names the trust policy only for the failure that it causes", () => {
    const hint = (code: string) =>
      assertThrows(() => parseImdsCredentials(JSON.stringify({ Code: code })), CredentialsProviderError).hint ?? "";
    assert(hint("AssumeRoleUnauthorizedAccess").includes("trust policy"));
    assertFalse(hint("Failed").includes("trust policy"));
  });
});
