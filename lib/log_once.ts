import type { Logger } from "./credentials.ts";
import type { Runtime } from "./runtime.ts";

/** The messages that each logger or console has had. Made at the first use. */
let given: WeakMap<object, Set<string>> | undefined;

/** Logs a message, unless this logger had it before: what many providers find out is worth one line. */
export function logOnce(logger: Logger | null | undefined, level: "debug" | "warn", message: string): void {
  if (logger && isFirst(logger, message)) logger[level]?.(message);
}

/** A warning that is seen without a logger, too. A logger that is null turns it off. */
export function warnOnce(logger: Logger | null | undefined, { warn }: Pick<Runtime, "warn">, message: string): void {
  if (logger !== undefined) logOnce(logger, "warn", message);
  else if (isFirst(warn, message)) warn(message);
}

function isFirst(receiver: object, message: string): boolean {
  given ??= new WeakMap();
  const messages = given.get(receiver) ?? new Set();
  given.set(receiver, messages);
  return messages.size < messages.add(message).size;
}
