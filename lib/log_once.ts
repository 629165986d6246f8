import type { Logger } from "./credentials.ts";
import type { Runtime } from "./runtime.ts";

/** The messages that were logged, by logger, or by the `warn` function of the runtime. Created at the first use. */
let logged: WeakMap<object, Set<string>> | undefined;

/** Logs a message, but only once for each logger: several providers may log the same one. */
export function logOnce(logger: Logger | null | undefined, level: "debug" | "warn", message: string): void {
  if (logger && remember(logger, message)) logger[level]?.(message);
}

/** Warns once. If no logger is given, the warning goes to `runtime.warn`; with `null` it is not printed. */
export function warnOnce(logger: Logger | null | undefined, { warn }: Pick<Runtime, "warn">, message: string): void {
  if (logger !== undefined) logOnce(logger, "warn", message);
  else if (remember(warn, message)) warn(message);
}

/** Returns false if the receiver got the message before. */
function remember(receiver: object, message: string): boolean {
  logged ??= new WeakMap();
  const messages = logged.get(receiver) ?? new Set();
  logged.set(receiver, messages);
  if (messages.has(message)) return false;
  messages.add(message);
  return true;
}
