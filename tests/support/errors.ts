import { assertEquals, assertFalse } from "@std/assert";
import type { CredentialsErrorDetails, CredentialsProviderError } from "../../lib/errors.ts";
import type { Fault } from "../../lib/testing/faults.ts";
import { printed } from "./printed.ts";

/** A row of a table of faults, with what the error carries. */
export interface FaultRow extends CredentialsErrorDetails {
  readonly name: string;
  readonly fault: Fault;
  readonly requests: number;
  readonly message: string;
  readonly slept?: readonly number[];
}

const SECRETS_REGEXP = /canary-secret|emulated-|PRIVATE KEY/;

/** Fails if a print, a message or a cause of one of the values holds a secret of the emulators of SSO and sign-in. */
export function assertNoSecrets(...values: readonly unknown[]): void {
  for (const value of values) {
    const texts = value instanceof Error ? [value.message, value.stack, JSON.stringify(value), value.cause] : [];
    assertFalse(SECRETS_REGEXP.test([...printed(value), ...texts.map(String)].join("\n")));
  }
}

/** Compares what an error carries beside its code and message with a row of a table. */
export function assertDetails(error: CredentialsProviderError, expected: CredentialsErrorDetails): void {
  const { recoverable, statusCode, ssoCode, loginCode, command, hint } = error;
  const { docs: _, source: __, ...details } = expected as CredentialsErrorDetails & { docs?: string; source?: string };
  const found = { recoverable, statusCode, ssoCode, loginCode, command, hint };
  assertEquals(JSON.parse(JSON.stringify(found)), details);
}
