import { AssertionError } from "@std/assert";
import fc from "fast-check";
import { CredentialsProviderError } from "../../mod.ts";
import { printed } from "../support/printed.ts";
import { ARGUMENTS } from "./arguments.ts";
import { CANARY } from "./inputs.ts";
import { PARSERS } from "./parsers.ts";
import { REQUESTS } from "./requests.ts";

/** Each runs until it finds an input for which it does not hold. */
export const INVARIANTS: Readonly<Record<string, (parameters: fc.Parameters<unknown>) => Promise<void>>> = {
  ...mapped(PARSERS, ({ inputs, parse }) => property(inputs, parse)),
  ...mapped(
    { ...REQUESTS, ...ARGUMENTS },
    ({ inputs, check }) => property(inputs, check as (input: unknown) => unknown),
  ),
};

function property<T>(inputs: fc.Arbitrary<T>, run: (input: T) => unknown) {
  const holds = fc.asyncProperty(inputs, async (input) => {
    try {
      await run(input);
    } catch (error) {
      if (error instanceof AssertionError || !isOurs(error)) throw error;
      if (printed(error).join().includes(CANARY)) throw new Error("An error quotes a secret");
    }
  });
  return async (parameters: fc.Parameters<unknown>) => await fc.assert(holds, parameters as fc.Parameters<[T]>);
}

/** No other error may come out of a parser; this also finds those of the engine, such as `RangeError`. */
export function isOurs(error: unknown): boolean {
  return error instanceof CredentialsProviderError || error instanceof SyntaxError;
}

function mapped<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
