import type { Runtime } from "../runtime.ts";
import { readTextFile as readRegularFile } from "./file.ts";
import { replaceFile, type WritableFileSystem } from "./replace_file.ts";

/** The parts of Node's `process` that the adapters use; Bun and Deno have them, too. */
export interface NodeProcess {
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  getBuiltinModule<T>(id: string): T;
  kill(pid: number, signal: string | number): void;
  on(event: "exit", listener: () => void): void;
  off(event: "exit", listener: () => void): void;
}

interface FilePromises extends WritableFileSystem {
  stat(path: string): Promise<{ isFile(): boolean; readonly size: number }>;
  readFile(path: string): Promise<Uint8Array>;
}

/**
 * The environment, files, home directory and platform on Node and Bun. Built-in modules come from
 * `process.getBuiltinModule`, so that a bundle for a runtime without these modules can be built.
 */
export function builtinRuntime(
  process: NodeProcess,
): Pick<Runtime, "env" | "readTextFile" | "writeTextFile" | "homeDirectory" | "platform"> {
  const files = () => filePromises(process);
  return {
    env: (name) => process.env[name],
    readTextFile: (path) =>
      readRegularFile({
        async stat(path) {
          const stats = await files().stat(path);
          return { isFile: stats.isFile(), size: stats.size };
        },
        readFile: (path) => files().readFile(path),
      }, path),
    writeTextFile: (path, text) => replaceFile(files(), path, text),
    homeDirectory: () => systemHomeDirectory(process),
    platform: platformOf(process),
  };
}

export function filePromises(process: NodeProcess): FilePromises {
  return process.getBuiltinModule<FilePromises>("node:fs/promises");
}

export function platformOf({ platform }: NodeProcess): Runtime["platform"] {
  return platform === "win32" ? "windows" : "posix";
}

export function systemHomeDirectory(process: NodeProcess): string | undefined {
  try {
    return process.getBuiltinModule<{ homedir(): string }>("node:os").homedir();
  } catch {
    return undefined; // the user has no home directory
  }
}
