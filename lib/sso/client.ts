import type { Credentials } from "../credentials.ts";
import { type CredentialsErrorDetails, CredentialsProviderError } from "../errors.ts";
import type { ServiceClient, ServiceFailure } from "../session/service.ts";
import { loginDetails } from "../session/session.ts";
import { parseNewSsoToken, parseRoleCredentials } from "./document.ts";
import type { SsoSettings } from "./plan.ts";
import type { NewSsoToken, SsoRefresh } from "./token_file.ts";

/** Where the services are; without a slash at the end. */
export interface SsoEndpoints {
  readonly portal: string;
  readonly oidc: string;
}

const KEYS = "sso_account_id, sso_role_name and sso_region";
const STATUS_HINTS: Readonly<Record<number, string>> = {
  400: `Check ${KEYS} in the profile.`,
  403: `Check that IAM Identity Center assigns you the role in this account, or check ${KEYS} in the profile.`,
  404: `Check ${KEYS} in the profile.`,
};

/** The two services of SSO: OIDC refreshes tokens, the portal returns credentials for them. */
export class SsoClient {
  readonly #service: ServiceClient;
  readonly #endpoints: SsoEndpoints;
  /** The command that starts a new session. */
  readonly #command: string;

  constructor(service: ServiceClient, endpoints: SsoEndpoints, command: string) {
    this.#service = service;
    this.#endpoints = endpoints;
    this.#command = command;
  }

  /**
   * Gets a new token with the refresh token.
   *
   * @throws {CredentialsProviderError} `SsoTokenError`; with `command` where only a new session helps.
   * @see {@link https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html}
   */
  createToken({ clientId, clientSecret, refreshToken }: SsoRefresh): Promise<NewSsoToken> {
    return this.#service.send({
      service: "SSO OIDC",
      request: () => ({
        method: "POST",
        url: `${this.#endpoints.oidc}/token`,
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ clientId, clientSecret, grantType: "refresh_token", refreshToken }),
      }),
      parse: parseNewSsoToken,
      error: (failure) =>
        new CredentialsProviderError("SsoTokenError", `Cannot refresh the SSO token: ${failure.state}`, {
          ...detailsOf(failure),
          ...(failure.isRejected ? loginDetails(this.#command) : {}),
        }),
    });
  }

  /**
   * The credentials of a role.
   *
   * @throws {CredentialsProviderError} `SsoError`; with `statusCode` 401 and `command` if SSO rejects the token.
   * @see {@link https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html}
   */
  roleCredentials(
    { accountId, roleName }: SsoSettings,
    accessToken: string,
    signal: AbortSignal | undefined,
  ): Promise<Credentials> {
    const query = `role_name=${encodeURIComponent(roleName)}&account_id=${encodeURIComponent(accountId)}`;
    return this.#service.send({
      service: "SSO",
      request: () => ({
        method: "GET",
        url: `${this.#endpoints.portal}/federation/credentials?${query}`,
        headers: { "x-amz-sso_bearer_token": accessToken },
      }),
      parse: (body) => parseRoleCredentials(body, accountId),
      error: (failure) =>
        new CredentialsProviderError("SsoError", `Cannot get the credentials of the role: ${failure.state}`, {
          ...detailsOf(failure),
          ...(failure.isRejected ? { hint: STATUS_HINTS[failure.status ?? 0] ?? failure.hint } : {}),
          ...(failure.status === 401 ? loginDetails(this.#command) : {}),
        }),
      signal,
    });
  }
}

function detailsOf({ status, code, isRejected, hint, cause }: ServiceFailure): CredentialsErrorDetails {
  return { statusCode: status, ssoCode: code, recoverable: !isRejected, hint, cause };
}
