#!/usr/bin/env node
/**
 * The command line: `rolecreds get` prints the credentials this machine gets.
 *
 * @module
 */
import type { Credentials } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { InstanceMetadataProvider } from "../imds/provider.ts";
import { ProcessProvider } from "../process/provider.ts";
import { ProfileProvider } from "../profile/provider.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { runIfStarted, type Terminal } from "../runtime/terminal.ts";
import { ImdsEmulator } from "../testing/imds.ts";
import { serveEmulator } from "../testing/serve.ts";

export type { Terminal } from "../runtime/terminal.ts";

const USAGE = `Usage: rolecreds get [options]
       rolecreds get --profile NAME [options]
       rolecreds get --process [options] -- program [argument…]

Prints the credentials of the role attached to this EC2 instance, of a profile
of the shared config files, or of a program that prints them: as a
credential_process document into a pipe, as a summary on a terminal.

Options
  --format json|text  what to print, whatever the output is
  --endpoint URL      where the metadata service listens
  --timeout MS        how long one request (1000) or the program (60000) may take
  --emulate           ask the embedded emulator instead of EC2
  --help              print this

Exit status: 0 done, 1 no credentials, 2 wrong usage`;

/** The options as typed. */
interface Arguments {
  readonly command?: readonly string[];
  readonly process?: boolean;
  readonly profile?: string;
  readonly format?: string;
  readonly endpoint?: string;
  readonly timeout?: string;
  readonly emulate?: boolean;
  readonly help?: boolean;
}

const VALUE_OPTIONS: readonly string[] = ["profile", "format", "endpoint", "timeout"];
const SWITCHES: readonly string[] = ["process", "emulate", "help"];

/** A wrong command line. */
class UsageError extends Error {}

/**
 * Runs one command.
 *
 * @param terminal The arguments, and where to print.
 * @returns The exit status: 0 done, 1 no credentials, 2 wrong usage.
 */
export async function main(terminal: Terminal): Promise<number> {
  try {
    const options = parseArguments(terminal.args);
    if (options.help === true) terminal.print(USAGE);
    else await get(options, terminal);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.printError(`rolecreds: ${error.message}\n\n${USAGE}`);
      return 2;
    }
    terminal.printError(diagnosis(error));
    return 1;
  }
}

function parseArguments(args: readonly string[]): Arguments {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const [words, command] = [args.slice(0, end), args.slice(end + 1)];
  const name = words[0]?.startsWith("-") === false ? words.shift() : undefined;
  const options: Arguments = { ...parseOptions(words), command };
  if (options.help !== true && name !== "get") throw new UsageError(`unknown command ${name ?? "(none)"}`);
  checkArguments(options);
  return options;
}

function parseOptions(words: string[]): Record<string, string | boolean> {
  const options: Record<string, string | boolean> = {};
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [name, inline] = word.replace(/^--/, "").split(/=(.*)/s, 2) as [string, string?];
    if (!word.startsWith("--") || ![...VALUE_OPTIONS, ...SWITCHES].includes(name)) {
      throw new UsageError(`unknown argument ${word}`);
    }
    const value = SWITCHES.includes(name) ? true : inline ?? words.shift();
    if (value === undefined) throw new UsageError(`--${name} needs a value`);
    options[name] = value;
  }
  return options;
}

function checkArguments({ command = [], process = false, profile, emulate = false, format, timeout }: Arguments): void {
  if (process !== command.length > 0) throw new UsageError("--process goes with -- and a program");
  if ([process, profile !== undefined, emulate].filter(Boolean).length > 1) {
    throw new UsageError("--process, --profile and --emulate exclude each other");
  }
  if (!["json", "text", undefined].includes(format)) throw new UsageError("--format takes json or text");
  if (timeout !== undefined && !(Number(timeout) > 0)) {
    throw new UsageError("--timeout takes a number of milliseconds > 0");
  }
}

async function get(options: Arguments, terminal: Terminal): Promise<void> {
  if (options.emulate !== true) return await retrieveAndPrint(options, terminal, {});
  const server = await serveEmulator(new ImdsEmulator());
  try {
    const line = `Emulated: the embedded IMDS emulator at ${server.endpoint} answers, not EC2`;
    if (format(options, terminal) === "text") terminal.print(line);
    else terminal.printError(line);
    await retrieveAndPrint({ ...options, endpoint: server.endpoint }, terminal, {
      env: () => undefined,
      homeDirectory: () => undefined,
    });
  } finally {
    await server.close();
  }
}

async function retrieveAndPrint(
  options: Arguments,
  terminal: Terminal,
  parts: Partial<Runtime>,
): Promise<void> {
  const runtime = detectRuntime(parts);
  let requests = 0;
  const counting: Runtime = {
    ...runtime,
    fetchDirect: (url, init) => {
      requests++;
      return runtime.fetchDirect(url, init);
    },
  };
  const provider = providerOf(options, counting);
  const credentials = await provider.retrieve();
  const role = provider instanceof InstanceMetadataProvider ? provider.roleName : undefined;
  terminal.print(
    format(options, terminal) === "json"
      ? processDocument(credentials)
      : summary(credentials, role, requests, runtime.now()),
  );
}

type Provider = InstanceMetadataProvider | ProcessProvider | ProfileProvider;

function providerOf({ command = [], process, profile, endpoint, timeout }: Arguments, runtime: Runtime): Provider {
  const limits = timeout === undefined ? {} : { timeout: Number(timeout) };
  const imds = { ...limits, ...(endpoint === undefined ? {} : { endpoint }) };
  if (process === true) return new ProcessProvider({ command, ...limits, runtime });
  if (profile !== undefined) return new ProfileProvider({ profile, imds, process: limits, runtime });
  return new InstanceMetadataProvider({ ...imds, runtime });
}

function format({ format }: Arguments, { isInteractive }: Terminal): string {
  return format ?? (isInteractive ? "text" : "json");
}

/** @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html} */
function processDocument(credentials: Credentials): string {
  return JSON.stringify(
    {
      Version: 1,
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      SessionToken: credentials.sessionToken,
      Expiration: credentials.expiration?.toISOString(),
      AccountId: credentials.accountId,
    },
    undefined,
    2,
  );
}

function summary(credentials: Credentials, role: string | undefined, requests: number, now: number): string {
  const { source, accessKeyId, expiration, accountId } = credentials;
  const rows = {
    "source": source,
    ...(role === undefined ? {} : { "role": role }),
    "access key id": accessKeyId,
    "secret": "[redacted]",
    "expiration": expiration === undefined ? "never" : `${expiration.toISOString()} (${timeLeft(expiration, now)})`,
    "account": accountId ?? "not named by this source",
    ...(requests === 0 ? {} : { "requests": `${requests}` }),
  };
  return Object.entries(rows).map(([name, value]) => `${name.padEnd(15)}${value}`).join("\n");
}

function timeLeft(expiration: Date, now: number): string {
  const minutes = Math.floor((expiration.getTime() - now) / 60_000);
  return minutes < 0 ? "already expired" : `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function diagnosis(error: unknown): string {
  if (!(error instanceof CredentialsProviderError)) return `rolecreds: ${(error as Error)?.message ?? "failed"}`;
  const { code, message, hint, cause } = error;
  const rows = [`error  ${code}`, `tried  ${message}`];
  if (cause instanceof CredentialsProviderError) rows.push(`after  ${cause.code}: ${cause.message}`);
  if (hint !== undefined) rows.push(`hint   ${hint}`);
  return rows.join("\n");
}

await runIfStarted(import.meta as { readonly main?: boolean; readonly url: string }, main);
