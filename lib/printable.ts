const MAX_CHARACTERS = 200;
const MAX_MESSAGE_CHARACTERS = 1_000;

/**
 * Control characters, format characters, line and paragraph separators, lone surrogates. They can change how a terminal
 * or a log shows a line.
 */
const UNPRINTABLE_REGEXP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;
/** The first half of a character of two code units, such as an emoji, if the second half was cut off. */
const LAST_HALF_REGEXP = /\p{Cs}$/u;

/**
 * Makes a string that the library did not create safe for messages, events and output: unprintable characters become
 * spaces, and what is longer than 200 characters is cut and gets "…".
 */
export function printable(text: string): string {
  return upTo(MAX_CHARACTERS, text);
}

/** The same for a whole message that may quote text from outside: at most 1000 characters. */
export function printableMessage(message: string): string {
  return upTo(MAX_MESSAGE_CHARACTERS, message);
}

function upTo(maxCharacters: number, text: string): string {
  // Four times as many are read: unprintable characters are joined, and a very long text costs no more time.
  const start = text.slice(0, 4 * maxCharacters).replaceAll(UNPRINTABLE_REGEXP, " ").trim();
  if (start.length <= maxCharacters) return start;
  return `${start.slice(0, maxCharacters).replace(LAST_HALF_REGEXP, "")}…`;
}
