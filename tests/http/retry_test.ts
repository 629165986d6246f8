import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../mod.ts";
import { isTransientStatus, retryDelayMs, type RetryPolicy } from "../../lib/http/retry.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly retries: number;
  readonly random: number;
  readonly policy: RetryPolicy;
  readonly retryAfter?: string;
  readonly delayMs?: number;
}

const ERROR = new CredentialsProviderError("ImdsHttpError", "Cannot read: IMDS returned 503");

describe("retryDelayMs()", () => {
  for (const { name, retries, random, policy, retryAfter, delayMs } of readTable<Row>("retry_delays")) {
    it(name, () => assertEquals(retryDelayMs(retries, retryAfter ?? null, random, policy, () => ERROR), delayMs));
  }

  const custom = (result: number): RetryPolicy => ({ maxRetries: 3, baseMs: 100, customBackoff: () => result });

  it("calls customBackoff with the count and the error", () => {
    const calls: unknown[] = [];
    const customBackoff = (...args: unknown[]) => calls.push(args);
    retryDelayMs(2, null, 0.5, { maxRetries: 3, baseMs: 100, customBackoff }, () => ERROR);
    assertEquals(calls, [[2, ERROR]]);
  });

  it("takes what customBackoff returns, beyond its own cap", () => {
    assertEquals(retryDelayMs(0, null, 0.5, custom(2_500), () => ERROR), 2_500);
    assertEquals(retryDelayMs(0, null, 0.5, custom(0), () => ERROR), 0);
  });

  it("gives up, when customBackoff returns a negative or non-finite number", () => {
    for (const result of [-1, NaN, Infinity, -Infinity]) {
      assertEquals(retryDelayMs(0, null, 0.5, custom(result), () => ERROR), undefined);
    }
  });

  it("gives up after maxRetries, whatever customBackoff says", () => {
    assertEquals(retryDelayMs(3, null, 0.5, custom(1), () => ERROR), undefined);
  });
});

describe("isTransientStatus()", () => {
  it("holds for 408, 429 and 500 to 599 only", () => {
    const transient = Array.from({ length: 900 }, (_, index) => index + 100).filter(isTransientStatus);
    assertEquals(transient, [408, 429, ...Array.from({ length: 100 }, (_, index) => index + 500)]);
  });
});
