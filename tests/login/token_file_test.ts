import { assertEquals, assertFalse, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { loginFileName, type NewLoginToken, parseLoginToken, withNewLogin } from "../../lib/login/token_file.ts";
import { printed } from "../support/printed.ts";
import { readTable } from "../support/tables.ts";

interface ParseRow {
  readonly name: string;
  readonly text: string;
  readonly token?: object;
  readonly message?: string;
}

interface WriteRow {
  readonly name: string;
  readonly text: string;
  readonly token: NewLoginToken;
  readonly written: object;
}

const now = Date.parse("2026-01-01T00:00:00.999Z");

describe("loginFileName()", () => {
  const names = {
    "arn:aws:sts::012345678910:assumed-role/Admin/admin":
      "4b0ba8f99f075c0633e122fd73346ce203a3faf18ea0310eb2d29df1bab2e255",
    " arn:aws:iam::0123456789012:user/Admin\t": "36db1d138ff460920374e4c3d8e01f53f9f73537e89c88d639f68393df0e2726",
  };
  for (const [session, hash] of Object.entries(names)) {
    it(`is the SHA-256 of ${session.trim()}`, async () => assertEquals(await loginFileName(session), `${hash}.json`));
  }
});

describe("parseLoginToken()", () => {
  const rows = readTable<ParseRow>("login_token_file");
  for (const { name, text, token, message } of rows) {
    if (message !== undefined) {
      it(`refuses ${name}`, () => {
        const error = assertThrows(() => parseLoginToken(text), SyntaxError);
        assertEquals([error.message, error.cause], [message, undefined]);
      });
    } else it(`reads ${name}`, () => assertEquals(JSON.parse(JSON.stringify(parseLoginToken(text))), token));
  }

  it("returns credentials that print without their secrets", () => {
    const { credentials } = parseLoginToken(rows[0]?.text ?? "");
    for (const print of printed(credentials)) assertFalse(/KEY|SESSION/.test(print));
  });

  it("throws nothing but a SyntaxError that quotes nothing, for any text", () => {
    const secret = "wJalrXUtnFEMI";
    const texts = fc.oneof(fc.string(), fc.json(), fc.json().map((json) => `{"accessToken":${json},"clientId":0}`));
    fc.assert(fc.property(texts, (text) => {
      try {
        parseLoginToken(`${text}${secret}`);
      } catch (error) {
        assertInstanceOf(error, SyntaxError);
        assertFalse(`${error.message} ${error.stack}`.includes(secret));
      }
    }));
  });
});

describe("withNewLogin()", () => {
  for (const { name, text, token, written } of readTable<WriteRow>("login_token_write")) {
    it(`keeps all but the credentials, with ${name}`, () => {
      const result = withNewLogin(text, token, now);
      assertEquals(JSON.parse(result), written);
      const { credentials, refreshToken } = parseLoginToken(result);
      assertEquals([credentials.accessKeyId, refreshToken], [token.accessKeyId, token.refreshToken]);
    });
  }
});
