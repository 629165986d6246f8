import type { Runtime } from "../runtime.ts";
import { bunProcesses } from "./bun_processes.ts";
import { spawnOn } from "./child.ts";
import { refuseProxied } from "./direct.ts";
import { fileSystem, type NodeProcess, readWith, systemHome } from "./node.ts";
import { platformOf } from "./node_processes.ts";
import { webRuntime } from "./web.ts";

/** From this version on `fetch` obeys `proxy: false`; earlier ones send the request to the proxy all the same. */
const FIRST_DIRECT_VERSION = [1, 4, 5] as const;

export function bunRuntime(process: NodeProcess): Runtime {
  const web = webRuntime();
  const isDirect = atLeast(process.versions["bun"] ?? "", FIRST_DIRECT_VERSION);
  return {
    ...web,
    fetch(url, init) {
      if (!isDirect) refuseProxied(url, (name) => process.env[name], "Or upgrade Bun to 1.4.5 or later.");
      return web.fetch(url, { ...init, proxy: false } as RequestInit);
    },
    env: (name) => process.env[name],
    readTextFile: (path) => readWith((file) => fileSystem(process).readFile(file), path),
    homeDirectory: () => systemHome(process),
    platform: platformOf(process),
    spawn: spawnOn(bunProcesses(process)),
  };
}

function atLeast(version: string, floor: readonly number[]): boolean {
  const numbers = version.split(/[.-]/).map(Number);
  const difference = floor.map((least, index) => (numbers[index] ?? 0) - least).find((delta) => delta !== 0);
  return (difference ?? 0) >= 0;
}
