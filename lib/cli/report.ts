import { CredentialsProviderError } from "../../mod.ts";
import { printableMessage } from "../printable.ts";
import { Failure } from "./command.ts";

/**
 * What a person should read of an error: its code, what was tried, what each provider of a chain said, and the fix. Of
 * errors that are not ours only the name: their message may quote anything.
 */
export function report(error: unknown): string {
  if (error instanceof CredentialsProviderError) return rows(providerRows(error));
  if (error instanceof Failure) return rows([["error", error.message], ["hint", error.hint]]);
  const name = error instanceof Error ? error.name : typeof error;
  return rows([["error", `unexpected ${name}`], ["hint", "This is a defect of rolecreds; please report it."]]);
}

type Row = readonly [label: string, text: string | undefined];

function providerRows({ code, message, errors, cause, hint }: CredentialsProviderError): readonly Row[] {
  const [action = message] = errors === undefined ? [] : message.split(":\n");
  return [
    ["error", code],
    ["tried", action],
    ...(errors ?? []).map((error) => ["-", line(error)] as const),
    ...(cause instanceof CredentialsProviderError ? [["after", line(cause)] as const] : []),
    ["hint", hint],
  ];
}

function line(error: unknown): string {
  if (error instanceof CredentialsProviderError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.name : typeof error;
}

function rows(rows: readonly Row[]): string {
  return rows
    .filter(([, text]) => text !== undefined)
    .map(([label, text = ""]) => `${label.padEnd(7)}${printableMessage(text)}`)
    .join("\n");
}
