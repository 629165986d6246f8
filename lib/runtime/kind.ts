import { CredentialsProviderError } from "../errors.ts";

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
 * Which runtime this program is on; "web" where no more than `fetch` is sure to exist. On Deno it leaves `process` alone:
 * the first access loads Deno's emulation of Node, which takes longer than a retrieval.
 */
export function runtimeKind(globals: Globals): "deno" | "bun" | "node" | "web" {
  if (globals.Deno !== undefined) return "deno";
  const { process, navigator } = globals;
  // workerd looks like Node when its compatibility flag is set, without files and processes.
  if (process?.versions?.["node"] === undefined || navigator?.userAgent === "Cloudflare-Workers") return "web";
  return process.versions["bun"] === undefined ? "node" : "bun";
}

/**
 * Why this version of the runtime is not supported: without `process.getBuiltinModule` the environment, the files and the
 * proxy settings cannot be read, and another identity would be used; an older Deno cannot send around a proxy.
 */
export function unsupportedVersion(globals: Globals): CredentialsProviderError | undefined {
  const kind = runtimeKind(globals);
  if (kind === "deno") {
    const version = globals.Deno?.version?.deno ?? "of no version";
    return atLeast(version, [2, 5, 1]) ? undefined : tooOld(`Deno ${version}`, "Deno 2.5.1");
  }
  const { process } = globals;
  if (kind === "web" || process?.getBuiltinModule !== undefined) return undefined;
  return kind === "bun"
    ? tooOld(`Bun ${process?.versions?.["bun"]}`, "Bun 1.2.6")
    : tooOld(`Node ${process?.versions?.["node"]}`, "Node 20.16, 22.3");
}

/** Compares a version such as `1.4.0-canary.1` with the numbers of another. */
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
