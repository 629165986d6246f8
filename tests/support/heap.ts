import process from "node:process";

/** The bytes that stay on the heap after garbage collection; `undefined` where the collector cannot be called. */
export async function heapUsed(): Promise<number | undefined> {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  const collect = gc ?? (Bun && (() => Bun.gc(true)));
  if (collect === undefined) return undefined;
  for (let collections = 0; collections < 5; collections++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10)); // what is finalized now can be freed by the next collection
  }
  return process.memoryUsage().heapUsed;
}
