import type { Runtime } from "../runtime.ts";
import { builtinRuntime, type NodeProcess } from "./builtin.ts";
import { atLeast } from "./kind.ts";
import { refuseProxied } from "./proxy.ts";
import { webRuntime } from "./web.ts";

/** From this version on `fetch` obeys `proxy: false`; earlier ones send the request to the proxy all the same. */
const FIRST_DIRECT_VERSION = [1, 4, 5] as const;

/** Bun 1.2.6 and later. */
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
