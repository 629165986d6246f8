/** Counts the listeners of a signal, from now on. */
export function countListeners(signal: AbortSignal): { now: number; most: number } {
  const count = { now: 0, most: 0 };
  const { addEventListener, removeEventListener } = signal;
  const listeners = new Set<unknown>();
  const note = () => {
    count.now = listeners.size;
    count.most = Math.max(count.most, count.now);
  };
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners.add(args[1]);
    note();
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners.delete(args[1]);
    note();
    removeEventListener.apply(signal, args);
  };
  return count;
}
