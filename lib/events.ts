import type { Logger } from "./credentials.ts";
import type { Runtime } from "./runtime.ts";

/** What happened in a {@linkcode CredentialsCache}. No event holds a secret. */
export type CacheEvent =
  | {
    /** New credentials are held. */
    readonly type: "retrieved";
    readonly source: string;
    readonly accessKeyId: string;
    readonly expiration: Date | undefined;
    /** They were past their expiration on arrival, and are used because the service may still accept them. */
    readonly expired: boolean;
    /** When they will be asked for again, where they arrived expired. */
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
    readonly error: unknown;
    /** Whether callers go on with the held credentials. */
    readonly serving: boolean;
    /** Whether the held credentials are past their expiration. */
    readonly expired: boolean;
    /** Before this nobody asks again; `undefined` if the next call does. */
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
    readonly failures: number;
  };

/** One line for the log; `undefined` for what a caller learns anyway. */
interface LogLine {
  readonly level: Exclude<keyof Logger, "trace" | "error">;
  readonly message: string;
}

/** The log line of an event, counting seconds from `now`. */
export function logLine(event: CacheEvent, now: number): LogLine | undefined {
  const inSeconds = (date: Date | undefined) =>
    date === undefined ? "at the next call" : `in ${Math.floor((date.getTime() - now) / 1_000)} s`;
  switch (event.type) {
    case "retrieved":
      return event.expired
        ? {
          level: "warn",
          message: `Credentials from ${event.source} arrived expired and are used all the same: either the source ` +
            `has an outage or this clock is wrong; next attempt ${inSeconds(event.nextAttempt)}`,
        }
        : { level: "debug", message: `Retrieved credentials ${event.accessKeyId} from ${event.source}` };
    case "refreshFailed":
      return event.serving
        ? {
          level: "warn",
          message: `Cannot refresh credentials from ${event.source}: ${describe(event.error)}; the held ones, ` +
            `${event.expired ? "already expired" : "still valid"}, stay in use, next attempt ${
              inSeconds(event.nextAttempt)
            }`,
        }
        : undefined;
    case "recovered":
      return {
        level: "info",
        message: `Refreshed credentials from ${event.source} after ${event.failures} failed attempts`,
      };
    case "invalidated":
      return { level: "debug", message: `Credentials ${event.accessKeyId} from ${event.source} were refused by AWS` };
    case "servedStale":
      return { level: "debug", message: `Served expired credentials from ${event.source}` };
  }
}

/** Code and message of our own errors; of foreign ones only the kind, for their text is not ours to trust. */
function describe(error: unknown): string {
  const { code, name, message } = (error ?? {}) as { code?: unknown; name?: unknown; message?: unknown };
  if (typeof (error as { tryNextLink?: unknown } | null)?.tryNextLink === "boolean") return `${code}: ${message}`;
  return typeof name === "string" ? name : "an unknown error";
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

  /** Without a logger only warnings are shown, for a refresh that fails in silence ends as an outage. */
  report(event: CacheEvent): void {
    try {
      this.#onEvent?.(event);
      const line = logLine(event, this.#runtime.now());
      if (line === undefined) return;
      if (this.#logger === undefined && line.level === "warn") this.#runtime.warn(line.message);
      this.#logger?.[line.level]?.(line.message);
    } catch { /* the observer failed, the cache did not */ }
  }
}
