const MAX_CHARACTERS = 200;
const MAX_MESSAGE_CHARACTERS = 1_000;

/**
 * Control and format characters, line and paragraph separators, lone surrogates. They can change how a terminal or a
 * log shows a line.
 */
const UNPRINTABLE_REGEXP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;
/** The first half of a surrogate pair that was cut. */
const CUT_SURROGATE_REGEXP = /\p{Cs}$/u;

/**
 * Makes a string from outside the library safe for messages, events and output: each run of unprintable characters
 * becomes one space, white space around the string is removed, and after 200 characters (UTF-16 code units) the string
 * is cut and gets "…".
 */
export function printable(text: string): string {
  return upTo(MAX_CHARACTERS, text);
}

/** The same for a whole message that may quote such strings: cut after 1000 characters. */
export function printableMessage(message: string): string {
  return upTo(MAX_MESSAGE_CHARACTERS, message);
}

function upTo(maxCharacters: number, text: string): string {
  // The first cut limits the time for a very long text. It leaves more than is shown, because runs become one space.
  const start = text.slice(0, 4 * maxCharacters).replaceAll(UNPRINTABLE_REGEXP, " ").trim();
  if (start.length <= maxCharacters) return start;
  return `${start.slice(0, maxCharacters).replace(CUT_SURROGATE_REGEXP, "")}…`;
}
