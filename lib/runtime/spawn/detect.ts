import type { Spawn } from "../../runtime.ts";
import type { NodeProcess } from "../builtin.ts";
import { runtimeKind, unsupportedVersion } from "../runtime_kind.ts";
import { bunProcesses } from "./bun.ts";
import { type DenoProcesses, denoProcesses } from "./deno.ts";
import { nodeProcesses } from "./node.ts";
import { notStarted } from "./child.ts";
import { spawnOn } from "./supervise.ts";

const NO_PROCESSES_HINT = "Run this on Deno, Bun or Node, or give another `spawn` as `runtime: { spawn }`.";

/** How this program starts processes. */
export function detectSpawn(globals: object = globalThis): Spawn {
  const unsupported = unsupportedVersion(globals);
  if (unsupported !== undefined) return () => Promise.reject(unsupported);
  const known = globals as { readonly Deno: DenoProcesses; readonly process: NodeProcess };
  switch (runtimeKind(globals)) {
    case "deno":
      return spawnOn(denoProcesses(known.Deno));
    case "bun":
      return spawnOn(bunProcesses(known.process));
    case "node":
      return spawnOn(nodeProcesses(known.process));
    case "web":
      return () => Promise.resolve(notStarted("this runtime cannot start processes", NO_PROCESSES_HINT));
  }
}
