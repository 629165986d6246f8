const MAX_CHARACTERS = 200;

/** Control and format characters, line and paragraph separators, lone surrogates: they change what a terminal or a log shows. */
const UNPRINTABLE_REGEXP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/**
 * Makes text from outside fit for a message, an event or a line of output: one line, nothing invisible, at most
 * `maxCharacters`.
 */
export function printable(text: string, maxCharacters: number = MAX_CHARACTERS): string {
  const start = text.slice(0, 4 * maxCharacters).replaceAll(UNPRINTABLE_REGEXP, " ").trim();
  return start.length > maxCharacters ? `${start.slice(0, maxCharacters)}…` : start;
}
