import { CredentialsProviderError } from "../../mod.ts";
import { printableMessage } from "../printable.ts";
import { Failure } from "./command.ts";

/**
 * Formats an error for a person: its code, the message, the error of each provider of a chain, and the fix. Of an error
 * that this library did not throw only the name is shown: its message may quote secrets.
 */
export function report(error: unknown): string {
  if (error instanceof CredentialsProviderError) return formatRows(providerRows(error));
  if (error instanceof Failure) return formatRows([["error", error.message], ["hint", error.hint]]);
  const name = error instanceof Error ? error.name : typeof error;
  return formatRows([["error", `unexpected ${name}`], ["hint", "This is a defect of rolecreds; please report it."]]);
}

type Row = readonly [label: string, text: string | undefined];

function providerRows({ code, message, errors, cause, hint }: CredentialsProviderError): readonly Row[] {
  const [action = message] = errors === undefined ? [] : message.split(":\n");
  return [
    ["error", code],
    ["state", action],
    ...(errors ?? []).map((error) => ["-", line(error)] as const),
    ...(cause instanceof CredentialsProviderError ? [["cause", line(cause)] as const] : []),
    ["hint", hint],
  ];
}

function line(error: unknown): string {
  if (error instanceof CredentialsProviderError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.name : typeof error;
}

function formatRows(rows: readonly Row[]): string {
  return rows
    .filter(([, text]) => text !== undefined)
    .map(([label, text = ""]) => `${label.padEnd(7)}${printableMessage(text)}`)
    .join("\n");
}
