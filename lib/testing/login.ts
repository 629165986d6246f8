import { parseJsonObject } from "../json_object.ts";
import { isoSeconds } from "../timestamp.ts";
import {
  type EmulatedRequest,
  Emulator,
  type EmulatorOptions,
  type FaultScope,
  type ReceivedRequest,
} from "./emulator.ts";
import type { Fault } from "./faults.ts";
import { type EmulatedResponse, jsonResponse } from "./response.ts";

/** Options of {@linkcode LoginEmulator}. */
export interface LoginEmulatorOptions extends EmulatorOptions {
  /** The account of the identity. @default {"123456789012"} */
  readonly accountId?: string;
  /** The lifetime of credentials, in seconds. @default {900} */
  readonly lifetimeSeconds?: number;
  /** The lifetime of sessions, in seconds. @default {43200} */
  readonly sessionLifetimeSeconds?: number;
  /** Whether a refresh token stays valid after a new one was issued for it. @default {true} */
  readonly reusesRefreshTokens?: boolean;
}

/** The steps that faults can be limited to: the refresh of a session, and all others. */
export type LoginStep = "token" | "other";

/** The reasons for which the sign-in service refuses a session. */
export type LoginRefusal =
  | "TOKEN_EXPIRED"
  | "AUTHCODE_EXPIRED"
  | "USER_CREDENTIALS_CHANGED"
  | "INSUFFICIENT_PERMISSIONS";

/** A fault of {@linkcode LoginEmulator}; a reason means: the service's response with this reason. */
export type LoginFault = Fault | LoginRefusal;

/**
 * The format of the private key in a session's file: `sec1`, which the AWS CLI writes, or `pkcs8`, which botocore also
 * reads.
 */
export type LoginKeyForm = "sec1" | "pkcs8";

interface LoginSession {
  readonly clientId: string;
  readonly publicKey: CryptoKey;
  /** The public key as a JWK, which each proof must contain. */
  readonly jwk: Readonly<Record<string, string>>;
  readonly expiresAt: number;
}

const STATUSES: Readonly<Record<LoginRefusal, number>> = {
  TOKEN_EXPIRED: 401,
  AUTHCODE_EXPIRED: 401,
  USER_CREDENTIALS_CHANGED: 403,
  INSUFFICIENT_PERMISSIONS: 403,
};
const MAX_CLOCK_DIFFERENCE_SECONDS = 300;
const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const BODY_PROBLEM =
  "The body is not a JSON object of clientId, grantType refresh_token and refreshToken, sent as application/json";
const CLIENT_ID = "arn:aws:signin:::devtools/same-device";

/**
 * The service behind `aws login`, which returns the next credentials of a session. It verifies the DPoP proof of each
 * request: signature, key, URL, time, and that no proof is used twice.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html}
 * @example Usage
 * ```ts
 * import { LoginProvider } from "@rolecreds/aws";
 * import { LoginEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new LoginEmulator({ lifetimeSeconds: 200 });
 * const file = await emulator.login(); // what `aws login` writes into ~/.aws/login/cache
 * const provider = new LoginProvider({
 *   homeDirectory: "/home/me",
 *   sharedConfig: { config: "[default]\nlogin_session = arn:aws:iam::123456789012:user/me\nregion = us-east-1" },
 *   runtime: { fetch: emulator.fetch, readTextFile: () => Promise.resolve(file), warn: () => {} },
 * });
 * assertEquals((await provider.retrieve()).source, "LoginProvider");
 * assertEquals(emulator.requests.map(({ status }) => status), [200]);
 * ```
 */
export class LoginEmulator extends Emulator<LoginStep> {
  readonly #options: LoginEmulatorOptions;
  readonly #sessions = new Map<string, LoginSession>();
  readonly #seenProofs = new Set<string>();

  /**
   * Creates an emulated sign-in service.
   *
   * @param options See {@linkcode LoginEmulatorOptions}.
   */
  constructor(options: LoginEmulatorOptions = {}) {
    super("LOG", options);
    this.#options = options;
  }

  /**
   * Injects a fault into the next requests of a step. Each fault applies to `times` requests; after that, the fault
   * that was injected next applies.
   *
   * @param fault The fault.
   * @param scope The requests that have it, and how many.
   */
  override inject(fault: LoginFault, scope: FaultScope<LoginStep> = {}): void {
    super.inject(isRefusal(fault) ? refusal(fault) : fault, scope);
  }

