import type { CredentialsProviderError } from "../errors.ts";
import type { DenoNamespace } from "./deno.ts";
import { runtimeKind, unsupportedVersion } from "./kind.ts";

/** The runtime that a program runs on, for reports. */
interface RuntimeDescription {
  readonly kind: ReturnType<typeof runtimeKind>;
  /** The name and version, such as `Node 24.1.0`; for "web" a description. */
  readonly name: string;
  /** Why this version is not supported; `undefined` if it is. */
  readonly unsupported: CredentialsProviderError | undefined;
}

interface Globals {
  readonly Deno?: { readonly version?: { readonly deno: string } };
  readonly process?: { readonly versions?: Readonly<Record<string, string | undefined>> };
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
