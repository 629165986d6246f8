import type { Terminal } from "../runtime/terminal.ts";
import type { ArgumentRules, Arguments, Options } from "./arguments.ts";

/** A command: what it takes, what the help says of it, and what it does. */
export interface Command extends ArgumentRules {
  readonly name: string;
  /** What it does: one line, lower case, without a period. */
  readonly summary: string;
  /** More lines for the help. An empty string starts a paragraph; a line that starts with a space is not joined. */
  readonly notes: readonly string[];
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [line: string, effect: string])[];
  /** Resolves to the exit code. */
  readonly run: (args: Arguments, terminal: Terminal) => Promise<number>;
}

/** The options that every command has. */
export const COMMON_OPTIONS: Options = {
  help: { summary: "print this help" },
  version: { summary: "print the version" },
};

/** A command failed, for another reason than a wrong command line. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** One sentence that names the fix. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
