import { fieldOf, type Fields, parseJsonObject } from "../json_object.ts";
import { parseTimestamp } from "../timestamp.ts";

/**
 * The fields of a session file, or of a response of a sign-in service.
 *
 * @throws {SyntaxError} If the text is not one JSON object; the message does not quote it.
 */
export function parseFields(text: string): Fields {
  const fields = parseJsonObject(text.trim()); // trim() also drops a byte order mark
  if (fields === undefined) throw new SyntaxError("it is not a JSON object");
  return fields;
}

/** The value of a field that is a non-blank string, else `undefined`. */
export function stringField(fields: Fields, name: string): string | undefined {
  const value = fieldOf(fields, name);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** @throws {SyntaxError} If the field is missing, blank or not a string. */
export function requiredString(fields: Fields, name: string): string {
  const value = stringField(fields, name);
  if (value === undefined) throw new SyntaxError(`its ${name} is missing, blank or not a string`);
  return value;
}

/** @throws {SyntaxError} If the field is missing or not a number above zero. */
export function requiredNumber(fields: Fields, name: string): number {
  const value = fieldOf(fields, name);
  if (typeof value === "number" && value > 0) return value;
  throw new SyntaxError(`its ${name} is missing or not a number > 0`);
}

/** @throws {SyntaxError} If the field is missing or not an object. */
export function requiredObject(fields: Fields, name: string): Fields {
  const value = fieldOf(fields, name);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new SyntaxError(`its ${name} is missing or not an object`);
}

/** The value of a field that is a time, in epoch milliseconds, else `undefined`. Older AWS CLIs wrote `UTC` for `Z`. */
export function timeField(fields: Fields, name: string): number | undefined {
  try {
    return parseTimestamp((stringField(fields, name) ?? "").replace("UTC", "Z")).getTime();
  } catch {
    return undefined; // the error has no other information than that it is not a time
  }
}

/** @throws {SyntaxError} If the field is missing or not a time. */
export function requiredTime(fields: Fields, name: string): number {
  const time = timeField(fields, name);
  if (time === undefined) throw new SyntaxError(`its ${name} is missing or not a time in RFC 3339 form`);
  return time;
}
