import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RequestNotSentError } from "../../lib/errors.ts";
import type { Outcome } from "../../lib/http/request.ts";
import { isExpiredToken, stsDelayMs, stsError } from "../../lib/sts/errors.ts";
import { CredentialsProviderError } from "../../mod.ts";

const URL = "https://sts.eu-west-1.amazonaws.com";

function response(status: number, body = "", headers: Record<string, string> = {}): Outcome {
  return { kind: "response", status, body, headers: new Headers(headers), sentAt: 0 };
}

function failure(code: string, message?: string): string {
  const detail = message === undefined ? "" : `<Message>${message}</Message>`;
  return `<ErrorResponse><Error><Code>${code}</Code>${detail}</Error><RequestId>r-1</RequestId></ErrorResponse>`;
}

function notSent(reason: RequestNotSentError["reason"]): Outcome {
  return { kind: "notSent", error: new RequestNotSentError(reason, "it is refused", "Allow it.") };
}

const cause = new Error("ECONNRESET");
const INVALID_BODY: Outcome = { kind: "invalidBody", status: 200, state: "it is not UTF-8" };
const TIMEOUT: Outcome = { kind: "timeout", cause, wasReset: false };
const UNREACHABLE: Outcome = { kind: "unreachable", cause, wasReset: true };

describe("stsDelayMs()", () => {
  const delay = (outcome: Outcome, retries = 0) => stsDelayMs(outcome, retries, 2, 0.5);
  const cases: readonly (readonly [name: string, outcome: Outcome, expected: number | undefined])[] = [
    ["the first status of success, whatever its body says", response(200, failure("Throttling")), undefined],
    ["the last status of success, whatever its body says", response(299, failure("Throttling")), undefined],
    ["a status before those of success", response(199, failure("Throttling")), 250],
    ["a status after those of success", response(300, failure("Throttling")), 250],
    ["a code that ends like one of throttling", response(400, failure("NotThrottling")), undefined],
    ["a busy service, by its code only", response(400, failure("InternalFailure")), 50],
    ["a busy service, by its status only", response(500), 50],
    ["a request that was not sent", notSent("proxy"), undefined],
    ["a body that cannot be used", INVALID_BODY, undefined],
    ["a timeout", TIMEOUT, 50],
    ["a failed connection", UNREACHABLE, 50],
    [
      "x-amz-retry-after in milliseconds",
      response(503, "", { "x-amz-retry-after": "1500", "retry-after": "1" }),
      1_550,
    ],
    ["x-amz-retry-after of a long time", response(503, "", { "x-amz-retry-after": "60000" }), 5_050],
    ["retry-after in seconds", response(503, "", { "retry-after": "1" }), 1_050],
    ["x-amz-retry-after that begins like a number", response(503, "", { "x-amz-retry-after": "1500 ms" }), 50],
    ["x-amz-retry-after that ends like a number", response(503, "", { "x-amz-retry-after": "-1500" }), 50],
  ];
  for (const [name, outcome, expected] of cases) {
    it(`is ${expected} after ${name}`, () => assertEquals(delay(outcome), expected));
  }

  it("stops after maxRetries", () => assertEquals([delay(UNREACHABLE, 1), delay(UNREACHABLE, 2)], [100, undefined]));
});

describe("isExpiredToken()", () => {
  const error = (stsCode: string) => new CredentialsProviderError("StsError", "x", { stsCode });

  it("is true for the error with that code", () => assertEquals(isExpiredToken(error("ExpiredToken")), true));

  it("is false for another code, and for an error from elsewhere", () => {
    const others = [error("AccessDenied"), { stsCode: "ExpiredToken" }, undefined];
    assertEquals(others.map(isExpiredToken), [false, false, false]);
  });
});

describe("stsError()", () => {
  const errorOf = (outcome: Outcome, attempts = 1) => stsError("AssumeRole", { outcome, attempts }, `${URL}/`);
  const messages: readonly (readonly [outcome: Outcome, attempts: number, code: string, message: string])[] = [
    [response(403, failure("AccessDenied", "no")), 1, "StsError", "returned 403, AccessDenied, no"],
    [response(403, failure("AccessDenied")), 1, "StsError", "returned 403, AccessDenied"],
    [response(503), 3, "StsError", "returned 503 (3 attempts)"],
    [TIMEOUT, 1, "StsUnreachable", "no complete response in time at"],
    [UNREACHABLE, 3, "StsUnreachable", "the connection failed at"],
  ];
  for (const [outcome, attempts, code, state] of messages) {
    it(`says ${state}`, () => {
      const error = errorOf(outcome, attempts);
      const host = "sts.eu-west-1.amazonaws.com";
      const tries = attempts === 1 ? "" : " (3 attempts)";
      const message = outcome.kind === "response" ? `${host} ${state}` : `${state} ${host}${tries}`;
      assertEquals([error.code as string, error.message], [code, `Cannot call AssumeRole: ${message}`]);
    });
  }

  it("has what a response says", () => {
    const error = errorOf(response(400, failure("ExpiredToken")));
    assertEquals([error.statusCode, error.stsCode, error.requestId], [400, "ExpiredToken", "r-1"]);
    assertEquals(
      error.hint,
      "Check the clock, and that the token or the source credentials are refreshed before they expire.",
    );
  });

  it("has the cause of a failed connection", () => assertStrictEquals(errorOf(UNREACHABLE).cause, cause));

  it("is StsInvalidResponse for a body that cannot be used", () => {
    const { code, message, statusCode, hint } = errorOf(INVALID_BODY);
    assertEquals([code, message, statusCode], [
      "StsInvalidResponse",
      "Cannot use the response of STS: it is not UTF-8",
      200,
    ]);
    assertEquals(hint, "Something other than STS may be responding: check AWS_ENDPOINT_URL_STS and the proxy.");
  });

  it("is what a request that was not sent means", () => {
    for (const [reason, expected] of [["unsupported", "ConfigurationError"], ["proxy", "StsUnreachable"]] as const) {
      const { code, message, hint } = errorOf(notSent(reason));
      assertEquals([code, message, hint], [expected, "Cannot call AssumeRole: it is refused", "Allow it."]);
    }
  });
});
