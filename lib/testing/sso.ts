import { parseJsonObject } from "../json_object.ts";
import { isoSeconds } from "../timestamp.ts";
import { type EmulatedRequest, Emulator, type EmulatorOptions, type ReceivedRequest } from "./emulator.ts";
import { type EmulatedResponse, jsonResponse } from "./response.ts";

/** Options of {@linkcode SsoEmulator}. */
export interface SsoEmulatorOptions extends EmulatorOptions {
  /** The names of the roles that the user may get, by account id. @default {{ "123456789012": ["Developer"] }} */
  readonly roles?: Readonly<Record<string, readonly string[]>>;
  /** The lifetime of access tokens, in seconds. @default {28800} */
  readonly tokenLifetimeSeconds?: number;
  /** The lifetime of role credentials, in seconds. @default {3600} */
  readonly roleLifetimeSeconds?: number;
  /**
   * The lifetime of sessions, in seconds; afterwards their refresh tokens are refused.
   * @default {7776000}
   */
  readonly sessionLifetimeSeconds?: number;
  /**
   * What a refresh does to its refresh token: `replace` issues a new one in its place, `reuse` issues a new one and
   * keeps the old one valid, `last` issues none.
   * @default {"replace"}
   */
  readonly refreshTokens?: "replace" | "reuse" | "last";
}

/**
 * The steps that faults can be limited to: the refresh of a token, the request for role credentials, and all others.
 */
export type SsoStep = "token" | "role" | "other";

/** A session of a user. */
interface SsoSession {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly expiresAt: number;
}

const DEFAULT_ROLES: Readonly<Record<string, readonly string[]>> = { "123456789012": ["Developer"] };
const STEPS: Readonly<Record<string, SsoStep>> = { "/token": "token", "/federation/credentials": "role" };
const REGISTRATION_LIFETIME_MS = 90 * 86_400_000;

/**
 * The two services behind `aws sso login`: the OIDC service, which refreshes access tokens, and the portal, which
 * returns role credentials for an access token. They refuse what the real services refuse: signed requests, unknown
 * clients, tokens that were revoked or have expired, roles that are not assigned.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html}
 * @see {@link https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html}
 * @example Usage
 * ```ts
 * import { SsoProvider } from "@rolecreds/aws";
 * import { SsoEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new SsoEmulator({ roles: { "123456789012": ["Developer"] } });
 * const tokenFile = emulator.login(); // what `aws sso login` writes into ~/.aws/sso/cache
 * const provider = new SsoProvider({
 *   ssoStartUrl: "https://d-1234567890.awsapps.com/start",
 *   ssoRegion: "us-east-1",
 *   ssoAccountId: "123456789012",
 *   ssoRoleName: "Developer",
 *   homeDirectory: "/home/me",
 *   sharedConfig: {},
 *   runtime: { fetch: emulator.fetch, readTextFile: () => Promise.resolve(tokenFile) },
 * });
 * assertEquals((await provider.retrieve()).accountId, "123456789012");
 * ```
 */
export class SsoEmulator extends Emulator<SsoStep> {
  readonly #options: SsoEmulatorOptions;
  /** When each access token expires, in epoch milliseconds. */
  readonly #accessTokens = new Map<string, number>();
  readonly #refreshTokens = new Map<string, SsoSession>();

  /**
   * Creates the two services.
   *
   * @param options See {@linkcode SsoEmulatorOptions}.
   */
  constructor(options: SsoEmulatorOptions = {}) {
    super("SSO", options);
    this.#options = options;
  }

