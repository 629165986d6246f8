import { parseJsonObject } from "../json_object.ts";
import { printable } from "../printable.ts";
import type { Runtime } from "../runtime.ts";
import { expiry, type Finding } from "./finding.ts";

const MAX_AUDIENCES = 5;

/**
 * Reports the issuer, the audience and the expiration that the token in a file claims. The signature is not verified. A
 * file that cannot be read is not reported here: its provider says why.
 *
 * @param name What to call the file.
 */
export async function checkTokenFile(
  check: string,
  name: string,
  path: string,
  { readTextFile, now }: Pick<Runtime, "readTextFile" | "now">,
): Promise<readonly Finding[]> {
  const text = await readTextFile(path).catch(() => undefined);
  return text === undefined || text.trim() === "" ? [] : [tokenFinding(check, name, text.trim(), now())];
}

function tokenFinding(check: string, name: string, token: string, now: number): Finding {
  const claims = claimsOf(token);
  if (claims === undefined) {
    return { check, status: "ok", message: `The token in ${name} can be read; it is not a JWT` };
  }
  const { exp, iss, aud } = claims;
  const audiences = [aud].flat().filter((entry) => typeof entry === "string").slice(0, MAX_AUDIENCES);
  const issuer = typeof iss === "string" ? ` of ${printable(iss)}` : "";
  const audience = audiences.length === 0 ? "" : ` for ${audiences.map((entry) => printable(entry)).join(", ")}`;
  const subject = `The token in ${name}${issuer}${audience}`;
  if (typeof exp !== "number" || !Number.isFinite(exp)) {
    return { check, status: "ok", message: `${subject} has no expiration` };
  }
  const message = `${subject} ${expiry(exp * 1_000, now)}`;
  if (exp * 1_000 > now) return { check, status: "ok", message };
  return {
    check,
    status: "failure",
    message,
    hint: "Check the clock, and that the program that writes the file still runs.",
  };
}

/** The claims of a JWT: a JSON object in base64url between two dots. */
function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload] = token.split(".");
  if (payload === undefined) return undefined;
  try {
    const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    return parseJsonObject(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))));
  } catch {
    return undefined; // not base64
  }
}
