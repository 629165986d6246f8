import type { Logger } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** What happened in a {@linkcode CredentialsCache}. No event holds credentials. */
export type CacheEvent =
  | {
    /** New credentials are held. A source that returned the same ones again is not reported. */
    readonly type: "retrieved";
    readonly source: string;
    readonly accessKeyId: string;
    readonly expiration: Date | undefined;
    /** They were past their expiration on arrival, and are used because the service may still accept them. */
    readonly expired: boolean;
    /** From then on a call asks again; `undefined` for credentials without an end. */
    readonly nextAttempt: Date | undefined;
  }
  | {
    /** Credentials past their expiration were handed out, because their source is away. */
    readonly type: "servedStale";
    readonly source: string;
    readonly expiration: Date;
  }
  | {
    /** A retrieval failed. */
    readonly type: "refreshFailed";
    /** The source of the held credentials; `undefined` when none are held, and the caller got the error. */
    readonly source: string | undefined;
    /** What was thrown. The text of a foreign provider's error may quote anything; it is not logged. */
    readonly error: unknown;
    /** Whether callers go on with the held credentials. */
    readonly serving: boolean;
    /** Whether the held credentials are past their expiration. */
    readonly expired: boolean;
    /** From then on a call asks again. */
    readonly nextAttempt: Date | undefined;
  }
  | {
    /** Held credentials were reported as refused by AWS. */
    readonly type: "invalidated";
    readonly source: string;
    readonly accessKeyId: string;
  }
  | {
    /** The first success after failed refreshes. */
    readonly type: "recovered";
    readonly source: string;
    /** How many refreshes failed in a row. */
    readonly failures: number;
  };

interface LogLine {
  readonly level: "debug" | "info" | "warn";
  readonly message: string;
}

/** The log line of an event, counting seconds from `now`; `undefined` for what the caller sees anyway. */
function logLine(event: CacheEvent, now: number): LogLine | undefined {
  switch (event.type) {
    case "retrieved":
      if (!event.expired) return { level: "debug", message: `Retrieved ${event.accessKeyId} from ${event.source}` };
      return {
        level: "warn",
        message:
          `Credentials from ${event.source} arrived expired and are used all the same: the source has an outage ` +
          `or this clock is wrong; next attempt ${timeUntil(event.nextAttempt, now)}`,
      };
    case "refreshFailed":
      if (!event.serving) return undefined;
      return {
        level: "warn",
        message: `Cannot refresh credentials from ${event.source}: ${describe(event.error)}; the held ones, ` +
          `${event.expired ? "already expired" : "still valid"}, stay in use, next attempt ` +
          timeUntil(event.nextAttempt, now),
      };
    case "recovered":
      return { level: "info", message: `Refreshed credentials from ${event.source}, failed before: ${event.failures}` };
    case "invalidated":
      return { level: "debug", message: `AWS refused ${event.accessKeyId} from ${event.source}` };
    case "servedStale":
      return undefined; // one line for each call would bury the warning that says it
  }
}

function timeUntil(moment: Date | undefined, now: number): string {
  const ms = (moment?.getTime() ?? now) - now;
  return ms <= 0 ? "at the next call" : `in ${Math.ceil(ms / 1_000)} s`;
}

/** Code and message of our own errors; of foreign ones only the kind, for their text may quote a command or its output. */
function describe(error: unknown): string {
  if (error instanceof CredentialsProviderError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.name : "an unknown error";
}

/** Tells an observer and a log what happened. Neither can cost a caller its credentials by failing. */
export class Reporter {
  readonly #onEvent: ((event: CacheEvent) => void) | undefined;
  readonly #logger: Logger | null | undefined;
  readonly #runtime: Pick<Runtime, "now" | "warn">;

  constructor(
    { onEvent, logger }: { onEvent?: (event: CacheEvent) => void; logger?: Logger | null },
    runtime: Pick<Runtime, "now" | "warn">,
  ) {
    this.#onEvent = onEvent;
    this.#logger = logger;
    this.#runtime = runtime;
  }

  /**
   * @param isVital Shows a warning also without a logger, for static stability that fails in silence ends as an outage.
   */
  report(event: CacheEvent, isVital = false): void {
    attempt(() => this.#onEvent?.(event));
    const line = logLine(event, this.#runtime.now());
    if (line === undefined) return;
    const isUnheard = isVital && line.level === "warn" && this.#logger === undefined;
    attempt(() => isUnheard ? this.#runtime.warn(line.message) : this.#logger?.[line.level]?.(line.message));
  }
}

/** Drops what an observer throws, or rejects with if it is an async function. */
function attempt(observe: () => unknown): void {
  try {
    const result = observe();
    if (result instanceof Promise) result.catch(() => {/* the observer failed, the cache did not */});
  } catch { /* the observer failed, the cache did not */ }
}
