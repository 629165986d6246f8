import type { Runtime } from "../runtime.ts";
import { builtinRuntime, type NodeProcess } from "./builtin.ts";
import { directDispatch } from "./dispatcher.ts";
import { webRuntime } from "./web.ts";

/** The runtime of Node 22.3 and later, and of Node 20 from 20.16 on. */
export function nodeRuntime(process: NodeProcess): Runtime {
  const web = webRuntime();
  return {
    ...web,
    ...builtinRuntime(process),
    // deno-lint-ignore require-await -- a refusal must reject the promise, not throw
    async fetchDirect(url, init) {
      return web.fetch(url, { ...init, ...directDispatch(url, process) } as RequestInit);
    },
  };
}
