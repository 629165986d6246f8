import type { NotStarted } from "../../runtime.ts";

const STATES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such program",
  EACCES: "the program may not be executed",
  ENOEXEC: "the system cannot execute a file of this format",
  E2BIG: "the arguments and the environment are too long",
  EINVAL: "an argument holds a NUL character",
  ERR_INVALID_ARG_VALUE: "an argument holds a NUL character",
};

/** Says why a program did not start. The runtimes' own errors quote its arguments, which may be secrets. */
export function startFailure(error: unknown): NotStarted {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const state = STATES[code as string] ?? "the system refused to start it";
  return notStarted(typeof code === "string" && /^[A-Z0-9_]+$/.test(code) ? `${state} (${code})` : state);
}

/** The result for a program that did not start, and what to do about it. */
export function notStarted(state: string, hint?: string): NotStarted {
  return { kind: "notStarted", cause: new Error(state), ...(hint === undefined ? {} : { hint }) };
}
