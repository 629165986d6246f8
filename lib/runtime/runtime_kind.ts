import { CredentialsProviderError } from "../errors.ts";
import type { DenoNamespace } from "./deno.ts";

/** The globals that tell the runtimes apart. */
interface Globals {
  readonly Deno?: { readonly version?: { readonly deno: string } };
  readonly process?: {
    readonly versions?: Readonly<Record<string, string | undefined>>;
    readonly getBuiltinModule?: unknown;
  };
  readonly navigator?: { readonly userAgent?: string };
}

/**
 * The runtime that this program runs on; "web" where only `fetch` can be relied on. On Deno it does not access
 * `process`: the first access loads Deno's emulation of Node, which takes longer than a retrieval.
 */
export function runtimeKind(globals: Globals): "deno" | "bun" | "node" | "web" {
  if (globals.Deno !== undefined) return "deno";
  const { process, navigator } = globals;
  // With the flag `nodejs_compat`, workerd has Node's `process`, but no files and no processes.
  if (process?.versions?.["node"] === undefined || navigator?.userAgent === "Cloudflare-Workers") return "web";
  return process.versions["bun"] === undefined ? "node" : "bun";
}

/**
 * The error for a version that is not supported, else `undefined`. Without `process.getBuiltinModule` no file can be
 * read and no process started, so another identity could be used; an older Deno cannot send a request past a proxy.
 */
export function unsupportedVersion(globals: Globals): CredentialsProviderError | undefined {
  const kind = runtimeKind(globals);
  if (kind === "deno") {
    const version = globals.Deno?.version?.deno ?? "of unknown version";
    return atLeast(version, [2, 5, 1]) ? undefined : tooOld(`Deno ${version}`, "Deno 2.5.1");
  }
  const { process } = globals;
  if (kind === "web" || process?.getBuiltinModule !== undefined) return undefined;
  return kind === "bun"
    ? tooOld(`Bun ${process?.versions?.["bun"]}`, "Bun 1.2.6")
    : tooOld(`Node ${process?.versions?.["node"]}`, "Node 20.16 or later in version 20, or to Node 22.3");
}

/** Whether a version such as `1.4.0-canary.1` is at least the one with these numbers. */
export function atLeast(version: string, floor: readonly number[]): boolean {
  const numbers = version.split(/[.-]/).map(Number);
  const difference = floor.map((least, index) => (numbers[index] ?? 0) - least).find((delta) => delta !== 0);
  return (difference ?? 0) >= 0;
}

function tooOld(found: string, needed: string): CredentialsProviderError {
  return new CredentialsProviderError("ConfigurationError", `Cannot get credentials: ${found} is not supported`, {
    hint: `Upgrade to ${needed} or later.`,
  });
}

/** The runtime that a program runs on, for reports. */
interface RuntimeDescription {
  readonly kind: ReturnType<typeof runtimeKind>;
  /** The name and version, such as `Node 24.1.0`; for "web" a description. */
  readonly name: string;
  /** Why this version is not supported; `undefined` if it is. */
  readonly unsupported: CredentialsProviderError | undefined;
}

/** The runtime of this program. */
export function describeRuntime(globals: object = globalThis): RuntimeDescription {
  const { Deno, process } = globals as Globals;
  const kind = runtimeKind(globals);
  const names = {
    deno: `Deno ${Deno?.version?.deno}`,
    bun: `Bun ${process?.versions?.["bun"]}`,
    node: `Node ${process?.versions?.["node"]}`,
    web: "a runtime with `fetch` only: no environment variables, no files and no processes",
  };
  return { kind, name: names[kind], unsupported: unsupportedVersion(globals) };
}

/** Whether Deno granted a permission, without prompting; always true on other runtimes. */
export function isGranted(descriptor: Readonly<Record<string, string>>, globals: object = globalThis): boolean {
  const { Deno } = globals as { readonly Deno?: Pick<DenoNamespace, "permissions"> };
  return Deno === undefined || Deno.permissions.querySync(descriptor).state === "granted";
}
