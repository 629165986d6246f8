import { RequestNotSentError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** The longest delay of a timer; with a longer one it fires immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * What every server runtime has: `fetch`, a clock, timers. It has no environment, files or processes: adapters add
 * those.
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
    // deno-lint-ignore no-console -- the default for warnings; callers can replace it
    warn: (message) => console.warn(message),
  };
}

/** Whether `fetch` accepts the option `cache`; determined at the first request. */
let cacheIsAccepted: boolean | undefined;

async function send(url: string, init: RequestInit): Promise<Response> {
  if (typeof globalThis.fetch !== "function") {
    const hint =
      "Run the program on a supported version of Deno, Bun or Node, or give a `fetch` as `runtime: { fetch }`.";
    throw new RequestNotSentError("unsupported", "there is no global fetch", hint);
  }
  cacheIsAccepted ??= acceptsCache();
  const { cache: _, ...others } = init;
  return await fetch(url, cacheIsAccepted ? init : others);
}

/**
 * Whether a `Request` may have `cache`. workerd throws before the compatibility date 2024-11-11; it has no HTTP cache
 * then.
 */
function acceptsCache(): boolean {
  try {
    new Request("http://localhost", { cache: "no-store" });
    return true;
  } catch {
    return false; // and without a cache nothing is stored
  }
}

/**
 * A signal whose time limit starts in the next turn of the event loop, when a request that was just started is sent.
 * Otherwise a program that blocks the event loop for a second would get a timeout for a request that was not sent yet.
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

/** A delay that timers accept: rounded up, because Node refuses fractions, and at most {@linkcode MAX_TIMER_MS}. */
export function timerMs(ms: number): number {
  return Math.min(Math.ceil(ms), MAX_TIMER_MS);
}
