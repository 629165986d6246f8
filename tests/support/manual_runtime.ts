import { FakeRuntime } from "./fake_runtime.ts";

/** A runtime in which `sleep()` ends when the test advances the clock. */
export class ManualRuntime extends FakeRuntime {
  override readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    const deadline = this.timeout(ms);
    return new Promise((resolve, reject) => {
      deadline.addEventListener("abort", () => resolve());
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  };
}
