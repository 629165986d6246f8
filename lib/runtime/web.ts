import type { Runtime } from "../runtime.ts";

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
    sleep,
    timeout: (ms) => AbortSignal.timeout(ms),
    env: () => undefined,
    readTextFile: () => Promise.resolve(undefined),
    homeDirectory: () => undefined,
    platform: "posix",
    // deno-lint-ignore no-console -- the one place that prints without being asked
    warn: (message) => console.warn(message),
  };
}

function send(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
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
