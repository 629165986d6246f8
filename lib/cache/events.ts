import type { Credentials, Logger } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable, printableMessage } from "../printable.ts";
import type { Runtime } from "../runtime.ts";

/**
 * What happened in a {@linkcode CredentialsCache}. No field except `error` can hold a secret. `source` and
 * `accessKeyId` are made printable, see {@linkcode printable}.
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
    /** What was thrown. The message of an error that is not from this library may quote anything; it is not logged. */
    readonly error: unknown;
    /** Whether callers get the cached credentials; else they get the error. */
    readonly serving: boolean;
    /** Whether the credentials that are served are expired; false if none are served. */
    readonly expired: boolean;
    /** The earliest time of the next retrieval; `undefined` if only `forceRefresh` retrieves again. */
    readonly nextAttempt: Date | undefined;
  }
  | {
    /** Cached credentials were reported as rejected by AWS. */
    readonly type: "invalidated";
    readonly source: string;
    readonly accessKeyId: string;
  }
  | {
    /** The first refresh with credentials that are not expired, after failed ones. */
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

/** The log line of an event; times are given in seconds from `now`. `undefined` if nothing is logged. */
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
      if (!event.serving) return undefined;
      return {
        level: "warn",
        message:
          `Cannot refresh credentials from ${event.source}: ${describe(event.error)}; serving the cached ones, ` +
          `${event.expired ? "already expired" : "still valid"}; next attempt ${timeUntil(event.nextAttempt, now)}`,
      };
    case "recovered":
      return {
        level: "info",
        message: `Refreshed credentials from ${event.source} after ${event.failures} failed ${
          event.failures === 1 ? "attempt" : "attempts"
        }`,
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

/**
 * Only the name of an error that is not from this library: the message may quote a command or the output of a command.
 */
function describe(error: unknown): string {
  if (error instanceof CredentialsProviderError) return printableMessage(`${error.code}: ${error.message}`);
  return error instanceof Error ? printable(error.name) : "an unknown error";
}

/** Passes events to `onEvent` and log lines to the logger. Their errors are ignored. */
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
   * @param isVital Whether warnings are printed if there is no logger. True for sources with static stability: their
   * errors reach no caller.
   */
  report(event: CacheEvent, isVital: boolean): void {
    this.#notify(event);
    const line = logLine(event, this.#runtime.now());
    if (line === undefined) return;
    const printsWarning = isVital && line.level === "warn" && this.#logger === undefined;
    ignoringErrors(() => printsWarning ? this.#runtime.warn(line.message) : this.#logger?.[line.level]?.(line.message));
  }

  /**
   * `onEvent` may call the cache. A `servedStale` event of that call is not reported: it would start an endless loop.
   */
  #notify(event: CacheEvent): void {
    const isStale = event.type === "servedStale";
    if (isStale && this.#isReportingStale) return;
    this.#isReportingStale ||= isStale;
    ignoringErrors(() => this.#onEvent?.(event));
    if (isStale) this.#isReportingStale = false;
  }
}

/** Calls a function of the caller. Its errors are ignored, also those of an async function. */
function ignoringErrors(call: () => unknown): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(() => {/* an error of onEvent or the logger must not fail a call */});
  } catch { /* an error of onEvent or the logger must not fail a call */ }
}