  /** Starts a session as `aws sso login` does; returns the text of its token file. */
  login(): string {
    const now = this.now();
    const serial = this.nextSerial();
    const session: SsoSession = {
      clientId: `emulated-sso-client-${serial}`,
      clientSecret: `emulated-sso-client-secret-${serial}`,
      expiresAt: now + (this.#options.sessionLifetimeSeconds ?? 7_776_000) * 1_000,
    };
    const { accessToken, expiresIn, refreshToken } = this.#issueToken(session, true);
    return JSON.stringify({
      startUrl: "https://d-1234567890.awsapps.com/start",
      region: "us-east-1",
      accessToken,
      expiresAt: isoSeconds(now + expiresIn * 1_000),
      clientId: session.clientId,
      clientSecret: session.clientSecret,
      registrationExpiresAt: isoSeconds(now + REGISTRATION_LIFETIME_MS),
      refreshToken,
    });
  }

  /**
   * Revokes all access tokens; with `sessions` also all refresh tokens, as an administrator can do.
   */
  revoke({ sessions = false }: { readonly sessions?: boolean } = {}): void {
    this.#accessTokens.clear();
    if (sessions) this.#refreshTokens.clear();
  }

  /** Returns the step of the protocol to which a request belongs. */
  protected override stepOf({ path }: ReceivedRequest): SsoStep {
    return STEPS[path] ?? "other";
  }

  /** Responds as the service does. */
  protected override respond(request: EmulatedRequest): EmulatedResponse {
    if (request.headers["authorization"] !== undefined) {
      return failure(400, "InvalidRequestException", "The request must not be signed");
    }
    if (request.step === "token" && request.method === "POST") return this.#createToken(request);
    if (request.step === "role" && request.method === "GET") return this.#roleCredentials(request);
    return failure(404, "UnknownOperationException", "There is no such operation");
  }

  #createToken({ headers, body }: EmulatedRequest): EmulatedResponse {
    const fields = headers["content-type"] === "application/json" ? parseStrings(body) : undefined;
    const { clientId, clientSecret, grantType, refreshToken, ...others } = fields ?? {};
    if (refreshToken === undefined || Object.keys(others).length > 0) {
      return oauthFailure(400, "InvalidRequestException", "invalid_request");
    }
    if (grantType !== "refresh_token") {
      return oauthFailure(400, "UnsupportedGrantTypeException", "unsupported_grant_type");
    }
    const session = this.#refreshTokens.get(refreshToken);
    if (session === undefined) return oauthFailure(400, "InvalidGrantException", "invalid_grant");
    if (clientId !== session.clientId || clientSecret !== session.clientSecret) {
      return oauthFailure(401, "InvalidClientException", "invalid_client");
    }
    if (this.now() >= session.expiresAt) return oauthFailure(400, "ExpiredTokenException", "expired_token");
    const { refreshTokens = "replace" } = this.#options;
    if (refreshTokens !== "reuse") this.#refreshTokens.delete(refreshToken);
    return jsonResponse(this.#issueToken(session, refreshTokens !== "last"));
  }

  #roleCredentials({ url, headers }: EmulatedRequest): EmulatedResponse {
    const expiresAt = this.#accessTokens.get(headers["x-amz-sso_bearer_token"] ?? "") ?? -Infinity;
    if (this.now() >= expiresAt) {
      return failure(401, "UnauthorizedException", "Session token not found or invalid");
    }
    const { searchParams } = new URL(url);
    const [account, role] = [searchParams.get("account_id"), searchParams.get("role_name")];
    if (!account || !role) return failure(400, "InvalidRequestException", "The account and the role are required");
    const { roles = DEFAULT_ROLES, roleLifetimeSeconds = 3_600 } = this.#options;
    if (roles[account]?.includes(role) !== true) return failure(403, "ForbiddenException", "No access");
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt: expiration } = this.issue(roleLifetimeSeconds);
    return jsonResponse({ roleCredentials: { accessKeyId, secretAccessKey, sessionToken, expiration } });
  }

  #issueToken(session: SsoSession, isRefreshable: boolean): IssuedToken {
    const serial = this.nextSerial();
    const expiresIn = this.#options.tokenLifetimeSeconds ?? 28_800;
    const accessToken = `emulated-sso-access-token-${serial}`;
    const refreshToken = `emulated-sso-refresh-token-${serial}`;
    this.#accessTokens.set(accessToken, this.now() + expiresIn * 1_000);
    if (isRefreshable) this.#refreshTokens.set(refreshToken, session);
    return { accessToken, tokenType: "Bearer", expiresIn, ...(isRefreshable ? { refreshToken } : {}) };
  }
}

interface IssuedToken {
  readonly accessToken: string;
  readonly tokenType: "Bearer";
  readonly expiresIn: number;
  readonly refreshToken?: string;
}

/** Parses a JSON object whose values are all strings; `undefined` for anything else. */
function parseStrings(text: string): Readonly<Record<string, string>> | undefined {
  const fields = parseJsonObject(text);
  if (fields === undefined || !Object.values(fields).every((value) => typeof value === "string")) return undefined;
  return fields as Readonly<Record<string, string>>;
}

function failure(status: number, code: string, message: string): EmulatedResponse {
  const type = `${code}:http://internal.amazon.com/coral/com.amazonaws.switchboard.portal/`;
  return withType(type, jsonResponse({ message, __type: `com.amazonaws.switchboard.portal#${code}` }, status));
}

function oauthFailure(status: number, code: string, error: string): EmulatedResponse {
  return withType(code, jsonResponse({ error, error_description: `The request failed with ${code}` }, status));
}

function withType(type: string, response: EmulatedResponse): EmulatedResponse {
  return { ...response, headers: { ...response.headers, "x-amzn-errortype": type } };
}
