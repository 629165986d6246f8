import type { Logger } from "./credentials.ts";
import type { Runtime } from "./runtime.ts";

/** The messages that were logged. The key is the logger, or the `warn` of a runtime. Created at the first use. */
let logged: WeakMap<object, Set<string>> | undefined;

/** Logs a message once for each logger: several providers may log the same message. */
export function logOnce(logger: Logger | null | undefined, level: "debug" | "warn", message: string): void {
  if (logger && remember(logger, message)) logger[level]?.(message);
}

/** Warns once: through the logger, or through the runtime if no logger is given. `logger: null` turns it off. */
export function warnOnce(logger: Logger | null | undefined, { warn }: Pick<Runtime, "warn">, message: string): void {
  if (logger !== undefined) logOnce(logger, "warn", message);
  else if (remember(warn, message)) warn(message);
}

/** Whether this is the first call with this message. */
function remember(receiver: object, message: string): boolean {
  logged ??= new WeakMap();
  const messages = logged.get(receiver) ?? new Set();
  logged.set(receiver, messages);
  if (messages.has(message)) return false;
  messages.add(message);
  return true;
}
