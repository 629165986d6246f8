import { assert, assertEquals, assertFalse, assertInstanceOf, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { importEcKey } from "../../lib/login/ec_key.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly pem: string;
  readonly x?: string;
  readonly y?: string;
  readonly message?: string;
}

const rows = readTable<Row>("ec_private_keys");

describe("importEcKey()", () => {
  for (const { name, pem, x = "", y = "", message } of rows) {
    it(`${message === undefined ? "imports" : "refuses"} ${name}`, async () => {
      if (message !== undefined) {
        const error = await assertRejects(() => importEcKey(pem), SyntaxError);
        return assertEquals([error.message, error.cause], [message, undefined]);
      }
      const { privateKey, publicJwk } = await importEcKey(pem);
      assertEquals(publicJwk, { kty: "EC", crv: "P-256", x, y });
      assertEquals([privateKey.type, privateKey.usages], ["private", ["sign"]]);
    });
  }

  it("throws a SyntaxError that quotes nothing, for any text", () =>
    fc.assert(fc.asyncProperty(fc.string(), (text) => importsOrRefuses(text))));

  it("throws a SyntaxError that quotes nothing, for any bytes in a block", () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom("EC PRIVATE KEY", "PRIVATE KEY"), fc.uint8Array(), (label, bytes) =>
        importsOrRefuses(pemOf(label, bytes))),
    ));

  it("throws a SyntaxError that quotes nothing, for a key with a byte changed or cut out", () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...rows.filter(({ message }) => message === undefined)),
        fc.nat(),
        fc.option(fc.nat(255), { nil: undefined }),
        (row, position, byte) => {
          const [, label = "", base64 = ""] = /-----BEGIN (.+?)-----([^-]+)/.exec(row.pem) ?? [];
          const bytes = Array.from(atob(base64), (character) => character.charCodeAt(0));
          bytes.splice(position % bytes.length, 1, ...(byte === undefined ? [] : [byte]));
          return importsOrRefuses(pemOf(label, bytes));
        },
      ),
      { numRuns: 500 },
    ));
});

async function importsOrRefuses(pem: string): Promise<void> {
  try {
    const { publicJwk } = await importEcKey(pem);
    assert(publicJwk.x.length === 43 && publicJwk.y.length === 43);
  } catch (error) {
    assertInstanceOf(error, SyntaxError);
    const text = pem.replaceAll(/-----.*?-----/g, "").trim();
    if (text.length > 3) assertFalse(`${error.message} ${error.stack?.split("\n")[0]}`.includes(text));
  }
}

function pemOf(label: string, bytes: Iterable<number>): string {
  return `-----BEGIN ${label}-----\n${btoa(String.fromCharCode(...bytes))}\n-----END ${label}-----\n`;
}
