import type { Runtime } from "../runtime.ts";
import { notStarted } from "./start_failure.ts";

const NO_PROCESSES_HINT = "Run this on Deno, Bun or Node, or hand in another `spawn` as `runtime: { spawn }`.";

/**
 * What every server runtime has: `fetch`, a clock, timers. No environment, no files, no processes: where those exist an
 * adapter adds them.
 */
export function webRuntime(): Runtime {
  return {
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    random: () => Math.random(),
    sleep,
    timeout: (ms) => AbortSignal.timeout(ms),
    env: () => undefined,
    readTextFile: () => Promise.resolve(undefined),
    homeDirectory: () => undefined,
    platform: "posix",
    spawn: () => Promise.resolve(notStarted("this runtime cannot start processes", NO_PROCESSES_HINT)),
    // deno-lint-ignore no-console -- the one place that prints without being asked
    warn: (message) => console.warn(message),
  };
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
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
