import { type ArgumentSyntax, type ArgumentToken, argumentTokens } from "../runtime/terminal.ts";
import { editDistance } from "../config/options.ts";

/** One option of a command. It takes a value if it has a `placeholder`, else it is a switch. */
export interface Option {
  /** What the help calls the value of the option, such as `NAME`. */
  readonly placeholder?: string;
  /** The values that the option can have; any where absent. */
  readonly choices?: readonly string[];
  /** The option takes an integer in this range, both ends included. */
  readonly range?: readonly [low: number, high: number];
  /** The line of the help about the option. */
  readonly summary: string;
}

/** The options of a command by name, in the order of the help. */
export type Options = Readonly<Record<string, Option>>;

/** What a command takes: options, an operand, a program. */
export interface ArgumentRules {
  readonly options: Options;
  /** The operand, which must be given, such as `bash`. */
  readonly operand?: { readonly name: string; readonly choices: readonly string[] };
  /** Whether a program and its arguments follow after `--`. */
  readonly program?: "required" | "optional";
}

/** The arguments of a command. With `--help`, operand and program are not checked. */
export interface Arguments {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly numbers: Readonly<Record<string, number | undefined>>;
  readonly switches: ReadonlySet<string>;
  /** Empty where the command takes no operand, or with `--help` where none is given. */
  readonly operand: string;
  readonly program: readonly string[];
}

/** A wrong command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

type OptionToken = Extract<ArgumentToken, { kind: "option" }>;

/**
 * Parses the words of a command line, without the name of the command.
 *
 * @throws {UsageError} With a message of one line.
 */
export function parseArguments(words: readonly string[], rules: ArgumentRules): Arguments {
  const tokens = argumentTokens(words, syntaxOf(rules.options));
  const terminator = tokens.find((token) => token.kind === "option-terminator");
  const program = terminator === undefined ? [] : words.slice(terminator.index + 1);
  const operands = tokens.flatMap((token) =>
    token.kind === "positional" && token.index < (terminator?.index ?? Infinity) ? [token.value] : []
  );
  const values: Record<string, string> = {};
  const numbers: Record<string, number> = {};
  const switches = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = optionOf(token, rules.options);
    if (option.placeholder === undefined) switches.add(token.name);
    else if (option.range === undefined) values[token.name] = token.value ?? "";
    else numbers[token.name] = Number(token.value);
  }
  // With --help the operand and the program are not checked, so that `rolecreds emulate --help` works.
  if (!switches.has("help")) checkWords(operands, program, terminator !== undefined, rules);
  return { values, numbers, switches, operand: operands[0] ?? "", program };
}

function syntaxOf(options: Options): Record<string, ArgumentSyntax> {
  const syntax = Object.entries(options).map(([name, { placeholder }]) => {
    const type = placeholder === undefined ? "boolean" as const : "string" as const;
    return [name, { type, ...(name === "help" ? { short: "h" } : {}) }] as const;
  });
  return Object.fromEntries(syntax);
}

function optionOf({ name, rawName, value, inlineValue }: OptionToken, options: Options): Option {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) {
    const nearest = nearestWord(name, Object.keys(options));
    throw new UsageError(`unknown option ${rawName}${nearest === undefined ? "" : `, did you mean --${nearest}?`}`);
  }
  if (option.placeholder === undefined) {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return option;
  }
  if (value === undefined || value === "" || (inlineValue === false && /^-./.test(value))) {
    throw new UsageError(`--${name} needs a value: --${name} ${placeholderOf(option)}`);
  }
  checkValue(name, value, option);
  return option;
}

function checkValue(name: string, value: string, { choices, range }: Option): void {
  if (choices !== undefined && !choices.includes(value)) {
    throw new UsageError(`--${name} takes one of ${choices.join(", ")}${suggestion(value, choices)}`);
  }
  const [low, high] = range ?? [0, 0];
  if (range !== undefined && !(/^\d+$/.test(value) && Number(value) >= low && Number(value) <= high)) {
    throw new UsageError(`--${name} takes an integer from ${low} to ${high}`);
  }
}

function checkWords(
  operands: readonly string[],
  program: readonly string[],
  hasTerminator: boolean,
  { operand, program: takesProgram }: ArgumentRules,
): void {
  // Without an operand in the rules, even the first one is unexpected.
  const [word, unexpected] = operand === undefined ? [undefined, operands[0]] : operands;
  if (operand !== undefined && (word === undefined || !operand.choices.includes(word))) {
    const state = word === undefined ? "is missing" : `cannot be ${word}`;
    const choices = `it is one of ${operand.choices.join(", ")}${suggestion(word, operand.choices)}`;
    throw new UsageError(`the ${operand.name} ${state}; ${choices}`);
  }
  if (unexpected !== undefined) {
    throw new UsageError(`unexpected argument ${unexpected}${takesProgram ? "; a program must follow --" : ""}`);
  }
  if (takesProgram === undefined && hasTerminator) throw new UsageError("this command takes no program after --");
  if (takesProgram === "required" && !program[0]) {
    throw new UsageError("the program is missing: add -- and the program with its arguments");
  }
}

function suggestion(word: string | undefined, words: readonly string[]): string {
  const nearest = word === undefined ? undefined : nearestWord(word, words);
  return nearest === undefined ? "" : `; did you mean ${nearest}?`;
}

/** What the help prints for the value of an option. */
export function placeholderOf({ placeholder, choices }: Option): string {
  return choices?.join("|") ?? placeholder ?? "";
}

/** The word that a mistyped one most likely stands for. */
export function nearestWord(word: string, words: readonly string[]): string | undefined {
  const [nearest] = words.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, candidate.length / 3) || candidate.startsWith(word))
    .sort((a, b) => a.distance - b.distance);
  return nearest?.candidate;
}
