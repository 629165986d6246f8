import type { Runtime } from "../runtime.ts";
import { spawnOn } from "./child.ts";
import { proxyError, refuseProxied } from "./direct.ts";
import { nodeProcesses, platformOf } from "./node_processes.ts";
import { webRuntime } from "./web.ts";

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

/** Node 20.16 and later. Built-in modules come from `process.getBuiltinModule`, so that bundlers see no import. */
export function nodeRuntime(process: NodeProcess): Runtime {
  const web = webRuntime();
  const env = (name: string) => process.env[name];
  return {
    ...web,
    fetch(url, init) {
      refuseNodeProxy(url, process);
      return web.fetch(url, init);
    },
    env,
    readTextFile: (path) => readWith((file) => fileSystem(process).readFile(file), path),
    homeDirectory: () => systemHome(process),
    platform: platformOf(process),
    spawn: spawnOn(nodeProcesses(process)),
  };
}

export function fileSystem(process: NodeProcess): FileSystem {
  return process.getBuiltinModule<FileSystem>("node:fs/promises");
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

/**
 * Node's `fetch` is direct unless it was told to follow the environment, or a program made a proxy its global dispatcher.
 *
 * @see {@link https://nodejs.org/api/cli.html#node_use_env_proxy1}
 */
function refuseNodeProxy(url: string, { env, execArgv, versions }: NodeProcess): void {
  const dispatcher = (globalThis as Record<symbol, object | undefined>)[Symbol.for("undici.globalDispatcher.1")];
  if (dispatcher?.constructor.name === "ProxyAgent") {
    throw proxyError(
      "the global dispatcher is an undici ProxyAgent",
      "Set an EnvHttpProxyAgent with noProxy instead, or hand in a direct `fetch` as `runtime: { fetch }`.",
    );
  }
  const flags = [...execArgv, ...(env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  const follows = flags.includes("--use-env-proxy") || env["NODE_USE_ENV_PROXY"] === "1" ||
    dispatcher?.constructor.name === "EnvHttpProxyAgent";
  if (follows && !versions["node"]?.startsWith("20.")) {
    refuseProxied(url, (name) => env[name], "Or unset NODE_USE_ENV_PROXY for this program.");
  }
}
