import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  currentToken,
  grantedToken,
  refusesTokens,
  tokenAfterUnauthorized,
  type TokenState,
} from "../../lib/imds/token.ts";

const SENT_AT = 1_000_000;
const HELD: TokenState = { kind: "cached", value: "newer", refreshAt: 500 };

describe("grantedToken()", () => {
  const granted: readonly (readonly [name: string, body: string, ttl: string | null, refreshAfterMs: number | null])[] =
    [
      ["a TTL of 6 hours is refreshed two minutes early", "token", "21600", 21_480_000],
      ["a TTL of 241 seconds is refreshed two minutes early", "token", "241", 121_000],
      ["a TTL of 240 seconds is refreshed after half of it", "token", "240", 120_000],
      ["a TTL of 1 second is refreshed after half of it", "token", "1", 500],
      ["a TTL of 0 is used for one retrieval", "token", "0", null],
      ["a TTL of 21601 is used for one retrieval", "token", "21601", null],
      ["no TTL is used for one retrieval", "token", null, null],
      ["white space around the token is removed", " token\r\n", "2", 1_000],
    ];
  for (const [name, body, ttl, refreshAfterMs] of granted) {
    it(name, () => {
      const refreshAt = refreshAfterMs === null ? undefined : SENT_AT + refreshAfterMs;
      assertEquals(grantedToken(body, ttl, SENT_AT), { value: "token", refreshAt });
    });
  }

  for (const body of ["", "  ", "two words", "größe", "<html>\n</html>", "x".repeat(4_097)]) {
    it(`is undefined for a body of ${body.length} characters that is no token`, () => {
      assertEquals(grantedToken(body, "21600", SENT_AT), undefined);
    });
  }

  it("accepts a token of 4096 characters", () => {
    assertEquals(grantedToken("x".repeat(4_096), "2", SENT_AT)?.value.length, 4_096);
  });
});

describe("currentToken()", () => {
  it("is the cached token until its refresh is due", () => {
    assertEquals([499, 500, 501].map((now) => currentToken(HELD, now)), ["newer", undefined, undefined]);
  });
});

describe("tokenAfterUnauthorized()", () => {
  const rows: readonly (readonly [name: string, state: TokenState, sent: string | undefined, kind: string])[] = [
    ["the token that was sent is forgotten", HELD, "newer", "none"],
    ["a newer token stays, when an older one was sent", HELD, "older", "cached"],
    ["a newer token stays, when none was sent", HELD, undefined, "cached"],
    ["IMDSv1 is no longer used, when no token was sent", { kind: "refused" }, undefined, "none"],
    ["IMDSv1 stays, when an older token was sent", { kind: "refused" }, "older", "refused"],
    ["no token stays no token", { kind: "none" }, "older", "none"],
  ];
  for (const [name, state, sent, kind] of rows) {
    it(name, () => assertEquals(tokenAfterUnauthorized(state, sent).kind, kind));
  }
});

describe("refusesTokens()", () => {
  it("holds for 403, 404 and 405 only", () => {
    const refusing = Array.from({ length: 500 }, (_, index) => index + 100).filter(refusesTokens);
    assertEquals(refusing, [403, 404, 405]);
  });
});
