import type { Logger } from "./credentials.ts";
import type { Runtime } from "./runtime.ts";

/** The messages that each logger or console got. Created at the first use. */
let logged: WeakMap<object, Set<string>> | undefined;

/** Logs a message, unless this logger got it before: many providers may find the same. */
export function logOnce(logger: Logger | null | undefined, level: "debug" | "warn", message: string): void {
  if (logger && isFirst(logger, message)) logger[level]?.(message);
}

/** Warns once, also where no logger is given. `logger: null` turns it off. */
export function warnOnce(logger: Logger | null | undefined, { warn }: Pick<Runtime, "warn">, message: string): void {
  if (logger !== undefined) logOnce(logger, "warn", message);
  else if (isFirst(warn, message)) warn(message);
}

function isFirst(receiver: object, message: string): boolean {
  logged ??= new WeakMap();
  const messages = logged.get(receiver) ?? new Set();
  logged.set(receiver, messages);
  return messages.size < messages.add(message).size;
}
