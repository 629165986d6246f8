/** What is known about the IMDSv2 session token. */
export type TokenState =
  | { readonly kind: "none" }
  | { readonly kind: "held"; readonly value: string; readonly refreshAt: number }
  /** IMDS refuses to issue tokens: use IMDSv1 until a GET returns 401. */
  | { readonly kind: "refused" };

export const NO_TOKEN: TokenState = { kind: "none" };

/** A token as granted; `refreshAt` is missing where IMDS did not say how long it is valid. */
interface GrantedToken {
  readonly value: string;
  readonly refreshAt: number | undefined;
}

const EARLY_REFRESH_MS = 120_000;
const MAX_TTL_SECONDS = 21_600;
const TOKEN_REGEXP = /^[\x21-\x7e]{1,4096}$/;

/**
 * Reads the response to a token request.
 *
 * @param sentAt When the request was sent: the TTL counts from then.
 * @returns `undefined` where the body is no token that could be sent back in a header.
 */
export function grantedToken(body: string, ttlHeader: string | null, sentAt: number): GrantedToken | undefined {
  const value = body.trim();
  if (!TOKEN_REGEXP.test(value)) return undefined;
  const ttlSeconds = /^\d{1,5}$/.test(ttlHeader ?? "") ? Number(ttlHeader) : 0;
  if (ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS) return { value, refreshAt: undefined };
  const ttlMs = ttlSeconds * 1_000;
  return { value, refreshAt: sentAt + ttlMs - Math.min(EARLY_REFRESH_MS, ttlMs / 2) };
}

/** The cached token, if it need not be refreshed yet. */
export function currentToken(state: TokenState, now: number): string | undefined {
  return state.kind === "held" && now < state.refreshAt ? state.value : undefined;
}

/** Whether the status of a token request means that this IMDS has no IMDSv2, so that IMDSv1 is used. */
export function refusesTokens(status: number): boolean {
  return status === 403 || status === 404 || status === 405;
}

/** After a 401: forgets the token that was sent, not a newer one; a 401 to IMDSv1 means that tokens are required now. */
export function tokenAfterUnauthorized(state: TokenState, sent: string | undefined): TokenState {
  const isSent = state.kind === "held" ? state.value === sent : state.kind === "refused" && sent === undefined;
  return isSent ? NO_TOKEN : state;
}
