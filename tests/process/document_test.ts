import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CredentialsProviderError, parseProcessCredentials, type ProcessDocumentOptions } from "../../mod.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly text: string;
  readonly options?: ProcessDocumentOptions;
  readonly credentials?: object;
  readonly code?: string;
  readonly message?: string;
}

function outcome(text: string, options?: ProcessDocumentOptions): unknown {
  try {
    return JSON.parse(JSON.stringify(parseProcessCredentials(text, options)));
  } catch (error) {
    assertInstanceOf(error, CredentialsProviderError);
    assertEquals([error.cause, error.tryNextLink], [undefined, false]);
    return { code: error.code, message: error.message };
  }
}

describe("parseProcessCredentials()", () => {
  for (const { name, text, options, credentials, code, message } of readTable<Row>("process_document")) {
    it(`gives ${credentials === undefined ? code : "credentials"}, for ${name}`, () => {
      assertEquals(
        outcome(text, options),
        credentials ?? { code, message: `Cannot use the process document: ${message}` },
      );
    });
  }

  it("says in the hint what to print", () => {
    const HINTS = {
      "": "Print one JSON document to stdout, and all else to stderr.",
      '{"Version":2}': 'Print "Version": 1, a number.',
      '{"Version":1}': "Print AccessKeyId, a string.",
    };
    for (const [text, hint] of Object.entries(HINTS)) {
      const error = assertThrows(() => parseProcessCredentials(text), CredentialsProviderError);
      assertEquals(error.hint, hint);
    }
  });

  it("returns an expiration that is a Date, when there is one", () => {
    const text = '{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"S","Expiration":"2030-01-01T00:00:00Z"}';
    assertEquals(parseProcessCredentials(text).expiration, new Date("2030-01-01T00:00:00Z"));
  });

  it("throws nothing but its own errors, and quotes nothing, for any text", () => {
    const secret = "wJalrXUtnFEMI";
    fc.assert(fc.property(fc.string(), fc.boolean(), (noise, repairQuotes) => {
      try {
        parseProcessCredentials(`${noise}${secret}`, { repairQuotes });
      } catch (error) {
        assertInstanceOf(error, CredentialsProviderError);
        assertEquals(`${error.message} ${error.hint} ${error.stack}`.includes(secret), false);
      }
    }));
  });
});
