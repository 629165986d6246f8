/** The fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses a string that must be one JSON object; `undefined` if it is not. The error of `JSON.parse` is dropped: it
 * quotes the string, which may contain secrets.
 */
export function parseJsonObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Fields : undefined;
  } catch {
    return undefined;
  }
}

/** Whether two field names are equal if case is ignored. */
export function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** A field by its exact name, else by the first name that differs from it in case only. */
export function fieldOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  const key = Object.keys(fields).find((key) => isSameName(key, name));
  return key === undefined ? undefined : fields[key];
}
