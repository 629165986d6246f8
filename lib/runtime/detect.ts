import type { Runtime } from "../runtime.ts";
import { bunRuntime } from "./bun.ts";
import { type DenoNamespace, denoRuntime } from "./deno.ts";
import type { NodeProcess } from "./builtin.ts";
import { nodeRuntime } from "./node.ts";
import { webRuntime } from "./web.ts";

interface Globals {
  readonly Deno?: DenoNamespace;
  readonly process?: NodeProcess;
  readonly navigator?: { readonly userAgent?: string };
}

/** Made at the first use, and the same for everyone: what is read once per process depends on it. */
let runtime: Runtime | undefined;

/** The runtime this program is on, with the given parts in place of its own. */
export function detectRuntime(parts: Partial<Runtime> = {}): Runtime {
  runtime ??= detected(globalThis as unknown as Globals);
  return { ...runtime, ...(parts.fetch === undefined ? {} : { fetchDirect: parts.fetch }), ...parts };
}

function detected({ Deno, process, navigator }: Globals): Runtime {
  if (Deno !== undefined) return denoRuntime(Deno);
  // workerd looks like Node when its compatibility flag is set, without files and processes.
  if (process?.getBuiltinModule === undefined || navigator?.userAgent === "Cloudflare-Workers") return webRuntime();
  return process.versions["bun"] === undefined ? nodeRuntime(process) : bunRuntime(process);
}
