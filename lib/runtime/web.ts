import { RefusedRequest } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** Timers accept no more, and fire at once beyond it. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * What every server runtime has: `fetch`, a clock, timers. No environment, no files, no processes: where those exist an
 * adapter adds them.
 */
export function webRuntime(): Runtime {
  return {
    fetch: send,
    fetchDirect: send,
    now: () => Date.now(),
    random: () => Math.random(),
    randomUuid: () => crypto.randomUUID(),
    sleep,
    timeout: (ms) => afterTurn((abort) => startTimeout(ms, abort)),
    env: () => undefined,
    readTextFile: () => Promise.resolve(undefined),
    homeDirectory: () => undefined,
    platform: "posix",
    // deno-lint-ignore no-console -- the one place that prints without being asked
    warn: (message) => console.warn(message),
  };
}

/** Tried out at the first request. */
let cacheIsAccepted: boolean | undefined;

async function send(url: string, init: RequestInit): Promise<Response> {
  if (typeof globalThis.fetch !== "function") {
    const hint = "Run it on a supported version of Deno, Bun or Node, or give another `fetch` as `runtime: { fetch }`.";
    throw new RefusedRequest("unsupported", "there is no global fetch", hint);
  }
  cacheIsAccepted ??= acceptsCache();
  const { cache: _, ...others } = init;
  return await fetch(url, cacheIsAccepted ? init : others);
}

/** workerd has no HTTP cache to bypass before its compatibility date 2024-11-11, and throws where `cache` is given. */
function acceptsCache(): boolean {
  try {
    new Request("http://localhost", { cache: "no-store" });
    return true;
  } catch {
    return false; // and without a cache nothing is stored
  }
}

/**
 * A signal whose time limit starts when the event loop turns: before that, a request that was just made is not sent. A
 * program that computes for a second would otherwise see a timeout of a request that never had a chance.
 */
export function afterTurn(start: (abort: (reason: unknown) => void) => void): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => start((reason) => controller.abort(reason)));
  return controller.signal;
}

function startTimeout(ms: number, abort: (reason: unknown) => void): void {
  const signal = AbortSignal.timeout(timerMs(ms));
  signal.addEventListener("abort", () => abort(signal.reason), { once: true });
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, timerMs(ms));
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Node refuses fractions. */
export function timerMs(ms: number): number {
  return Math.min(Math.ceil(ms), MAX_TIMER_MS);
}
