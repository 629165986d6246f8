import { abortable } from "../abortable.ts";
import { CredentialsProviderError } from "../errors.ts";
import { grantedToken, NO_TOKEN, refusesTokens, tokenAfterUnauthorized, usableToken } from "../policy/token.ts";
import type { TokenState } from "../policy/token.ts";
import type { Runtime } from "../runtime.ts";
import type { ImdsSettings } from "../settings/imds.ts";
import { COMMON_HEADERS, failure, send, type Sent } from "./requester.ts";

/** Leave to send GET requests: with a token (IMDSv2), or without (IMDSv1). */
export interface Permit {
  readonly token: string | undefined;
}

const ACTION = "get an IMDSv2 token";
const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";
const V1: Permit = { token: undefined };

/** Holds the session token of one client: one token request at a time, shared by everyone who needs it. */
export class TokenKeeper {
  readonly #settings: ImdsSettings;
  readonly #runtime: Runtime;
  readonly #warn: (message: string) => void;
  #state: TokenState = NO_TOKEN;
  #flight: Promise<Permit> | undefined;
  #warnedOfTimeout = false;

  constructor(settings: ImdsSettings, runtime: Runtime, warn: (message: string) => void) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#warn = warn;
  }

  /** The held permit, or a new one. A caller that gives up leaves the request to the others. */
  permit(signal: AbortSignal | undefined): Promise<Permit> {
    const token = usableToken(this.#state, this.#runtime.now());
    if (token !== undefined) return Promise.resolve({ token });
    if (this.#state.kind === "refused") return Promise.resolve(V1);
    this.#flight ??= this.#request().finally(() => this.#flight = undefined);
    return abortable(this.#flight, signal);
  }

  /** A permit in place of one that was answered with 401. */
  renew({ token }: Permit, signal: AbortSignal | undefined): Promise<Permit> {
    this.#state = tokenAfterUnauthorized(this.#state, token);
    return this.permit(signal);
  }

  /** @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html} */
  async #request(): Promise<Permit> {
    const { endpoint, tokenTtlSeconds } = this.#settings;
    const headers = { ...COMMON_HEADERS, [TTL_HEADER]: `${tokenTtlSeconds}` };
    const request = { method: "PUT", url: `${endpoint}/latest/api/token`, headers } as const;
    const sent = await send(ACTION, request, this.#settings, this.#runtime, undefined);
    const { outcome } = sent;
    if (outcome.kind !== "answer") return this.#afterSilence(sent);
    if (refusesTokens(outcome.status)) return this.#afterRefusal(sent);
    if (outcome.status !== 200) throw statusError(sent, this.#settings);
    const granted = grantedToken(outcome.body, outcome.headers.get(TTL_HEADER), outcome.sentAt);
    if (granted === undefined) throw unusableToken();
    const { value, refreshAt } = granted;
    this.#state = refreshAt === undefined ? NO_TOKEN : { kind: "held", value, refreshAt };
    return { token: value };
  }

  #afterRefusal(sent: Sent): Permit {
    const { v1DisabledBy } = this.#settings;
    if (v1DisabledBy !== undefined) throw fallbackError(v1DisabledBy, failure(ACTION, sent, this.#settings));
    this.#state = { kind: "refused" };
    return V1;
  }

  #afterSilence(sent: Sent): Permit {
    const error = silenceError(sent, this.#settings);
    if (!this.#settings.v1OnTimeout) throw error;
    if (this.#settings.v1DisabledBy !== undefined) throw fallbackError(this.#settings.v1DisabledBy, error);
    if (!this.#warnedOfTimeout) this.#warn(`${error.message}; using IMDSv1, as ec2MetadataV1Fallback says`);
    this.#warnedOfTimeout = true;
    return V1;
  }
}

function statusError(sent: Sent, settings: ImdsSettings): CredentialsProviderError {
  const error = failure(ACTION, sent, settings);
  if (error.statusCode !== 400) return error;
  const { statusCode, message, hint } = error;
  return new CredentialsProviderError("ImdsTokenError", message, { statusCode, hint });
}

/**
 * `fetch` does not tell a connection that was never made from an answer that never came, so a timeout names both: the
 * answer of IMDS is dropped on its way into a container where the hop limit is 1.
 */
function silenceError(sent: Sent, settings: ImdsSettings): CredentialsProviderError {
  const { message, cause, hint } = failure(ACTION, sent, settings);
  if (sent.outcome.kind !== "timeout") return new CredentialsProviderError("ImdsUnreachable", message, { cause, hint });
  return new CredentialsProviderError("ImdsTokenTimeout", message, {
    cause,
    hint: "In a container on EC2, set the instance's HttpPutResponseHopLimit to 2 or use container credentials; " +
      "off EC2 there is no IMDS, and AWS_EC2_METADATA_DISABLED=true skips it.",
  });
}

function fallbackError(blockedBy: string, cause: CredentialsProviderError): CredentialsProviderError {
  return new CredentialsProviderError(
    "InstanceMetadataV1FallbackError",
    `Cannot use IMDSv1: blocked by ${blockedBy}, and there is no IMDSv2 token`,
    { cause, hint: `Enable IMDSv2 for the instance, or remove ${blockedBy}.` },
  );
}

function unusableToken(): CredentialsProviderError {
  return new CredentialsProviderError("ImdsInvalidResponse", `Cannot ${ACTION}: the answer is not a token`, {
    statusCode: 200,
    hint: "Something other than EC2's metadata service may be answering at this address.",
  });
}
