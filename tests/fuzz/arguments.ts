import { assert } from "@std/assert";
import fc from "fast-check";
import { parseArguments, UsageError } from "../../lib/cli/arguments.ts";
import { EMULATE } from "../../lib/cli/emulate.ts";
import { EXEC } from "../../lib/cli/exec.ts";
import { GET } from "../../lib/cli/get.ts";
import { SERVE } from "../../lib/cli/serve.ts";
import type { RequestProperty } from "./requests.ts";

const COMMANDS = [GET, EXEC, SERVE, EMULATE];
const NAMES = COMMANDS.flatMap(({ options }) => Object.keys(options));
const WORD = fc.oneof(
  fc.constantFrom(...NAMES.map((name) => `--${name}`), "--", "-", "-h", "--help", "imds", "__proto__", "--__proto__"),
  fc.tuple(fc.constantFrom(...NAMES), fc.string({ unit: "binary", maxLength: 8 })).map(([name, text]) =>
    `--${name}=${text}`
  ),
  fc.constantFrom("0", "1", "-1", "1e3", "99999999999", " "),
  fc.string({ unit: "binary", maxLength: 12 }),
);

/** Words of a command line: all are understood, or the error says how to use the command. */
export const ARGUMENTS: Readonly<Record<string, RequestProperty>> = {
  "arguments are options of the command, or wrong usage": {
    inputs: fc.record({ command: fc.constantFrom(...COMMANDS), words: fc.array(WORD, { maxLength: 6 }) }),
    check({ command, words }: { command: typeof GET; words: string[] }) {
      try {
        const { values, numbers, switches } = parseArguments(words, command);
        for (const name of [...Object.keys(values), ...Object.keys(numbers), ...switches]) {
          assert(Object.hasOwn(command.options, name), name);
        }
        for (const number of Object.values(numbers)) assert(Number.isInteger(number), `${number}`);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
    },
  },
};
