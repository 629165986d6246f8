import { RefusedRequest } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { filePromises, type NodeProcess, systemHome } from "./builtin.ts";
import { type FileSystem, readTextFile } from "./file.ts";
import { proxyVariable, proxyVariables } from "./proxy.ts";
import { replaceFile } from "./replace_file.ts";
import { webRuntime } from "./web.ts";

/** The parts of the `Deno` namespace that the adapter uses. */
export interface DenoNamespace extends FileSystem {
  readonly build: { readonly os: string };
  readonly permissions: { querySync(descriptor: Readonly<Record<string, string>>): { readonly state: string } };
  readonly env: { get(name: string): string | undefined };
  createHttpClient(options: object): object;
}

/**
 * Deno 2.5.1 and later. A permission is queried without prompting; one that was not granted makes a variable unset and a
 * file missing.
 */
export function denoRuntime(deno: DenoNamespace): Runtime {
  const web = webRuntime();
  const clients = new Map<string, object>();
  const isGranted = (descriptor: Readonly<Record<string, string>>) =>
    deno.permissions.querySync(descriptor).state === "granted";
  const env = (variable: string) => isGranted({ name: "env", variable }) ? deno.env.get(variable) : undefined;

  /**
   * A client for one origin through no proxy, where one may apply. Deno obeys variables that it does not let us read, and on
   * Windows the system settings; how it reads `NO_PROXY` differs from what others do.
   */
  function directClient(url: string): object | undefined {
    const hidden = proxyVariables(url).filter((variable) => !isGranted({ name: "env", variable }));
    const variable = proxyVariable(url, env);
    if (variable === undefined && hidden.length === 0 && deno.build.os !== "windows") return undefined;
    const target = new URL(url);
    if (target.protocol === "https:") throw httpsRefusal(variable, hidden);
    const client = clients.get(target.origin) ?? createDirectClient(deno, target);
    clients.set(target.origin, client);
    return client;
  }

  function checkNet(url: string): void {
    const host = hostWithPort(new URL(url));
    if (!isGranted({ name: "net", host })) throw netRefusal(host);
  }

  return {
    ...web,
    async fetch(url, init) {
      checkNet(url);
      return await web.fetch(url, init);
    },
    async fetchDirect(url, init) {
      checkNet(url);
      const client = directClient(url);
      return await web.fetch(url, (client === undefined ? init : { ...init, client }) as RequestInit);
    },
    env,
    readTextFile: async (path) => isGranted({ name: "read", path }) ? await readTextFile(deno, path) : undefined,
    async writeTextFile(path, text) {
      const folder = path.replace(/[/\\][^/\\]*$/, "");
      if (!isGranted({ name: "write", path: folder })) throw new Error(`Deno needs --allow-write=${folder}`);
      await replaceFile(filePromises(nodeProcess()), path, text);
    },
    homeDirectory: () => isGranted({ name: "sys", kind: "homedir" }) ? systemHome(nodeProcess()) : undefined,
    platform: deno.build.os === "windows" ? "windows" : "posix",
  };
}

/**
 * A client whose proxy is the target itself, over plain TCP: the one setting that keeps the proxy variables out. The
 * request line then contains the whole URL, so it is used only where a proxy may apply.
 */
function createDirectClient(deno: DenoNamespace, url: URL): object {
  return deno.createHttpClient({ proxy: { transport: "tcp", hostname: url.hostname, port: Number(portOf(url)) } });
}

/** The direct client would speak without TLS. */
function httpsRefusal(variable: string | undefined, hidden: readonly string[]): RefusedRequest {
  const state = variable !== undefined
    ? `${variable} would send it through a proxy`
    : hidden.length > 0
    ? `a proxy may apply, ${hidden.join(", ")} may not be read`
    : "the proxy settings of Windows may apply";
  const grant = hidden.length > 0 ? `grant --allow-env=${hidden.join(",")}` : `unset ${variable ?? "the proxy"}`;
  return new RefusedRequest("proxy", state, `Use an http: endpoint, or ${grant}.`);
}

/** Deno has Node's `process`, too. */
function nodeProcess(): NodeProcess {
  return (globalThis as unknown as { readonly process: NodeProcess }).process;
}

function netRefusal(host: string): RefusedRequest {
  return new RefusedRequest("permission", `Deno may not connect to ${host}`, `Start Deno with --allow-net=${host}.`);
}

function hostWithPort(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

function portOf({ port, protocol }: URL): string {
  return port !== "" ? port : protocol === "https:" ? "443" : "80";
}
