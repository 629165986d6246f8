const TIMESTAMP_REGEXP = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * Parses an RFC 3339 time, such as an `Expiration` field. Digits after the milliseconds are ignored; more than nine
 * digits are an error.
 *
 * @param text An RFC 3339 time with `Z` or a numeric offset, such as `2030-01-01T00:00:00Z`.
 * @returns The time, never an invalid `Date`.
 * @throws {SyntaxError} If the text is not such a time; the message does not repeat it.
 * @since 0.1.0
 * @see {@link https://www.rfc-editor.org/rfc/rfc3339#section-5.6}
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseTimestamp } from "@rolecreds/aws";
 *
 * assertEquals(parseTimestamp("2030-01-01T00:00:00Z").getTime(), 1_893_456_000_000);
 * ```
 */
export function parseTimestamp(text: string): Date {
  return validTimestamp(text, "it", (state) => new SyntaxError(`Cannot parse a timestamp: ${state}`));
}

/**
 * Parses a timestamp. If the string is not one, throws the error that the caller creates.
 *
 * @param name The name of the string in the message, such as "its Expiration".
 * @param createError Creates the error from the reason, such as "its Expiration is not a time in RFC 3339 form".
 */
export function validTimestamp(text: string, name: string, createError: (state: string) => Error): Date {
  const time = parsedTime(text);
  if (time === undefined) throw createError(`${name} is not a time in RFC 3339 form`);
  return time;
}

/** A time in epoch milliseconds as AWS writes it: in whole seconds, rounded down, with `Z`. */
export function isoSeconds(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+/, "");
}

function parsedTime(text: string): Date | undefined {
  const match = TIMESTAMP_REGEXP.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as SixNumbers;
  const [offsetHours, offsetMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));

  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isRealDay = date.getUTCMonth() === month - 1; // February 30 became a day of March
  if (!isRealDay || hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) {
    return undefined;
  }
  const offset = (match[8] === "-" ? -1 : 1) * (offsetHours * 60 + offsetMinutes);
  date.setUTCHours(hour, minute - offset, second, milliseconds);
  return date;
}

type SixNumbers = [number, number, number, number, number, number];
