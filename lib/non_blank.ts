/** A setting without white space around it; `undefined` if it is unset or blank. AWS tools treat both alike. */
export function nonBlank(text: string | undefined): string | undefined {
  return text?.trim() || undefined;
}

/** A setting with its white space, which may belong to a path; `undefined` if it is unset or blank. */
export function nonBlankPath(text: string | undefined): string | undefined {
  return nonBlank(text) === undefined ? undefined : text;
}
