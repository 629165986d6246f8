import type { Credentials } from "../../mod.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../runtime/terminal.ts";
import { ImdsEmulator, serveEmulator } from "../testing/mod.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import { type Command, Failure } from "./command.ts";
import { type Shell, shellCommands } from "./shells.ts";
import { retrieve, type Source, SOURCE_OPTIONS, sourceOf } from "./source_options.ts";
import { credentialsVariables } from "./variables.ts";

/** `rolecreds get` */
export const GET: Command = {
  name: "get",
  summary: "print credentials",
  notes: [
    "",
    "On a terminal it prints a summary without secrets, otherwise the JSON document of a credential_process.",
    "With --source process, the credential_process of the profile is run, or the program after --, which must print",
    "that document.",
  ],
  options: {
    format: {
      placeholder: "FORMAT",
      choices: ["process", "env", "json", "text", "fish", "powershell"],
      summary: "the output format; process: JSON for credential_process, text: a summary without secrets",
    },
    ...SOURCE_OPTIONS,
    emulate: { summary: "try it without EC2: use a built-in emulator of the instance metadata service" },
  },
  program: "optional",
  examples: [
    ["rolecreds get", "which credentials does this machine get?"],
    ['eval "$(rolecreds get --profile dev --format env)"', "use them in this shell (sh, bash, zsh)"],
    ["rolecreds get --profile dev --format fish | source", "the same in fish"],
    ["rolecreds get --profile dev --format powershell | Out-String | Invoke-Expression", "the same in PowerShell"],
    ["credential_process = rolecreds get --source imds --format process", "in ~/.aws/config: for other programs"],
  ],
  run: (args, terminal) => args.switches.has("emulate") ? getEmulated(args, terminal) : get(args, terminal),
};

async function get(args: Arguments, terminal: Terminal): Promise<number> {
  const source = sourceOf(args, terminal);
  terminal.print(await formatCredentials(await retrieve(source, args, terminal), source, args, terminal));
  return 0;
}

async function getEmulated(args: Arguments, terminal: Terminal): Promise<number> {
  const { profile, source: sourceName = "imds", endpoint } = args.values;
  if (profile !== undefined || sourceName !== "imds" || endpoint !== undefined) {
    throw new UsageError("--emulate cannot be used with --profile, --endpoint or a --source other than imds");
  }
  const emulator = new ImdsEmulator();
  const server = await serveEmulator(emulator);
  // no setting of this machine may change the emulated retrieval
  const runtime = { ...terminal.runtime, env: () => undefined, homeDirectory: () => undefined };
  const emulated = { ...args, values: { ...args.values, source: sourceName, endpoint: server.endpoint } };
  const line = `Emulated: these credentials are from the embedded emulator at ${server.endpoint}, not from EC2`;
  try {
    const source = sourceOf(emulated, { ...terminal, runtime });
    const credentials = await retrieve(source, args, terminal);
    if (formatOf(args, terminal) === "text") terminal.print(line);
    else terminal.printError(line);
    terminal.print(await formatCredentials(credentials, source, args, terminal));
    return 0;
  } finally {
    await server.close();
  }
}

function formatOf({ values }: Arguments, { stdoutIsTerminal }: Terminal): string {
  return values["format"] ?? (stdoutIsTerminal ? "text" : "process");
}

async function formatCredentials(
  credentials: Credentials,
  { region }: Source,
  args: Arguments,
  terminal: Terminal,
): Promise<string> {
  const format = formatOf(args, terminal);
  switch (format) {
    case "process":
      return asciiJson(processDocument(credentials));
    case "json":
      return asciiJson({ ...credentials });
    case "text":
      return summary(credentials, terminal.runtime.now());
  }
  const { runtime: { env }, stdoutIsTerminal } = terminal;
  const commands = shellCommands(
    format as Shell,
    credentialsVariables(credentials, await region()),
    (name) => env(name) !== undefined,
  );
  if (stdoutIsTerminal && [...commands].some(isUnprintable)) {
    throw new Failure(
      "Cannot print the credentials on a terminal: they contain control characters",
      "Redirect the output to a file or a program, or correct the value in the source of the credentials.",
    );
  }
  return commands;
}

function isUnprintable(character: string): boolean {
  return character !== " " && character !== "\n" && printable(character) === "";
}

/** JSON in ASCII. `JSON.stringify` escapes only U+0000 to U+001F; terminals also obey control characters above. */
function asciiJson(document: object): string {
  const escaped = (text: string) => `\\u${text.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(document, undefined, 2).replaceAll(/[^\x20-\x7e\n]/g, escaped);
}

/** @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html} */
function processDocument(credentials: Credentials): object {
  return {
    Version: 1,
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    SessionToken: credentials.sessionToken,
    Expiration: credentials.expiration?.toISOString(),
    AccountId: credentials.accountId,
  };
}

function summary(credentials: Credentials, now: number): string {
  const { source, accessKeyId, expiration, accountId } = credentials;
  const rows = {
    "source": source,
    "access key id": accessKeyId,
    "secret access key": "[redacted]",
    "expiration": expiration === undefined ? "never" : `${expiration.toISOString()} (${timeLeft(expiration, now)})`,
    "account": accountId ?? "unknown: the source does not name it",
  };
  return Object.entries(rows).map(([name, value]) => `${name.padEnd(19)}${printable(value)}`).join("\n");
}

function timeLeft(expiration: Date, now: number): string {
  const minutes = Math.floor((expiration.getTime() - now) / 60_000);
  return minutes < 0 ? "already expired" : `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
