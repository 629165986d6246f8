#!/usr/bin/env node
/**
 * The command line `rolecreds`: gets AWS credentials, runs programs with them, serves them, explains which ones a
 * machine gets, and emulates AWS services.
 *
 * @module
 */
import { printableMessage } from "../printable.ts";
import { OutputLost, runIfStarted, type Terminal } from "../runtime/terminal.ts";
import { VERSION } from "../version.ts";
import { nearestWord, parseArguments, UsageError } from "./arguments.ts";
import { type Command, COMMON_OPTIONS } from "./command.ts";
import { completionCommand } from "./completion.ts";
import { DOCTOR } from "./doctor.ts";
import { EMULATE } from "./emulate.ts";
import { EXEC } from "./exec.ts";
import { GET } from "./get.ts";
import { helpOf, overview } from "./help.ts";
import { report } from "./report.ts";
import { SERVE } from "./serve.ts";

export type { ForegroundExit, Terminal } from "../runtime/terminal.ts";

const COMMANDS: readonly Command[] = [
  GET,
  EXEC,
  SERVE,
  DOCTOR,
  EMULATE,
];

/**
 * Runs one command.
 *
 * @param terminal The arguments, and all that a command may do.
 * @returns The exit code: 0 done, 1 failed, 2 wrong command line; for `exec` that of the program.
 */
export async function main(terminal: Terminal): Promise<number> {
  try {
    return await dispatch(terminal);
  } catch (error) {
    // the reader of the standard output closed the pipe, or the disk is full: there is no place for a message
    if (error instanceof OutputLost) return 1;
    if (!(error instanceof UsageError)) {
      terminal.printError(report(error));
      return 1;
    }
    terminal.printError(`rolecreds: ${printableMessage(error.message)}`);
    return 2;
  }
}

async function dispatch(terminal: Terminal): Promise<number> {
  const commands = [...COMMANDS, completionCommand(COMMANDS)]
    .map((command) => ({ ...command, options: { ...command.options, ...COMMON_OPTIONS } }));
  const [name, words] = splitCommand(terminal.args);
  const command = commands.find((command) => command.name === name);
  const rules = command ?? { options: COMMON_OPTIONS };
  if (name !== undefined && command === undefined) throw unknownCommand(name, commands);
  const args = parseArguments(words, rules);
  if (args.switches.has("help")) terminal.print(command === undefined ? overview(commands) : helpOf(command));
  else if (args.switches.has("version")) terminal.print(VERSION);
  else if (command === undefined) throw new UsageError(`the command is missing: ${namesOf(commands)}`);
  else return await command.run(args, terminal);
  return 0;
}

/**
 * The first word without a leading `-` is the command, so that `--help get` works, too. Options with values must follow
 * it.
 */
function splitCommand(args: readonly string[]): readonly [name: string | undefined, words: readonly string[]] {
  const index = args.findIndex((word) => !word.startsWith("-"));
  const terminator = args.indexOf("--");
  if (index === -1 || (terminator !== -1 && terminator < index)) return [undefined, args];
  return [args[index], args.toSpliced(index, 1)];
}

function unknownCommand(name: string, commands: readonly Command[]): UsageError {
  const nearest = nearestWord(name, commands.map(({ name }) => name));
  const suggestion = nearest === undefined ? namesOf(commands) : `did you mean ${nearest}?`;
  return new UsageError(`unknown command ${name}: ${suggestion}`);
}

function namesOf(commands: readonly Command[]): string {
  return commands.map(({ name }) => name).join(", ");
}

await runIfStarted(import.meta as { readonly main?: boolean; readonly url: string }, main);
