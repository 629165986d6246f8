import type { Spawn } from "../../runtime.ts";
import type { NodeProcess } from "../builtin.ts";
import { bunProcesses } from "./bun.ts";
import { type DenoProcesses, denoProcesses } from "./deno.ts";
import { nodeProcesses } from "./node.ts";
import { notStarted } from "./start_failure.ts";
import { spawnOn } from "./supervise.ts";

interface Globals {
  readonly Deno?: DenoProcesses;
  readonly process?: NodeProcess;
  readonly navigator?: { readonly userAgent?: string };
}

const NO_PROCESSES_HINT = "Run this on Deno, Bun or Node, or give another `spawn` as `runtime: { spawn }`.";

/** How this program starts processes. */
export function detectSpawn(globals: object = globalThis): Spawn {
  const { Deno, process, navigator }: Globals = globals;
  if (Deno !== undefined) return spawnOn(denoProcesses(Deno));
  // workerd looks like Node when its compatibility flag is set, without files and processes.
  if (process?.getBuiltinModule === undefined || navigator?.userAgent === "Cloudflare-Workers") {
    return () => Promise.resolve(notStarted("this runtime cannot start processes", NO_PROCESSES_HINT));
  }
  return spawnOn(process.versions["bun"] === undefined ? nodeProcesses(process) : bunProcesses(process));
}
