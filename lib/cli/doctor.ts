import { diagnose, type Finding } from "../../mod.ts";
import type { Terminal } from "../runtime/terminal.ts";
import { type Colour, painter } from "./colours.ts";
import type { Command } from "./command.ts";
import { mfaCodeProvider } from "./source.ts";

/** `rolecreds doctor` */
export const DOCTOR: Command = {
  name: "doctor",
  summary: "explain which credentials this machine gets, and why",
  notes: [
    "",
    "It tries each source in the order of the default chain and prints a line for each step, with the fix where there is",
    "something to fix. No secret is printed. The exit code is 0 if credentials can be retrieved and AWS does not reject them.",
  ],
  options: {
    profile: { value: "NAME", text: "the profile of the shared config files" },
    online: { text: "call STS, and print the identity that the credentials belong to" },
    json: { text: "print each finding as a JSON document on a line of its own" },
  },
  examples: [
    ["rolecreds doctor", "why are there no credentials?"],
    ["rolecreds doctor --profile dev --online", "whose are the credentials of a profile, and does AWS accept them?"],
    ["rolecreds doctor --json", "for another program"],
  ],
  async run({ values: { profile }, switches }, terminal) {
    const format = switches.has("json") ? JSON.stringify : lines(terminal);
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

/** A line for each finding, and one below it for its fix. */
function lines(terminal: Terminal): (finding: Finding) => string {
  const paint = painter(terminal.stdoutIsTerminal, terminal);
  return ({ check, status, message, hint }) => {
    const [symbol, colour] = SYMBOLS[status];
    const text = status === "skipped" ? paint(message, colour) : message;
    const line = `${paint(symbol, colour)} ${check.padEnd(CHECK_WIDTH)}${text}`;
    return hint === undefined ? line : `${line}\n${"".padEnd(CHECK_WIDTH + 2)}${hint}`;
  };
}
