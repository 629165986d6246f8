import { assert, assertEquals } from "@std/assert";
import { diagnose, type DiagnoseOptions, type Finding } from "../../mod.ts";

/** What no finding may hold: the secrets of emulators, and whatever a test marks as one. */
const SECRET_REGEXP = /canary|secret-access-key|session-token-|imds-token-|account-token|identity-token|eyJ/;
const UNPRINTABLE_REGEXP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** All findings, after what is true of any diagnosis was checked. */
export async function findingsOf(options: DiagnoseOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of diagnose(options)) findings.push(finding);
  for (const { check, status, message, hint = "" } of findings) {
    const text = `${check} ${status} ${message} ${hint}`;
    assert(!SECRET_REGEXP.test(text) && !UNPRINTABLE_REGEXP.test(text), text);
    assert(message !== "" && !/[.:]$/.test(message), message);
  }
  const conclusions = findings.filter(({ check }) => check === "credentials");
  assertEquals([conclusions.length, findings.at(-1)?.check], [1, "credentials"]);
  assert(["ok", "failure"].includes(findings.at(-1)?.status ?? ""));
  return findings;
}

/** The first finding that needs attention; where none does, the last one. */
export function firstProblem(findings: readonly Finding[]): Finding | undefined {
  return findings.find(({ status }) => status === "failure" || status === "warning") ?? findings.at(-1);
}
