import { type Command, COMMON_OPTIONS } from "./command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Makes the command `rolecreds completion`, whose scripts complete the given commands and `completion` itself. */
export function completionCommand(commands: readonly Command[]): Command {
  const command: Command = {
    name: "completion",
    summary: "print the completion script of a shell",
    notes: [],
    operand: { name: "shell", choices: SHELLS },
    options: {},
    examples: [
      ['eval "$(rolecreds completion bash)"', "in ~/.bashrc"],
      ['eval "$(rolecreds completion zsh)"', "in ~/.zshrc, after compinit"],
      ["rolecreds completion fish | source", "in ~/.config/fish/config.fish"],
    ],
    run({ operand }, { print }) {
      print(SCRIPTS[operand as typeof SHELLS[number]](all));
      return Promise.resolve(0);
    },
  };
  // `all` contains `command`, so it is made after it; `run()`, which uses `all`, is called later.
  const all = [...commands, command].map((each) => ({ ...each, options: { ...each.options, ...COMMON_OPTIONS } }));
  return command;
}

const SCRIPTS: Readonly<Record<typeof SHELLS[number], (commands: readonly Command[]) => string>> = {
  bash: (commands) =>
    [
      "_rolecreds() {",
      '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" words="" word',
      '  for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do',
      '    if [ "$word" = -- ]; then compopt -o default; COMPREPLY=(); return; fi',
      "  done",
      '  case "$COMP_CWORD ${COMP_WORDS[1]} $previous" in',
      `    "1 "*) words="${commands.map(({ name }) => name).join(" ")} --help --version" ;;`,
      ...commands.flatMap(bashRules),
      "  esac",
      '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
      "}",
      "complete -F _rolecreds rolecreds",
    ].join("\n"),
  zsh: (commands) =>
    [
      "_rolecreds() {",
      "  if (( CURRENT == 2 )); then",
      `    local -a commands=(${commands.map(({ name, summary }) => quoted(`${name}:${summary}`)).join(" ")})`,
      "    _describe command commands",
      "    return",
      "  fi",
      "  local command=${words[2]}",
      "  shift words; (( CURRENT-- ))",
      "  case $command in",
      ...commands.map((command) => `    ${command.name}) _arguments ${zshArguments(command).join(" ")} ;;`),
      "  esac",
      "}",
      "compdef _rolecreds rolecreds",
    ].join("\n"),
  fish: (commands) =>
    [
      "complete -c rolecreds -f",
      "complete -c rolecreds -n __fish_use_subcommand -l help -l version",
      ...commands.flatMap(fishRules),
    ].join("\n"),
};

/** The branches of `case` for a command. They match `<index of the current word> <command> <previous word>`. */
function bashRules({ name, options, operand }: Command): readonly string[] {
  const withValue = Object.entries(options).filter(([, { placeholder }]) => placeholder !== undefined);
  const words = [...operand?.choices ?? [], ...Object.keys(options).map((option) => `--${option}`)];
  return [
    ...withValue.map(([option, { choices = [] }]) => `    *" ${name} --${option}") words="${choices.join(" ")}" ;;`),
    `    *" ${name} "*) words="${words.join(" ")}" ;;`,
  ];
}

function zshArguments({ options, operand, program }: Command): readonly string[] {
  const rules = Object.entries(options).map(([option, { placeholder, choices, summary }]) => {
    const values = choices === undefined ? " " : `(${choices.join(" ")})`;
    const value = placeholder === undefined ? "" : `:${placeholder.replaceAll(":", String.raw`\:`)}:${values}`;
    return `--${option}[${summary}]${value}`;
  });
  const operands = operand === undefined ? [] : [`1:${operand.name}:(${operand.choices.join(" ")})`];
  const programs = program === undefined ? [] : ["*:: :_normal"];
  return [...rules, ...operands, ...programs].map(quoted);
}

function fishRules({ name, summary, options, operand }: Command): readonly string[] {
  const inCommand = `complete -c rolecreds -n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c rolecreds -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...(operand === undefined ? [] : [`${inCommand} -a ${quoted(operand.choices.join(" "))}`]),
    ...Object.entries(options).map(([option, { placeholder, choices, summary }]) => {
      const argument = placeholder === undefined
        ? ""
        : choices === undefined
        ? " -x"
        : ` -x -a ${quoted(choices.join(" "))}`;
      return `${inCommand} -l ${option}${argument} -d ${quoted(summary)}`;
    }),
  ];
}

/** Puts a text of this program, which contains no single quotes, between single quotes. */
function quoted(text: string): string {
  return `'${text}'`;
}
