import { inspect } from "node:util";

interface Inspectors {
  readonly Deno?: { inspect(value: unknown): string };
  readonly Bun?: { inspect(value: unknown): string };
}

/** A value as this runtime's `console.log` shows it, alone and inside another. */
export function printed(value: unknown): readonly string[] {
  const { Deno, Bun } = globalThis as unknown as Inspectors;
  const prints = [inspect, Deno?.inspect, Bun?.inspect].filter((print) => print !== undefined);
  return prints.flatMap((print) => [print(value), print({ nested: [value] })]);
}
