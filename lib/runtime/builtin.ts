import type { Runtime } from "../runtime.ts";

/** The parts of Node's `process` that the adapters use; Bun has them, too. */
export interface NodeProcess {
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execArgv: readonly string[];
  readonly platform: string;
  getBuiltinModule<T>(id: string): T;
  kill(pid: number, signal: string | number): void;
  on(event: "exit", listener: () => void): void;
  off(event: "exit", listener: () => void): void;
}

interface FileSystem {
  readFile(path: string): Promise<Uint8Array>;
}

/**
 * The environment, the files and the system, as Node and Bun offer them. Built-in modules come from
 * `process.getBuiltinModule`, so that bundlers see no import.
 */
export function builtinRuntime(
  process: NodeProcess,
): Pick<Runtime, "env" | "readTextFile" | "homeDirectory" | "platform"> {
  return {
    env: (name) => process.env[name],
    readTextFile: (path) =>
      readWith((file) => process.getBuiltinModule<FileSystem>("node:fs/promises").readFile(file), path),
    homeDirectory: () => systemHome(process),
    platform: platformOf(process),
  };
}

export function platformOf({ platform }: NodeProcess): Runtime["platform"] {
  return platform === "win32" ? "windows" : "posix";
}

export function systemHome(process: NodeProcess): string | undefined {
  try {
    return process.getBuiltinModule<{ homedir(): string }>("node:os").homedir();
  } catch {
    return undefined; // a user without a home
  }
}

/** Reads a file as strict UTF-8; `undefined` when there is none. */
export async function readWith(read: (path: string) => Promise<Uint8Array>, path: string): Promise<string | undefined> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await read(path));
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
