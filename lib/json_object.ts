/** The fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * The fields of a text that is one JSON object, else `undefined`. The parser's own error is dropped: engines quote the
 * text in it, and here the text is the secret.
 */
export function parseJsonObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Fields : undefined;
  } catch {
    return undefined;
  }
}
