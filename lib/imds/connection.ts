import { resolveOnce } from "../config/settings.ts";
import type { CredentialsProviderError } from "../errors.ts";
import type { HttpRequest } from "../http/request.ts";
import { HttpClient, isTransientStatus, retryDelayMs, type SendResult } from "../http/retry.ts";
import type { Runtime } from "../runtime.ts";
import { untilAborted } from "../until_aborted.ts";
import { VERSION } from "../version.ts";
import { failure, fallbackError, tokenFailure, unusableToken, v1RejectedError } from "./errors.ts";
import { type ImdsOptions, type ImdsSettings, loadImdsSettings } from "./settings.ts";
import {
  currentToken,
  grantedToken,
  NO_TOKEN,
  refusesTokens,
  tokenAfterUnauthorized,
  type TokenState,
} from "./token.ts";

/** What the requests of one retrieval share: they use the same token, and replace it at most once. */
export interface Retrieval {
  permit?: Permit;
  hasNewToken?: boolean;
}

/** How GET requests are sent: with this token (IMDSv2), or without a token (IMDSv1). */
interface Permit {
  readonly token: string | undefined;
  /** Whether IMDSv1 is used only because the token request got no response. */
  readonly afterNoResponse?: boolean;
}

const HEADERS: Readonly<Record<string, string>> = { "Accept": "*/*", "User-Agent": `rolecreds-aws/${VERSION}` };
const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";
const V1: Permit = { token: undefined };
const V1_AFTER_NO_RESPONSE: Permit = { token: undefined, afterNoResponse: true };

/**
 * Sends the requests of one client or provider to IMDS, and caches its settings and the token that its requests share.
 */
export class ImdsConnection {
  readonly #http: HttpClient;
  readonly #runtime: Runtime;
  readonly #options: ImdsOptions;
  readonly #settings: () => Promise<ImdsSettings>;
  #token: TokenState = NO_TOKEN;
  #pendingToken: Promise<Permit> | undefined;
  #hasWarned = false;

  constructor(options: ImdsOptions, runtime: Runtime) {
    this.#http = new HttpClient({ ...runtime, send: runtime.fetchDirect });
    this.#runtime = runtime;
    this.#options = options;
    this.#settings = resolveOnce(() => loadImdsSettings(options, runtime));
  }

  /** The settings, resolved at the first call. */
  settings(): Promise<ImdsSettings> {
    return this.#settings();
  }

  /**
   * Reads one metadata item.
   *
   * @throws {CredentialsProviderError} As {@linkcode ImdsClient.get} says; with `statusCode` 404 where there is no such
   * item.
   */
  async get(path: string, retrieval: Retrieval, signal: AbortSignal | undefined): Promise<string> {
    signal?.throwIfAborted();
    const settings = await this.#settings();
    const permit = retrieval.permit ??= await this.#permit(settings, signal);
    let sent = await this.#read(path, permit, settings, signal);
    // 401: the token was revoked, or IMDSv1 is disabled by now. A new token is requested, once in a retrieval.
    if (isUnauthorized(sent) && retrieval.hasNewToken !== true) {
      if (permit.afterNoResponse) throw v1RejectedError();
      retrieval.hasNewToken = true;
      this.#token = tokenAfterUnauthorized(this.#token, permit.token);
      retrieval.permit = await this.#permit(settings, signal);
      if (retrieval.permit.token !== undefined) sent = await this.#read(path, retrieval.permit, settings, signal);
    }
    const { outcome } = sent;
    if (outcome.kind === "response" && outcome.status === 200) return outcome.body;
    throw failure(`read ${path}`, sent, settings);
  }

  #read(path: string, { token }: Permit, settings: ImdsSettings, signal: AbortSignal | undefined): Promise<SendResult> {
    const headers = token === undefined ? HEADERS : { ...HEADERS, "X-aws-ec2-metadata-token": token };
    return this.#send(`read ${path}`, { method: "GET", url: settings.endpoint + path, headers }, settings, signal);
  }

  /** The current permit, or a new one. If a caller aborts, a pending token request continues for the other callers. */
  #permit(settings: ImdsSettings, signal: AbortSignal | undefined): Promise<Permit> {
    const token = currentToken(this.#token, this.#runtime.now());
    if (token !== undefined) return Promise.resolve({ token });
    if (this.#token.kind === "refused") return Promise.resolve(V1);
    this.#pendingToken ??= this.#requestToken(settings).finally(() => this.#pendingToken = undefined);
    return untilAborted(this.#pendingToken, signal);
  }

  /** @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html} */
  async #requestToken(settings: ImdsSettings): Promise<Permit> {
    const headers = { ...HEADERS, [TTL_HEADER]: `${settings.tokenTtlSeconds}` };
    const request = { method: "PUT", url: `${settings.endpoint}/latest/api/token`, headers } as const;
    const sent = await this.#send("get an IMDSv2 token", request, settings, undefined);
    const { outcome } = sent;
    if (outcome.kind === "timeout" || outcome.kind === "unreachable") return this.#afterNoResponse(sent, settings);
    if (outcome.kind !== "response") throw tokenFailure(sent, settings);
    if (refusesTokens(outcome.status)) return this.#afterRefusal(sent, settings);
    if (outcome.status !== 200) throw tokenFailure(sent, settings);
    const granted = grantedToken(outcome.body, outcome.headers.get(TTL_HEADER), outcome.sentAt);
    if (granted === undefined) throw unusableToken();
    const { value, refreshAt } = granted;
    this.#token = refreshAt === undefined ? NO_TOKEN : { kind: "cached", value, refreshAt };
    return { token: value };
  }

  #afterRefusal(sent: SendResult, settings: ImdsSettings): Permit {
    this.#allowV1(tokenFailure(sent, settings), settings, "using IMDSv1");
    this.#token = { kind: "refused" };
    return V1;
  }

  #afterNoResponse(sent: SendResult, settings: ImdsSettings): Permit {
    const error = tokenFailure(sent, settings);
    if (!settings.v1OnTimeout) throw error;
    this.#allowV1(error, settings, 'using IMDSv1, because ec2MetadataV1Fallback is "always"');
    return V1_AFTER_NO_RESPONSE;
  }

  /**
   * Throws if a setting forbids IMDSv1. Otherwise warns once: with IMDSv1, another party that can make this machine send
   * a request may get the credentials.
   */
  #allowV1(error: CredentialsProviderError, { v1DisabledBy }: ImdsSettings, consequence: string): void {
    if (v1DisabledBy !== undefined) throw fallbackError(v1DisabledBy, error);
    if (!this.#hasWarned) this.#options.logger?.warn?.(`${error.message}; ${consequence}`);
    this.#hasWarned = true;
  }

  #send(
    action: string,
    request: HttpRequest,
    settings: ImdsSettings,
    signal: AbortSignal | undefined,
  ): Promise<SendResult> {
    return this.#http.send(request, {
      limits: settings,
      signal,
      nextDelayMs: (outcome, retries) => {
        if (outcome.kind === "notSent" || outcome.kind === "invalidBody") return undefined;
        if (outcome.kind === "response" && !isTransientStatus(outcome.status)) return undefined;
        const retryAfter = outcome.kind === "response" ? outcome.headers.get("retry-after") : null;
        const error = () => failure(action, { outcome, attempts: retries + 1 }, settings);
        return retryDelayMs(retries, retryAfter, this.#runtime.random(), settings.retry, error);
      },
    });
  }
}

function isUnauthorized({ outcome }: SendResult): boolean {
  return outcome.kind === "response" && outcome.status === 401;
}
