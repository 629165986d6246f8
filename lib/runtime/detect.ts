import type { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { NodeProcess } from "./builtin.ts";
import { bunRuntime } from "./bun.ts";
import { type DenoNamespace, denoRuntime } from "./deno.ts";
import { runtimeKind, unsupportedVersion } from "./runtime_kind.ts";
import { nodeRuntime } from "./node.ts";
import { webRuntime } from "./web.ts";

/** Created at the first use, and the same object for every caller: files are cached by its functions. */
let runtime: Runtime | undefined;

/**
 * The runtime of this program, with the given parts in place of its own. Does not throw, even for a version that is not
 * supported: then its parts do.
 */
export function detectRuntime(parts: Partial<Runtime> = {}): Runtime {
  runtime ??= ownRuntime();
  // The two optional parts may be missing in the detected runtime.
  const given = givenParts(parts, [...Object.keys(runtime), "spawn", "writeTextFile"]);
  return {
    ...runtime,
    // A given `fetch` serves for both, unless `fetchDirect` is given as well.
    ...(given.fetch === undefined ? {} : { fetchDirect: given.fetch }),
    // What was read from elsewhere must not be written to a file of this machine.
    ...(given.readTextFile === undefined ? {} : { writeTextFile: undefined }),
    ...given,
  };
}

function ownRuntime(): Runtime {
  const unsupported = unsupportedVersion(globalThis as object);
  if (unsupported !== undefined) return unsupportedRuntime(unsupported);
  const globals = globalThis as unknown as { readonly Deno: DenoNamespace; readonly process: NodeProcess };
  switch (runtimeKind(globals as object)) {
    case "deno":
      return denoRuntime(globals.Deno);
    case "bun":
      return bunRuntime(globals.process);
    case "node":
      return nodeRuntime(globals.process);
    case "web":
      return webRuntime();
  }
}

/**
 * A runtime whose environment, files and requests fail at every call: if they found nothing, a chain would use another
 * identity.
 */
function unsupportedRuntime(error: CredentialsProviderError): Runtime {
  const fail = () => {
    throw error;
  };
  const reject = () => Promise.reject(error);
  return { ...webRuntime(), env: fail, homeDirectory: fail, readTextFile: reject, fetch: reject, fetchDirect: reject };
}

let boundParts: WeakMap<object, Partial<Runtime>> | undefined;

/** The parts that are not `undefined`, including those that an object inherits from its class. */
function givenParts(parts: Partial<Runtime>, names: readonly string[]): Partial<Runtime> {
  // AWS SDK v3 calls a default provider with its own configuration, where `runtime` is a string.
  if (typeof parts !== "object") return {};
  const own = Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
  boundParts ??= new WeakMap();
  const inherited = boundParts.get(parts) ?? inheritedParts(parts, names);
  boundParts.set(parts, inherited);
  return { ...inherited, ...own };
}

/**
 * Methods are bound, because in a copy they would lose their `this`. Each is bound only once per object, because files
 * are cached by the function that reads them.
 */
function inheritedParts(parts: Partial<Runtime>, names: readonly string[]): Partial<Runtime> {
  const values = parts as Readonly<Record<string, unknown>>;
  const inherited = names.filter((name) => !Object.hasOwn(parts, name) && values[name] !== undefined);
  return Object.fromEntries(inherited.map((name) => {
    const part = values[name];
    return [name, typeof part === "function" ? part.bind(parts) : part];
  }));
}