  /**
   * Starts a session as `aws login` does.
   *
   * @param keyForm The format of the session's private key.
   * @returns The text of the session's file.
   */
  async login(keyForm: LoginKeyForm = "sec1"): Promise<string> {
    const { privateKey, publicKey } = await crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
    const { d = "", x = "", y = "" } = await crypto.subtle.exportKey("jwk", privateKey);
    const { sessionLifetimeSeconds = 43_200, accountId = "123456789012" } = this.#options;
    const expiresAt = this.now() + sessionLifetimeSeconds * 1_000;
    const jwk = { kty: "EC", crv: "P-256", x, y };
    const { accessToken, expiresIn, refreshToken } = this.#issueToken({
      clientId: CLIENT_ID,
      publicKey,
      jwk,
      expiresAt,
    });
    const dpopKey = keyForm === "sec1"
      ? pem("EC PRIVATE KEY", sec1(d, x, y))
      : pem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)));
    return JSON.stringify({
      accessToken: { ...accessToken, accountId, expiresAt: isoSeconds(this.now() + expiresIn * 1_000) },
      tokenType: "aws_sigv4",
      refreshToken,
      idToken: "emulated-login-id-token",
      clientId: CLIENT_ID,
      dpopKey,
    });
  }

  /** Returns the step of the protocol to which a request belongs. */
  protected override stepOf({ path }: ReceivedRequest): LoginStep {
    return path === "/v1/token" ? "token" : "other";
  }

  /** Responds as the service does. */
  protected override async respond(request: EmulatedRequest): Promise<EmulatedResponse> {
    const { method, step, headers, body } = request;
    if (step === "other" || method !== "POST") return withType("NotFoundException", jsonResponse({}, 404));
    const { clientId, grantType, refreshToken, ...others } = parseJsonObject(body) ?? {};
    const isJson = headers["content-type"] === "application/json";
    if (!isJson || grantType !== "refresh_token" || Object.keys(others).length > 0) return invalid(BODY_PROBLEM);
    if (headers["authorization"] !== undefined) return invalid("The request must not be signed");
    const session = this.#sessions.get(`${refreshToken}`);
    if (session === undefined || session.clientId !== clientId) {
      return invalid("The refresh token is not valid for this client");
    }
    const problem = await this.#problemOfProof(request, session);
    if (problem !== undefined) return invalid(`The proof is not valid: ${problem}`);
    if (this.now() >= session.expiresAt) return refusal("TOKEN_EXPIRED");
    if (this.#options.reusesRefreshTokens === false) this.#sessions.delete(`${refreshToken}`);
    return jsonResponse({ ...this.#issueToken(session), tokenType: "aws_sigv4", idToken: "emulated-login-id-token-2" });
  }

  /** What is wrong with the DPoP proof of a request, if anything. */
  async #problemOfProof({ headers, url }: EmulatedRequest, session: LoginSession): Promise<string | undefined> {
    const [header = "", payload = "", signature = "", ...rest] = (headers["dpop"] ?? "").split(".");
    const { typ, alg, jwk } = parseJsonObject(textOf(header)) ?? {};
    if (rest.length > 0 || typ !== "dpop+jwt" || alg !== "ES256") return "it is not a DPoP token with ES256";
    const shown = (jwk ?? {}) as Readonly<Record<string, unknown>>;
    const isKey = Object.entries(session.jwk).every(([name, value]) => shown[name] === value);
    if (!isKey || "d" in shown) return "its key is not the public key of the session";
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    const hash = { name: "ECDSA", hash: "SHA-256" };
    const isGenuine = await crypto.subtle.verify(hash, session.publicKey, bytesOf(signature), signed);
    if (!isGenuine) return "its signature is wrong";
    const { jti, htm, htu, iat } = parseJsonObject(textOf(payload)) ?? {};
    if (htm !== "POST" || htu !== url) return "it is for another request";
    const isNow = typeof iat === "number" && Math.abs(iat - this.now() / 1_000) <= MAX_CLOCK_DIFFERENCE_SECONDS;
    if (!isNow) return `its time differs by more than ${MAX_CLOCK_DIFFERENCE_SECONDS} seconds`;
    if (typeof jti !== "string" || this.#seenProofs.has(jti)) return "its id is missing or was used before";
    this.#seenProofs.add(jti);
    return undefined;
  }

  #issueToken(session: LoginSession): IssuedToken {
    const { lifetimeSeconds = 900 } = this.#options;
    const { accessKeyId, secretAccessKey, sessionToken } = this.issue(lifetimeSeconds);
    const refreshToken = `emulated-login-refresh-token-${this.nextSerial()}`;
    this.#sessions.set(refreshToken, session);
    return { accessToken: { accessKeyId, secretAccessKey, sessionToken }, refreshToken, expiresIn: lifetimeSeconds };
  }
}

interface IssuedToken {
  readonly accessToken: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
  readonly refreshToken: string;
  readonly expiresIn: number;
}

function isRefusal(fault: LoginFault): fault is LoginRefusal {
  return typeof fault === "string" && Object.hasOwn(STATUSES, fault);
}

function refusal(error: LoginRefusal): EmulatedResponse {
  return withType("AccessDeniedException", jsonResponse({ error, message: "The session is refused" }, STATUSES[error]));
}

function invalid(message: string): EmulatedResponse {
  return withType("ValidationException", jsonResponse({ error: "INVALID_REQUEST", message }, 400));
}

function withType(type: string, response: EmulatedResponse): EmulatedResponse {
  return { ...response, headers: { ...response.headers, "x-amzn-errortype": type } };
}

/** A P-256 private key in the DER form of RFC 5915 (SEC1), from the parts of its JWK. */
function sec1(d: string, x: string, y: string): Uint8Array {
  return new Uint8Array([
    ...[0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20],
    ...bytesOf(d),
    ...[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04],
    ...bytesOf(x),
    ...bytesOf(y),
  ]);
}

function pem(label: string, der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function textOf(base64Url: string): string {
  return new TextDecoder().decode(bytesOf(base64Url));
}

/** Decodes base64url; empty if the text is not base64url. */
function bytesOf(base64Url: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64Url.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
