/** Resolves at the first call and keeps the result; a failure is not kept. */
export function resolveOnce<T>(resolve: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () =>
    kept ??= resolve().catch((error) => {
      kept = undefined;
      throw error;
    });
}
