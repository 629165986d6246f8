import type { Option } from "./arguments.ts";
import type { Variables } from "./variables.ts";

/** A family of shells, by the syntax of their commands; `env` is that of sh, bash and zsh. */
export type Shell = "env" | "fish" | "powershell";

interface Syntax {
  readonly set: (name: string, value: string) => string;
  readonly unset: (name: string) => string;
}

const SHELLS: Readonly<Record<Shell, Syntax>> = {
  env: {
    set: (name, value) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`,
    unset: (name) => `unset ${name}`,
  },
  fish: {
    set: (name, value) => `set -gx ${name} '${value.replaceAll(/[\\']/g, String.raw`\$&`)}'`,
    unset: (name) => `set -e ${name}`,
  },
  powershell: {
    // PowerShell treats typographic single quotes as plain ones.
    set: (name, value) => `$Env:${name} = '${value.replaceAll(/['\u2018-\u201b]/g, "$&$&")}'`,
    unset: (name) => `Remove-Item Env:${name}`,
  },
};

/** The option for the shell of {@linkcode shellCommands}. */
export const SHELL_OPTION: Option = {
  placeholder: "SHELL",
  choices: Object.keys(SHELLS),
  summary: "the shell to print the variables for; env is sh, bash and zsh",
};

/**
 * The commands that change the environment of a shell.
 *
 * @param isSet Whether a variable is set; one that is not set is not removed.
 */
export function shellCommands(shell: Shell, variables: Variables, isSet: (name: string) => boolean): string {
  const { set, unset } = SHELLS[shell];
  return Object.entries(variables)
    .filter(([name, value]) => value !== undefined || isSet(name))
    .map(([name, value]) => value === undefined ? unset(name) : set(name, value))
    .join("\n");
}
