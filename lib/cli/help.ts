import { type Options, placeholderOf } from "./arguments.ts";
import { type Command, COMMON_OPTIONS } from "./command.ts";

/** The help of all commands. */
export function overview(commands: readonly Command[]): string {
  return [
    "Usage: rolecreds <command> [options]",
    "",
    "Gets AWS credentials from the sources of this machine, for any program.",
    "",
    "Commands",
    ...table(commands.map(({ name, summary }) => [name, summary])),
    "",
    "Options",
    ...optionLines(COMMON_OPTIONS),
    "",
    "Exit code: 0 success, 1 failure, 2 wrong command line.",
    "exec: the exit code of the program; 127 if the program is not found, 126 if it cannot be started.",
  ].join("\n");
}

/** The help of one command. */
export function helpOf({ name, summary, options, operand, program, notes, examples }: Command): string {
  const words = {
    operand: operand === undefined ? "" : ` ${operand.choices.join("|")}`,
    program: program === undefined
      ? ""
      : program === "required"
      ? " -- program [argument…]"
      : " [-- program [argument…]]",
  };
  return [
    `Usage: rolecreds ${name}${words.operand} [options]${words.program}`,
    "",
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    ...filled(notes),
    "",
    "Options",
    ...optionLines(options),
    "",
    "Examples",
    ...examples.flatMap(([line, effect]) => [`  # ${effect}`, `  ${line}`]),
  ].join("\n");
}

function optionLines(options: Options): readonly string[] {
  return table(Object.entries(options).map(([name, option]) => [`--${name} ${placeholderOf(option)}`, option.summary]));
}

const MAX_LINE_LENGTH = 80;
const MAX_NAME_LENGTH = 26;

/**
 * Joins the lines of each paragraph and wraps them. An indented line, such as a list item, is not joined with others.
 */
function filled(notes: readonly string[]): readonly string[] {
  const blocks: string[] = [];
  for (const line of notes) {
    const last = blocks.at(-1) ?? "";
    const isContinued = last !== "" && line !== "" && !last.startsWith(" ") && !line.startsWith(" ");
    if (isContinued) blocks.pop();
    blocks.push(isContinued ? `${last} ${line}` : line);
  }
  return blocks.flatMap((block) => wrapped(block, block.startsWith(" ") ? "        " : ""));
}

/** Splits a line that is too long at a space. */
function wrapped(line: string, indent: string): readonly string[] {
  if (line.length <= MAX_LINE_LENGTH) return [line];
  const end = line.lastIndexOf(" ", MAX_LINE_LENGTH);
  return [line.slice(0, end), ...wrapped(indent + line.slice(end + 1), indent)];
}

function table(rows: readonly (readonly [name: string, text: string])[]): readonly string[] {
  const width = Math.min(MAX_NAME_LENGTH, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) =>
    name.length > width ? [`  ${name}`, `  ${"".padEnd(width)}  ${text}`] : [`  ${name.padEnd(width)}  ${text}`]
  );
}
