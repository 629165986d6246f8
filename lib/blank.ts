/** A setting without white space around it. `undefined` if it is unset or blank: a blank setting counts as unset. */
export function trimmed(text: string | undefined): string | undefined {
  return text?.trim() || undefined;
}

/** A setting with its white space, which may belong to a path. `undefined` if it is unset or blank. */
export function nonBlank(text: string | undefined): string | undefined {
  return trimmed(text) === undefined ? undefined : text;
}
