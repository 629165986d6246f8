import type { Credentials, Logger } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable, printableMessage } from "../printable.ts";
import type { Runtime } from "../runtime.ts";

/**
 * What happened in a {@linkcode CredentialsCache}. No field but `error` can hold a secret. Control characters in
 * `source` and `accessKeyId` are replaced, and long values are cut.
 */
export type CacheEvent =
  | {
    /** New credentials are cached. Not reported when the source returned the same ones again. */
    readonly type: "retrieved";
    readonly source: string;
    readonly accessKeyId: string;
    readonly expiration: Date | undefined;
    /** Whether they were expired when they arrived. They are served, because AWS may still accept them. */
    readonly expired: boolean;
    /** The earliest time of the next retrieval; `undefined` for credentials that do not expire. */
    readonly nextAttempt: Date | undefined;
  }
  | {
    /** Expired credentials were served: their source is unavailable, or it returned expired ones. */
    readonly type: "servedStale";
    readonly source: string;
    readonly expiration: Date;
  }
  | {
    /** A retrieval failed. */
    readonly type: "refreshFailed";
    /** The source of the cached credentials; `undefined` while none are cached. */
    readonly source: string | undefined;
    /** What was thrown. If it is not an error of this library, its message may hold secrets; it is not logged. */
    readonly error: unknown;
    /** Whether callers get the cached credentials; else they get the error. */
    readonly serving: boolean;
    /** Whether callers get expired credentials; false if they get the error. */
    readonly expired: boolean;
    /** The earliest time of the next retrieval; `undefined` if only a call with `forceRefresh` retrieves again. */
    readonly nextAttempt: Date | undefined;
  }
  | {
    /** Cached credentials were reported as rejected by AWS. */
    readonly type: "invalidated";
    readonly source: string;
    readonly accessKeyId: string;
  }
  | {
    /**
     * For a source with static stability: after failed refreshes of cached credentials, the first one that returned
     * credentials that are not expired.
     */
    readonly type: "recovered";
    readonly source: string;
    /** How many refreshes failed with a recoverable error since the last success. */
    readonly failures: number;
  };

/** The source and the access key id of credentials, made printable for events and log lines. */
export function namesOf({ source, accessKeyId }: Credentials): { source: string; accessKeyId: string } {
  return { source: printable(source), accessKeyId: printable(accessKeyId) };
}

interface LogLine {
  readonly level: "debug" | "info" | "warn";
  readonly message: string;
}

/** The log line of an event, with the next attempt in seconds from `now`; `undefined` if the event is not logged. */
function logLine(event: CacheEvent, now: number): LogLine | undefined {
  switch (event.type) {
    case "retrieved":
      if (!event.expired) return { level: "debug", message: `Retrieved ${event.accessKeyId} from ${event.source}` };
      return {
        level: "warn",
        message: `Serving credentials from ${event.source} that were expired when they arrived: the source has an ` +
          `outage, or the clock of this machine is wrong; next attempt ${timeUntil(event.nextAttempt, now)}`,
      };
    case "refreshFailed":
      if (!event.serving) return undefined; // the caller gets the error
      return {
        level: "warn",
        message:
          `Cannot refresh credentials from ${event.source}: ${describe(event.error)}; serving the cached ones, ` +
          `${event.expired ? "already expired" : "still valid"}; next attempt ${timeUntil(event.nextAttempt, now)}`,
      };
    case "recovered":
      return {
        level: "info",
        message: `Refreshed credentials from ${event.source}; failed refreshes before: ${event.failures}`,
      };
    case "invalidated":
      return { level: "debug", message: `AWS rejected ${event.accessKeyId} from ${event.source}` };
    case "servedStale":
      return undefined; // one line for each call would hide the warning of the failed refresh
  }
}

function timeUntil(date: Date | undefined, now: number): string {
  if (date === undefined) return "when a caller sets forceRefresh";
  const ms = date.getTime() - now;
  return ms <= 0 ? "at the next call" : `in ${Math.ceil(ms / 1_000)} s`;
}

/** Only the name of an error that is not from this library: its message may quote a command or what it printed. */
function describe(error: unknown): string {
  if (error instanceof CredentialsProviderError) return printableMessage(`${error.code}: ${error.message}`);
  return error instanceof Error ? printable(error.name) : "an unknown error";
}

/** Passes events to `onEvent` and their log lines to the logger. Errors of either are ignored. */
export class Reporter {
  readonly #onEvent: ((event: CacheEvent) => void) | undefined;
  readonly #logger: Logger | null | undefined;
  readonly #runtime: Pick<Runtime, "now" | "warn">;
  #isReportingStale = false;

  constructor(
    onEvent: ((event: CacheEvent) => void) | undefined,
    logger: Logger | null | undefined,
    runtime: Pick<Runtime, "now" | "warn">,
  ) {
    this.#onEvent = onEvent;
    this.#logger = logger;
    this.#runtime = runtime;
  }

  /**
   * Reports an event.
   *
   * @param printsWarnings Whether warnings are printed if there is no logger. True for a source with static stability:
   * callers do not get its recoverable errors while credentials are cached.
   */
  report(event: CacheEvent, printsWarnings: boolean): void {
    this.#notify(event);
    const line = logLine(event, this.#runtime.now());
    if (line === undefined) return;
    const isPrinted = printsWarnings && line.level === "warn" && this.#logger === undefined;
    ignoringErrors(() => isPrinted ? this.#runtime.warn(line.message) : this.#logger?.[line.level]?.(line.message));
  }

  /**
   * `onEvent` may call the cache. While it handles a `servedStale`, no other `servedStale` is reported: it could call
   * again, without end.
   */
  #notify(event: CacheEvent): void {
    const isStale = event.type === "servedStale";
    if (isStale && this.#isReportingStale) return;
    this.#isReportingStale ||= isStale;
    ignoringErrors(() => this.#onEvent?.(event));
    if (isStale) this.#isReportingStale = false;
  }
}

/** Calls a function of the program, which may be async. Its errors must not fail a call for credentials. */
function ignoringErrors(call: () => unknown): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(() => {/* ignored, see above */});
  } catch { /* ignored, see above */ }
}
