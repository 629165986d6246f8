import type { Terminal } from "../runtime/terminal.ts";

/** The codes that set a colour on a terminal (SGR). */
const CODES = { green: 32, yellow: 33, red: 31, dim: 2 } as const;

/** A colour of text. */
export type Colour = keyof typeof CODES;

/**
 * Returns a function that colours text, or returns it unchanged where the output is no terminal or `NO_COLOR` is set.
 *
 * @see {@link https://no-color.org/}
 */
export function painter(isTerminal: boolean, { runtime }: Terminal): (text: string, colour: Colour) => string {
  const hasColours = isTerminal && (runtime.env("NO_COLOR") ?? "") === "";
  return (text, colour) => hasColours ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}
