const MAX_CHARACTERS = 200;

/** Control and format characters, line and paragraph separators, lone surrogates: they change what a terminal or a log shows. */
const UNPRINTABLE_REGEXP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/**
 * Makes text from outside fit for a message, an event or a line of output: one line, nothing invisible, at most 200
 * characters.
 */
export function printable(text: string): string {
  const start = text.slice(0, 4 * MAX_CHARACTERS).replaceAll(UNPRINTABLE_REGEXP, " ").trim();
  return start.length > MAX_CHARACTERS ? `${start.slice(0, MAX_CHARACTERS)}…` : start;
}
