import type { FileError } from "../runtime.ts";

/** The file functions of an adapter. They reject with an error that has the system's `code`. */
export interface FileSystem {
  readonly stat: (path: string) => Promise<{ readonly isFile: boolean; readonly size: number }>;
  readonly readFile: (path: string) => Promise<Uint8Array>;
}

const MAX_FILE_BYTES = 16 * 2 ** 20;
/** Paths that are not regular files, but that users set to mean an empty file. */
const EMPTY_FILES: readonly string[] = ["/dev/null", "NUL", "\\\\.\\nul"];
const MISSING_CODES: readonly unknown[] = ["ENOENT", "ENOTDIR"];
const PERMISSION_CODES: readonly unknown[] = ["EACCES", "EPERM", "ERR_ACCESS_DENIED"];
const NEWLINE = 0x0a;

/**
 * Implements `Runtime.readTextFile` with the file functions of an adapter. A pipe or a device is not opened: reading it
 * may never end.
 *
 * @throws {FileError} With a message of this library: the system's errors quote the path.
 */
export async function readTextFile(files: FileSystem, path: string): Promise<string | undefined> {
  if (EMPTY_FILES.includes(path)) return "";
  const found = await ifPresent(() => files.stat(path));
  if (found === undefined) return undefined;
  if (!found.isFile) throw fileError("NotAFile", "it is not a regular file");
  if (found.size > MAX_FILE_BYTES) throw fileError("TooLarge", "it is larger than 16 MiB");
  const bytes = await ifPresent(() => files.readFile(path));
  return bytes === undefined ? undefined : decode(bytes);
}

/** The result of a call; `undefined` if there is no such file. Other errors become a `FileError`. */
async function ifPresent<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
    // A symbolic link with read permission can point to a file without; Deno then throws NotCapable.
    if (MISSING_CODES.includes(code) || name === "NotCapable") return undefined;
    if (PERMISSION_CODES.includes(code)) throw fileError("NotPermitted", "there is no permission to read it");
    const state = "the system could not read it";
    if (typeof code !== "string" || !/^\w{1,40}$/.test(code)) throw fileError("Unreadable", state);
    throw fileError("Unreadable", `${state} (${code})`, { systemCode: code });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const line = firstLineNotUtf8(bytes);
    throw fileError("NotUtf8", `line ${line} is not UTF-8`, { line });
  }
}

/**
 * The number of the first line that is not UTF-8, from 1. Lines can be decoded one by one, because no character of
 * several bytes contains the byte of a newline.
 */
function firstLineNotUtf8(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let line = 1, start = 0;; line++) {
    const end = bytes.indexOf(NEWLINE, start);
    try {
      decoder.decode(bytes.subarray(start, end === -1 ? undefined : end));
    } catch {
      return line;
    }
    if (end === -1) return line;
    start = end + 1;
  }
}

function fileError(
  code: FileError["code"],
  message: string,
  details: { readonly line?: number; readonly systemCode?: string } = {},
): FileError {
  const error = Object.assign(new Error(message), { code });
  // Defined, not assigned: an error in Bun already has a `line`, that of the source code.
  for (const [key, value] of Object.entries(details)) Object.defineProperty(error, key, { value, enumerable: true });
  return error;
}
