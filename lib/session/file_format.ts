import { hex } from "../hex.ts";
import { type Fields, isSameName } from "../json_object.ts";
import { isoSeconds } from "../timestamp.ts";

/** The last second that RFC 3339 can represent. */
const LATEST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The name of the file for a session: the hash of what identifies it, in lower case hex, with `.json`. */
export async function sessionFileName(algorithm: "SHA-1" | "SHA-256", text: string): Promise<string> {
  return `${hex(await crypto.subtle.digest(algorithm, new TextEncoder().encode(text)))}.json`;
}

/** A copy with some fields replaced. `JSON.stringify` omits a field that is set to `undefined`. */
export function withFields(fields: Fields, changes: Fields): Fields {
  const changed = Object.entries(changes);
  const kept = Object.entries(fields).filter(([key]) => !changed.some(([name]) => isSameName(key, name)));
  return Object.fromEntries([...kept, ...changed]);
}

/** The form of a time that the AWS CLI writes: whole seconds, rounded down, with `Z`. */
export function formatTime(epochMs: number): string {
  return isoSeconds(Math.min(epochMs, LATEST_TIME));
}
