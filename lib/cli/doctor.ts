import { diagnose, type Finding } from "../../mod.ts";
import type { Terminal } from "../runtime/terminal.ts";
import { type Colour, painter } from "./colours.ts";
import type { Command } from "./command.ts";
import { mfaCodeProvider } from "./source_options.ts";

/** `rolecreds doctor` */
export const DOCTOR: Command = {
  name: "doctor",
  summary: "explain which credentials this machine gets, and why",
  notes: [
    "",
    "Tries each source of the default chain in order, until one has credentials, and prints a line for each step, with",
    "the fix where there is something to fix. No secret is printed. The exit code is 0 if credentials can be retrieved",
    "and, with --online, AWS does not reject them.",
  ],
  options: {
    profile: { placeholder: "NAME", summary: "the profile of the shared config files" },
    online: { summary: "call STS, and print the identity that the credentials belong to" },
    json: { summary: "print each finding as a JSON document on a line of its own" },
  },
  examples: [
    ["rolecreds doctor", "find out why there are no credentials"],
    [
      "rolecreds doctor --profile dev --online",
      "find out which AWS identity a profile has, and whether AWS accepts it",
    ],
    ["rolecreds doctor --json", "print findings that another program can read"],
  ],
  async run({ values: { profile }, switches }, terminal) {
    const format = switches.has("json") ? JSON.stringify : formatter(terminal);
    let last: Finding | undefined;
    const findings = diagnose({
      profile,
      online: switches.has("online"),
      mfaCodeProvider: mfaCodeProvider(terminal),
      runtime: terminal.runtime,
    });
    for await (const finding of findings) {
      terminal.print(format(finding));
      last = finding;
    }
    return last?.status === "ok" ? 0 : 1;
  },
};

const SYMBOLS: Readonly<Record<Finding["status"], readonly [symbol: string, colour: Colour]>> = {
  ok: ["✓", "green"],
  skipped: ["-", "dim"],
  warning: ["!", "yellow"],
  failure: ["✗", "red"],
};
const CHECK_WIDTH = 18;

/** Returns a function that writes a finding as a line, with its fix on a line below. */
function formatter(terminal: Terminal): (finding: Finding) => string {
  const paint = painter(terminal.stdoutIsTerminal, terminal);
  return ({ check, status, message, hint }) => {
    const [symbol, colour] = SYMBOLS[status];
    const text = status === "skipped" ? paint(message, colour) : message;
    const line = `${paint(symbol, colour)} ${check.padEnd(CHECK_WIDTH)}${text}`;
    return hint === undefined ? line : `${line}\n${"".padEnd(CHECK_WIDTH + 2)}${hint}`;
  };
}
