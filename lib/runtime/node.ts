import { RefusedRequest } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { builtinRuntime, type NodeProcess } from "./builtin.ts";
import { refuseProxied } from "./proxy.ts";
import { webRuntime } from "./web.ts";

/** Node 20.16 and later. */
export function nodeRuntime(process: NodeProcess): Runtime {
  const web = webRuntime();
  return {
    ...web,
    ...builtinRuntime(process),
    // deno-lint-ignore require-await -- a refusal belongs into the promise
    async fetchDirect(url, init) {
      refuseNodeProxy(url, process);
      return web.fetch(url, init);
    },
  };
}

/**
 * Node's `fetch` is direct unless it was told to follow the environment, or a program made a proxy its global dispatcher.
 *
 * @see {@link https://nodejs.org/api/cli.html#node_use_env_proxy1}
 */
function refuseNodeProxy(url: string, { env, execArgv, versions }: NodeProcess): void {
  const dispatcher = (globalThis as Record<symbol, object | undefined>)[Symbol.for("undici.globalDispatcher.1")];
  if (dispatcher?.constructor.name === "ProxyAgent") {
    throw new RefusedRequest(
      "proxy",
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
