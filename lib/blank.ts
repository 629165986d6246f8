/** A setting without white space around it; `undefined` for one that is unset or blank, which means the same. */
export function trimmed(text: string | undefined): string | undefined {
  return text?.trim() || undefined;
}

/** A setting as it is, for paths; `undefined` for one that is unset or blank. */
export function nonBlank(text: string | undefined): string | undefined {
  return trimmed(text) === undefined ? undefined : text;
}
