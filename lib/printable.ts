const MAX_CHARACTERS = 200;
const MAX_MESSAGE_CHARACTERS = 1_000;

/**
 * Control and format characters, line and paragraph separators, lone surrogates: they change what a terminal or a log
 * shows.
 */
const UNPRINTABLE_REGEXP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/**
 * Makes text from outside fit for a message, an event or a line of output: one line, nothing invisible, at most 200
 * characters.
 */
export function printable(text: string): string {
  return upTo(MAX_CHARACTERS, text);
}

/** The same for a whole message that may quote text from outside: at most 1000 characters. */
export function printableMessage(message: string): string {
  return upTo(MAX_MESSAGE_CHARACTERS, message);
}

function upTo(maxCharacters: number, text: string): string {
  const start = text.slice(0, 4 * maxCharacters).replaceAll(UNPRINTABLE_REGEXP, " ").trim();
  return start.length > maxCharacters ? `${start.slice(0, maxCharacters)}…` : start;
}
