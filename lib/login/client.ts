import { type CredentialsErrorDetails, CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { ServiceClient, ServiceFailure } from "../session/service.ts";
import { loginDetails } from "../session/session.ts";
import { parseNewLoginToken } from "./document.ts";
import { dpopProof } from "./dpop.ts";
import { type EcKey, importEcKey } from "./ec_key.ts";
import type { LoginToken, NewLoginToken } from "./token_file.ts";

const NO_PERMISSION = "INSUFFICIENT_PERMISSIONS";
/** Reasons after which a later attempt fails, too, until a person acts. */
const FINAL_REASONS: readonly (string | undefined)[] = ["TOKEN_EXPIRED", "USER_CREDENTIALS_CHANGED", NO_PERMISSION];

/** Client of the sign-in service, which returns new credentials for a session. */
export class LoginClient {
  readonly #service: ServiceClient;
  readonly #url: string;
  /** The command that starts a new session. */
  readonly #command: string;
  readonly #runtime: Pick<Runtime, "now" | "randomUuid">;

  constructor(
    service: ServiceClient,
    endpoint: string,
    command: string,
    runtime: Pick<Runtime, "now" | "randomUuid">,
  ) {
    this.#service = service;
    this.#url = `${endpoint}/v1/token`;
    this.#command = command;
    this.#runtime = runtime;
  }

  /**
   * Gets new credentials with the refresh token. Each attempt has a DPoP proof of its own.
   *
   * @throws {CredentialsProviderError} `LoginError`; with `command` where only a new session helps.
   * @see {@link https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html}
   */
  async createToken({ clientId, refreshToken, dpopKey }: LoginToken): Promise<NewLoginToken> {
    const key = await this.#importKey(dpopKey);
    const body = JSON.stringify({ clientId, grantType: "refresh_token", refreshToken });
    return await this.#service.send({
      service: "the sign-in service",
      request: async () => {
        const proof = { url: this.#url, uuid: this.#runtime.randomUuid(), now: this.#runtime.now() };
        const headers = { "Content-Type": "application/json", "DPoP": await dpopProof(proof, key) };
        return { method: "POST", url: this.#url, headers, body };
      },
      parse: parseNewLoginToken,
      error: (failure) => this.#error(failure.state, this.#detailsOf(failure)),
    });
  }

  async #importKey(pem: string): Promise<EcKey> {
    try {
      return await importEcKey(pem);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.#error(`the dpopKey in the session file is invalid: ${error.message}`, {
        recoverable: false,
        ...loginDetails(this.#command),
      });
    }
  }

  #detailsOf({ status, code, reason, isRejected, hint, cause }: ServiceFailure): CredentialsErrorDetails {
    const details = {
      statusCode: status,
      loginCode: reason ?? code,
      recoverable: !FINAL_REASONS.includes(reason),
      hint,
      cause,
    };
    if (!isRejected) return details;
    if (reason !== NO_PERMISSION) return { ...details, ...loginDetails(this.#command) };
    return { ...details, hint: "Allow signin:CreateOAuth2Token in the policies of this identity." };
  }

  #error(state: string, details: CredentialsErrorDetails): CredentialsProviderError {
    return new CredentialsProviderError("LoginError", `Cannot refresh the login session: ${state}`, details);
  }
}
