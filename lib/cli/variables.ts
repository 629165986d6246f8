import type { Credentials } from "../../mod.ts";

/** Changes to the environment of a program; `undefined` removes a variable. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Removes the variables that select a profile or belong to other access keys. */
const REMOVE_OTHER_CREDENTIALS: Variables = {
  AWS_PROFILE: undefined,
  AWS_DEFAULT_PROFILE: undefined,
  AWS_SECURITY_TOKEN: undefined,
  AWS_CREDENTIAL_SCOPE: undefined,
};

/** Removes the variables that an AWS SDK uses before a container endpoint, or in place of its URI and token. */
const REMOVE_BEFORE_CONTAINERS: Variables = {
  ...REMOVE_OTHER_CREDENTIALS,
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_CREDENTIAL_EXPIRATION: undefined,
  AWS_ACCOUNT_ID: undefined,
  AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
  AWS_ROLE_ARN: undefined,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: undefined,
};

/**
 * The variables that give a program these credentials.
 *
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html}
 */
export function credentialsVariables(credentials: Credentials, region: string | undefined): Variables {
  const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId } = credentials;
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_CREDENTIAL_EXPIRATION: expiration?.toISOString(),
    AWS_ACCOUNT_ID: accountId,
    ...regionVariables(region),
    ...REMOVE_OTHER_CREDENTIALS,
  };
}

/**
 * The variables that make a program get its credentials from a container endpoint.
 *
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html}
 */
export function endpointVariables({ uri, token }: { readonly uri: string; readonly token: string }): Variables {
  return {
    ...REMOVE_BEFORE_CONTAINERS,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: uri,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
  };
}

/**
 * The variables that hide the shared files: AWS SDKs use the credentials of the default profile in them before those of
 * an endpoint.
 */
export function hiddenFiles(platform: "posix" | "windows"): Variables {
  const noFile = platform === "windows" ? "NUL" : "/dev/null";
  return { AWS_CONFIG_FILE: noFile, AWS_SHARED_CREDENTIALS_FILE: noFile };
}

/** Sets the region in both variables: some AWS SDKs read only `AWS_REGION`, some only `AWS_DEFAULT_REGION`. */
export function regionVariables(region: string | undefined): Variables {
  return region === undefined ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region };
}
