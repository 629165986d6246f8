import { RequestNotSentError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { filePromises, type NodeProcess, systemHomeDirectory } from "./builtin.ts";
import { type FileSystem, readTextFile } from "./file.ts";
import { proxyVariable, proxyVariables } from "./proxy.ts";
import { replaceFile } from "./replace_file.ts";
import { afterTurn, timerMs, webRuntime } from "./web.ts";

/** The parts of the `Deno` namespace that the adapter uses. */
export interface DenoNamespace extends FileSystem {
  readonly build: { readonly os: string };
  readonly permissions: { querySync(descriptor: Readonly<Record<string, string>>): { readonly state: string } };
  readonly env: { get(name: string): string | undefined };
  createHttpClient(options: object): object;
  unrefTimer(timer: unknown): void;
}

/**
 * Deno 2.5.1 and later. A permission is queried without prompting; without it a variable counts as unset and a file as
 * missing.
 */
export function denoRuntime(deno: DenoNamespace): Runtime {
  const web = webRuntime();
  const clients = new Map<string, object | undefined>();
  const reachable = new Set<string>();
  const isGranted = (descriptor: Readonly<Record<string, string>>) =>
    deno.permissions.querySync(descriptor).state === "granted";
  const env = (variable: string) => isGranted({ name: "env", variable }) ? deno.env.get(variable) : undefined;

  /**
   * The `Deno.HttpClient` for an origin, `undefined` for the default one. Chosen once, because Deno reads the proxy
   * variables only once, too.
   */
  function directClient(target: URL): object | undefined {
    if (!clients.has(target.origin)) clients.set(target.origin, chooseClient(target));
    return clients.get(target.origin);
  }

  /**
   * A client that sends to one origin directly; `undefined` where no proxy can apply. A proxy can apply because of a
   * variable that Deno does not let this program read, and on Windows by the system settings. `NO_PROXY` is not
   * considered: Deno reads it differently from other runtimes.
   */
  function chooseClient(target: URL): object | undefined {
    const hidden = proxyVariables(target.href).filter((variable) => !isGranted({ name: "env", variable }));
    const variable = proxyVariable(target.href, env);
    if (variable === undefined && hidden.length === 0 && deno.build.os !== "windows") return undefined;
    if (target.protocol === "https:") throw httpsRefusal(variable, hidden, deno.build.os);
    return createDirectClient(deno, target);
  }

  function checkNet(target: URL): void {
    const host = hostWithPort(target);
    if (reachable.has(host)) return;
    if (!isGranted({ name: "net", host })) throw netRefusal(host);
    reachable.add(host);
  }

  return {
    ...web,
    async fetch(url, init) {
      checkNet(new URL(url));
      return await web.fetch(url, init);
    },
    async fetchDirect(url, init) {
      const target = new URL(url);
      checkNet(target);
      const client = directClient(target);
      return await web.fetch(url, (client === undefined ? init : { ...init, client }) as RequestInit);
    },
    // In Deno an `AbortSignal.timeout()` with a listener keeps the program alive until the time limit.
    timeout: (ms) =>
      afterTurn((abort) => {
        const reason = new DOMException("The time limit passed", "TimeoutError");
        unrefTimer(deno, setTimeout(() => abort(reason), timerMs(ms)));
      }),
    env,
    readTextFile: async (path) => isGranted({ name: "read", path }) ? await readTextFile(deno, path) : undefined,
    async writeTextFile(path, text) {
      const directory = path.replace(/[/\\][^/\\]*$/, "");
      if (!isGranted({ name: "write", path: directory })) throw new Error(`Deno needs --allow-write=${directory}`);
      await replaceFile(filePromises(nodeProcess()), path, text);
    },
    homeDirectory: () => isGranted({ name: "sys", kind: "homedir" }) ? systemHomeDirectory(nodeProcess()) : undefined,
    platform: deno.build.os === "windows" ? "windows" : "posix",
  };
}

/**
 * A client whose proxy is the target itself, over plain TCP: the only setting with which Deno ignores the proxy
 * variables. The request line then contains the whole URL, so it is used only where a proxy may apply.
 */
function createDirectClient(deno: DenoNamespace, url: URL): object {
  return deno.createHttpClient({ proxy: { transport: "tcp", hostname: url.hostname, port: Number(portOf(url)) } });
}

/**
 * Lets this program end before the timer fires. In an npm package Deno uses the timers of Node, which `Deno.unrefTimer`
 * of older versions does not accept.
 */
function unrefTimer(deno: Pick<DenoNamespace, "unrefTimer">, timer: unknown): void {
  if (typeof timer === "object") (timer as { unref(): void }).unref();
  else deno.unrefTimer(timer);
}

/** The error for an `https:` URL that may go through a proxy: the direct client cannot use TLS. */
function httpsRefusal(variable: string | undefined, hidden: readonly string[], os: string): RequestNotSentError {
  const state = variable !== undefined
    ? `the variable ${variable} sets a proxy for this URL`
    : hidden.length > 0
    ? `a proxy may apply: there is no permission to read ${hidden.join(", ")}`
    : "the proxy settings of Windows may apply";
  const fix = variable !== undefined ? `unset ${variable}` : `grant --allow-env=${hidden.join(",")}`;
  // On Windows the settings of the system may apply all the same.
  const hint = os === "windows" ? "Use an http: endpoint." : `Use an http: endpoint, or ${fix}.`;
  return new RequestNotSentError("proxy", state, hint);
}

/** Node's `process`, which Deno has as a global. */
function nodeProcess(): NodeProcess {
  return (globalThis as unknown as { readonly process: NodeProcess }).process;
}

function netRefusal(host: string): RequestNotSentError {
  return new RequestNotSentError(
    "permission",
    `Deno has no permission to connect to ${host}`,
    `Start Deno with --allow-net=${host}.`,
  );
}

function hostWithPort(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

function portOf({ port, protocol }: URL): string {
  return port !== "" ? port : protocol === "https:" ? "443" : "80";
}
