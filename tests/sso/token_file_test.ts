import { assertEquals, assertFalse, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  type NewSsoToken,
  parseSsoToken,
  ssoTokenFileName,
  validRefresh,
  withNewToken,
} from "../../lib/sso/token_file.ts";
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
  readonly token: NewSsoToken;
  readonly written: object;
}

const now = Date.parse("2026-01-01T00:00:00.999Z");

describe("ssoTokenFileName()", () => {
  const names = {
    "admin": "d033e22ae348aeb5660fc2140aec35850c4da997",
    "dev-scopes": "75e4d41276d8bd17f85986fc6cccef29fd725ce3",
    "https://ssotest.awsapps.com/start": "dace00cba5f8355ec9d274ceb2bcebdfbeed0e12",
  };
  for (const [session, hash] of Object.entries(names)) {
    it(`is the SHA-1 of ${session}`, async () => assertEquals(await ssoTokenFileName(session), `${hash}.json`));
  }
});

describe("parseSsoToken()", () => {
  for (const { name, text, token, message } of readTable<ParseRow>("sso_token_file")) {
    if (message !== undefined) {
      it(`refuses ${name}`, () => {
        const error = assertThrows(() => parseSsoToken(text), SyntaxError);
        assertEquals([error.message, error.cause], [message, undefined]);
      });
    } else it(`reads ${name}`, () => assertEquals(JSON.parse(JSON.stringify(parseSsoToken(text))), token));
  }

  it("throws nothing but a SyntaxError that quotes nothing, for any text", () => {
    const secret = "aoaAAAAAGm7";
    const texts = fc.oneof(fc.string(), fc.json(), fc.json().map((json) => `{"accessToken":${json},"expiresAt":0}`));
    fc.assert(fc.property(texts, (text) => {
      try {
        parseSsoToken(`${text}${secret}`);
      } catch (error) {
        assertInstanceOf(error, SyntaxError);
        assertFalse(`${error.message} ${error.stack}`.includes(secret));
      }
    }));
  });
});

describe("validRefresh()", () => {
  const refresh = { clientId: "C", clientSecret: "S", refreshToken: "R", registrationExpiresAt: now };
  const token = { accessToken: "T", expiresAt: now };

  it("is nothing without the data that a refresh sends", () =>
    assertEquals(validRefresh({ ...token, refresh: undefined }, now), undefined));
  it("is there until the registration expires", () =>
    assertEquals(validRefresh({ ...token, refresh }, now - 1), refresh));
  it("is nothing from the moment the registration expires", () =>
    assertEquals(validRefresh({ ...token, refresh }, now), undefined));
  it("is there when nobody knows when the registration expires", () => {
    const unknown = { ...refresh, registrationExpiresAt: undefined };
    assertEquals(validRefresh({ ...token, refresh: unknown }, now), unknown);
  });
});

describe("withNewToken()", () => {
  for (const { name, text, token, written } of readTable<WriteRow>("sso_token_write")) {
    it(`keeps all but the token, with ${name}`, () => {
      const result = withNewToken(text, token, now);
      assertEquals(JSON.parse(result), written);
      assertEquals(parseSsoToken(result).accessToken, token.accessToken);
    });
  }

  it("keeps every field it does not know, for any object", () => {
    const token = { accessToken: "NEW", expiresInSeconds: 1, refreshToken: undefined };
    const known = ["accesstoken", "expiresat", "refreshtoken"];
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
      const unknown = Object.entries(fields).filter(([name]) => !known.includes(name.toLowerCase()));
      const { accessToken: _, expiresAt: __, ...kept } = JSON.parse(withNewToken(JSON.stringify(fields), token, now));
      assertEquals(JSON.stringify(kept), JSON.stringify(Object.fromEntries(unknown)));
    }));
  });
});
