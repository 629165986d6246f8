#!/usr/bin/env node
/**
 * The command line: `rolecreds get` prints the credentials this machine gets.
 *
 * @module
 */
import type { Credentials } from "./credentials.ts";
import { CredentialsProviderError } from "./errors.ts";
import { InstanceMetadataProvider } from "./imds/provider.ts";
import type { Runtime } from "./runtime.ts";
import { detectRuntime } from "./runtime/detect.ts";
import { runIfStarted, type Terminal } from "./runtime/terminal.ts";
import { ImdsEmulator } from "./testing/emulator.ts";
import { serveEmulator } from "./testing/serve.ts";

export type { Terminal } from "./runtime/terminal.ts";

const USAGE = `Usage: rolecreds get [options]

Prints the credentials of the role attached to this EC2 instance: as a
credential_process document into a pipe, as a summary on a terminal.

Options
  --format json|text  what to print, whatever the output is
  --endpoint URL      where the metadata service listens
  --timeout MS        how long one request may take (1000)
  --emulate           ask the embedded emulator instead of EC2
  --help              print this

Exit status: 0 done, 1 no credentials, 2 wrong usage`;

/** The options as typed. */
interface Arguments {
  readonly format?: string;
  readonly endpoint?: string;
  readonly timeout?: string;
  readonly emulate?: boolean;
  readonly help?: boolean;
}

const VALUE_OPTIONS: readonly string[] = ["format", "endpoint", "timeout"];
const SWITCHES: readonly string[] = ["emulate", "help"];

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
  const options: Record<string, string | boolean> = {};
  const rest = [...args];
  const command = rest[0]?.startsWith("-") === false ? rest.shift() : undefined;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [name, inline] = word.replace(/^--/, "").split(/=(.*)/s, 2) as [string, string?];
    if (!word.startsWith("--") || ![...VALUE_OPTIONS, ...SWITCHES].includes(name)) {
      throw new UsageError(`unknown argument ${word}`);
    }
    const value = SWITCHES.includes(name) ? true : inline ?? rest.shift();
    if (value === undefined) throw new UsageError(`--${name} needs a value`);
    options[name] = value;
  }
  if (options["help"] !== true && command !== "get") throw new UsageError(`unknown command ${command ?? "(none)"}`);
  if (!["json", "text", undefined].includes(options["format"] as string)) {
    throw new UsageError("--format takes json or text");
  }
  if (options["timeout"] !== undefined && !(Number(options["timeout"]) > 0)) {
    throw new UsageError("--timeout takes a number of milliseconds > 0");
  }
  return options;
}

async function get(options: Arguments, terminal: Terminal): Promise<void> {
  if (options.emulate !== true) return await retrieveAndPrint(options, terminal, {});
  const server = await serveEmulator(new ImdsEmulator());
  try {
    const line = `Emulated: the embedded IMDS emulator at ${server.endpoint} answers, not EC2`;
    if (format(options, terminal) === "text") terminal.print(line);
    else terminal.printError(line);
    await retrieveAndPrint({ ...options, endpoint: server.endpoint }, terminal, { env: () => undefined });
  } finally {
    await server.close();
  }
}

async function retrieveAndPrint(
  { endpoint, timeout, ...options }: Arguments,
  terminal: Terminal,
  parts: Partial<Runtime>,
): Promise<void> {
  const runtime = detectRuntime(parts);
  let requests = 0;
  const counting: Runtime = {
    ...runtime,
    fetch: (url, init) => {
      requests++;
      return runtime.fetch(url, init);
    },
  };
  const provider = new InstanceMetadataProvider({
    runtime: counting,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(timeout === undefined ? {} : { timeout: Number(timeout) }),
  });
  const credentials = await provider.retrieve();
  terminal.print(
    format(options, terminal) === "json"
      ? processDocument(credentials)
      : summary(credentials, provider.roleName, requests, runtime.now()),
  );
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
    "role": role ?? "-",
    "access key id": accessKeyId,
    "secret": "[redacted]",
    "expiration": expiration === undefined ? "never" : `${expiration.toISOString()} (${timeLeft(expiration, now)})`,
    "account": accountId ?? "not named by this source",
    "requests": `${requests}`,
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
