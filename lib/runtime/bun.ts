import type { Runtime } from "../runtime.ts";
import { builtinRuntime, type NodeProcess } from "./builtin.ts";
import { refuseProxied } from "./proxy.ts";
import { webRuntime } from "./web.ts";

/** From this version on `fetch` obeys `proxy: false`; earlier ones send the request to the proxy all the same. */
const FIRST_DIRECT_VERSION = [1, 4, 5] as const;

export function bunRuntime(process: NodeProcess): Runtime {
  const web = webRuntime();
  const isDirect = atLeast(process.versions["bun"] ?? "", FIRST_DIRECT_VERSION);
  return {
    ...web,
    ...builtinRuntime(process),
    // deno-lint-ignore require-await -- a refusal belongs into the promise
    async fetchDirect(url, init) {
      if (!isDirect) refuseProxied(url, (name) => process.env[name], "Or upgrade Bun to 1.4.5 or later.");
      return web.fetch(url, { ...init, proxy: false } as RequestInit);
    },
  };
}

function atLeast(version: string, floor: readonly number[]): boolean {
  const numbers = version.split(/[.-]/).map(Number);
  const difference = floor.map((least, index) => (numbers[index] ?? 0) - least).find((delta) => delta !== 0);
  return (difference ?? 0) >= 0;
}
