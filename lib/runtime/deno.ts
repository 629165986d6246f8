import { RefusedRequest } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { capturingVariable, PROXY_VARIABLES, refuseProxied } from "./proxy.ts";
import { type NodeProcess, systemHome } from "./builtin.ts";
import { type FileSystem, readTextFile } from "./file.ts";
import { webRuntime } from "./web.ts";

/** The parts of the `Deno` namespace that the adapter uses. */
export interface DenoNamespace extends FileSystem {
  readonly build: { readonly os: string };
  readonly permissions: { querySync(descriptor: Readonly<Record<string, string>>): { readonly state: string } };
  readonly env: { get(name: string): string | undefined };
  createHttpClient(options: object): object;
}

const HTTPS_HINT = "Use an http: endpoint, or grant --allow-env for the proxy variables.";
const UPGRADE_HINT = "Upgrade Deno to 2.7.7 or later, which can be told to go directly.";

/**
 * Deno 2. A permission is asked for without prompting; one that was not granted makes a variable unset and a file
 * missing.
 */
export function denoRuntime(deno: DenoNamespace): Runtime {
  const web = webRuntime();
  const clients = new Map<string, object | undefined>();
  const isGranted = (descriptor: Readonly<Record<string, string>>) =>
    deno.permissions.querySync(descriptor).state === "granted";
  const env = (variable: string) => isGranted({ name: "env", variable }) ? deno.env.get(variable) : undefined;
  const hidden = () => PROXY_VARIABLES.find((variable) => !isGranted({ name: "env", variable }));

  /** Deno obeys proxy variables that it does not let us read, and the system settings on Windows. */
  const mayUseProxy = (url: string) =>
    deno.build.os === "windows" || hidden() !== undefined || capturingVariable(url, env) !== undefined;

  function directClient(url: string): object | undefined {
    const target = new URL(url);
    if (!clients.has(target.origin)) clients.set(target.origin, tryDirectClient(deno, target));
    const client = clients.get(target.origin);
    if (client === undefined) refuse(url);
    if (client === undefined && target.protocol === "https:") {
      throw new RefusedRequest("proxy", "a proxy may apply", HTTPS_HINT);
    }
    return client;
  }

  function refuse(url: string): void {
    const variable = hidden();
    if (variable !== undefined) {
      throw new RefusedRequest("proxy", `a proxy may apply, and ${variable} may not be read`, UPGRADE_HINT);
    }
    refuseProxied(url, env, UPGRADE_HINT);
  }

  return {
    ...web,
    async fetchDirect(url, init) {
      const host = hostWithPort(new URL(url));
      if (!isGranted({ name: "net", host })) throw netPermissionError(host);
      const direct = mayUseProxy(url) ? { client: directClient(url) } : {};
      return await web.fetch(url, { ...init, ...direct } as RequestInit);
    },
    env,
    readTextFile: async (path) => isGranted({ name: "read", path }) ? await readTextFile(deno, path) : undefined,
    homeDirectory() {
      const { process } = globalThis as unknown as { readonly process: NodeProcess };
      return isGranted({ name: "sys", kind: "homedir" }) ? systemHome(process) : undefined;
    },
    platform: deno.build.os === "windows" ? "windows" : "posix",
  };
}

/**
 * A client whose proxy is the target itself, over plain TCP: the one setting that keeps the proxy variables out. The
 * request line then holds the whole URL, so it is used only where a proxy may apply. Deno before 2.7.7 lacks it.
 */
function tryDirectClient(deno: DenoNamespace, url: URL): object | undefined {
  const { hostname } = url;
  if (url.protocol === "https:") return undefined; // that client would speak without TLS
  try {
    return deno.createHttpClient({ proxy: { transport: "tcp", hostname, port: Number(portOf(url)) } });
  } catch {
    return undefined; // an older Deno: the caller refuses where a proxy applies
  }
}

function netPermissionError(host: string): RefusedRequest {
  return new RefusedRequest("permission", `Deno may not connect to ${host}`, `Start Deno with --allow-net=${host}.`);
}

function hostWithPort(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

function portOf({ port, protocol }: URL): string {
  return port !== "" ? port : protocol === "https:" ? "443" : "80";
}
