/** The token is refreshed if it expires within this time. */
const REFRESH_WINDOW_MS = 300_000;
/** The minimum time between the starts of two refreshes while the token is valid. */
const MIN_PAUSE_MS = 30_000;

/** What is known about a signed-in session; times in epoch milliseconds. */
interface SessionState {
  readonly expiresAt: number;
  /** Whether all that a refresh needs is there and not expired. */
  readonly canRefresh: boolean;
  /** When the last refresh of this session started. */
  readonly lastRefreshAt: number | undefined;
  /** Whether to refresh also if the token does not expire soon: the caller set `forceRefresh`. */
  readonly isForced: boolean;
}

/**
 * `use`: the current token. `refresh`: the new token, or the current one if the refresh fails and it is still valid.
 * `fail`: an error, and nothing is sent.
 */
type SessionAction = "use" | "refresh" | "fail";

/** What to do with the token of a session. */
export function nextSessionAction(state: SessionState, now: number): SessionAction {
  const { expiresAt, canRefresh, lastRefreshAt, isForced } = state;
  if (!isForced && expiresAt - now > REFRESH_WINDOW_MS) return "use";
  if (now >= expiresAt) return canRefresh ? "refresh" : "fail";
  return canRefresh && !isRecent(lastRefreshAt, now) ? "refresh" : "use";
}

/** Whether a time is less than the minimum pause ago. A time in the future is not: the clock was set back after it. */
function isRecent(at: number | undefined, now: number): boolean {
  return at !== undefined && at <= now && now - at < MIN_PAUSE_MS;
}
