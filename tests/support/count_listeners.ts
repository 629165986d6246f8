/** Counts the listeners of a signal, from now on. */
export function countListeners(signal: AbortSignal): { now: number; most: number } {
  const count = { now: 0, most: 0 };
  const { addEventListener, removeEventListener } = signal;
  const listeners = new Set<unknown>();
  const note = () => {
    count.now = listeners.size;
    count.most = Math.max(count.most, count.now);
  };
  const forget = (listener: unknown) => () => {
    listeners.delete(listener);
    note();
  };
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners.add(args[1]);
    note();
    addEventListener.apply(signal, args);
    const options = args[2];
    if (typeof options === "object" && options.once === true) {
      addEventListener.call(signal, args[0], forget(args[1]), options);
    }
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    forget(args[1])();
    removeEventListener.apply(signal, args);
  };
  return count;
}
