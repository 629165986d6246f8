import type { Terminal } from "../runtime/terminal.ts";

/** What terminals take for a colour. */
const CODES = { green: 32, yellow: 33, red: 31, dim: 2 } as const;

/** A colour of text. */
export type Colour = keyof typeof CODES;

/**
 * Returns a function that colours text for a terminal, and leaves it as it is elsewhere.
 *
 * @see {@link https://no-color.org/}
 */
export function painter(isTerminal: boolean, { runtime }: Terminal): (text: string, colour: Colour) => string {
  const hasColours = isTerminal && (runtime.env("NO_COLOR") ?? "") === "";
  return (text, colour) => hasColours ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}
