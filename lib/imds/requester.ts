import { CredentialsProviderError } from "../errors.ts";
import { isBusy, retryDelayMs } from "../policy/retry.ts";
import type { Runtime } from "../runtime.ts";
import type { ImdsSettings } from "../settings/imds.ts";
import { VERSION } from "../version.ts";
import { exchange, type Outcome, type WireRequest } from "./exchange.ts";

/** What {@linkcode send} needs of the world. */
export type RequestRuntime = Pick<Runtime, "fetch" | "now" | "timeout" | "sleep" | "random">;

/** Sent with every request, to find the library in traces. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "Accept": "*/*",
  "User-Agent": `rolecreds-aws/${VERSION}`,
};

/** The last outcome of a request, and how often it was sent. */
export interface Sent {
  readonly outcome: Outcome;
  readonly attempts: number;
}

/** Sends a request until it gets an answer that is not "busy", or the policy gives up. */
export async function send(
  action: string,
  request: WireRequest,
  settings: ImdsSettings,
  runtime: RequestRuntime,
  signal: AbortSignal | undefined,
): Promise<Sent> {
  for (let retries = 0;; retries++) {
    const outcome = await exchange(request, settings, runtime, signal);
    const sent = { outcome, attempts: retries + 1 };
    if (outcome.kind === "answer" && !isBusy(outcome.status)) return sent;
    const retryAfter = outcome.kind === "answer" ? outcome.headers.get("retry-after") : null;
    const error = failure(action, sent, settings);
    const delayMs = retryDelayMs(retries, error, retryAfter, runtime.random(), settings.retry);
    if (delayMs === undefined) return sent;
    await runtime.sleep(delayMs, signal);
  }
}

/** The error for an outcome that is of no use: what was tried, what came back, what to do. */
export function failure(action: string, { outcome, attempts }: Sent, settings: ImdsSettings): CredentialsProviderError {
  const tries = attempts === 1 ? "" : ` (${attempts} attempts)`;
  if (outcome.kind === "answer") {
    const { status } = outcome;
    return new CredentialsProviderError("ImdsHttpError", `Cannot ${action}: IMDS returned ${status}${tries}`, {
      statusCode: status,
      tryNextLink: status === 403,
      hint: statusHint(status),
    });
  }
  const state = outcome.kind === "timeout"
    ? `no complete answer within ${settings.timeoutMs} ms`
    : "the connection failed";
  const where = new URL(settings.endpoint).host;
  return new CredentialsProviderError("ImdsUnreachable", `Cannot ${action}: ${state} at ${where}${tries}`, {
    cause: outcome.cause,
    hint: "On EC2, check that the metadata service is enabled for the instance; elsewhere there is none, " +
      "and AWS_EC2_METADATA_DISABLED=true skips it.",
  });
}

function statusHint(status: number): string {
  if (isBusy(status)) return BUSY_HINT;
  return STATUS_HINTS[status] ?? (status >= 300 && status <= 399 ? REDIRECT_HINT : STRANGER_HINT);
}

const STRANGER_HINT = "Something other than EC2's metadata service may be answering at this address.";
const BUSY_HINT =
  "IMDS is busy, and limits requests per instance: let programs share credentials, or raise maxRetries.";
const REDIRECT_HINT = "EC2 never redirects: a proxy or captive portal may be answering, and it is not followed.";
const STATUS_HINTS: Readonly<Record<number, string>> = {
  401: "IMDS does not accept the token it just issued: another instance or a proxy may be answering.",
  403: "The metadata service is switched off for this instance (HttpEndpoint), or a filter blocks this path.",
  404: "The path does not exist on this instance.",
};
