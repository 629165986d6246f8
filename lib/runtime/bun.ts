import type { Runtime } from "../runtime.ts";
import { builtinRuntime, type NodeProcess } from "./builtin.ts";
import { atLeast } from "./runtime_kind.ts";
import { throwIfProxied } from "./proxy.ts";
import { webRuntime } from "./web.ts";

/** From this version on `fetch` obeys `proxy: false`; earlier versions send the request to the proxy nevertheless. */
const FIRST_DIRECT_VERSION = [1, 4, 5] as const;

/** The runtime of Bun 1.2.6 and later. */
export function bunRuntime(process: NodeProcess): Runtime {
  const web = webRuntime();
  const isDirect = atLeast(process.versions["bun"] ?? "", FIRST_DIRECT_VERSION);
  return {
    ...web,
    ...builtinRuntime(process),
    // deno-lint-ignore require-await -- a refusal must reject the promise, not throw
    async fetchDirect(url, init) {
      if (!isDirect) {
        throwIfProxied(url, (name) => process.env[name], "As an alternative, upgrade Bun to 1.4.5 or later.");
      }
      return web.fetch(url, { ...init, proxy: false } as RequestInit);
    },
  };
}
