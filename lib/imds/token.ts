/** What is known about the IMDSv2 session token. */
export type TokenState =
  | { readonly kind: "none" }
  | { readonly kind: "cached"; readonly value: string; readonly refreshAt: number }
  /** IMDS refuses to issue tokens: use IMDSv1 until a GET returns 401. */
  | { readonly kind: "refused" };

export const NO_TOKEN: TokenState = { kind: "none" };

/**
 * A token that IMDS issued. `refreshAt` is `undefined` if its lifetime is unknown or not 1 to 21600 seconds: then it is
 * used once.
 */
interface GrantedToken {
  readonly value: string;
  readonly refreshAt: number | undefined;
}

const EARLY_REFRESH_MS = 120_000;
const MAX_TTL_SECONDS = 21_600;
const TOKEN_REGEXP = /^[\x21-\x7e]{1,4096}$/;

/**
 * Parses the response to a token request.
 *
 * @param sentAt When the request was sent: the TTL counts from then.
 * @returns `undefined` where the body is not a token that a header can carry.
 */
export function grantedToken(body: string, ttlHeader: string | null, sentAt: number): GrantedToken | undefined {
  const value = body.trim();
  if (!TOKEN_REGEXP.test(value)) return undefined;
  const ttlSeconds = /^\d{1,5}$/.test(ttlHeader ?? "") ? Number(ttlHeader) : 0;
  if (ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS) return { value, refreshAt: undefined };
  const ttlMs = ttlSeconds * 1_000;
  return { value, refreshAt: sentAt + ttlMs - Math.min(EARLY_REFRESH_MS, ttlMs / 2) };
}

/** The cached token, if it does not have to be refreshed yet. */
export function currentToken(state: TokenState, now: number): string | undefined {
  return state.kind === "cached" && now < state.refreshAt ? state.value : undefined;
}

/** Whether the status of a token request means that tokens are not supported here, so that IMDSv1 is used. */
export function refusesTokens(status: number): boolean {
  return status === 403 || status === 404 || status === 405;
}

/**
 * The state after a 401. The token that was sent is dropped, a newer one is kept. After a 401 without a token, tokens
 * are requested again.
 */
export function tokenAfterUnauthorized(state: TokenState, sent: string | undefined): TokenState {
  const cached = state.kind === "cached" ? state.value : undefined;
  return cached === sent ? NO_TOKEN : state;
}
