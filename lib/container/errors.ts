import { CredentialsProviderError, type RequestNotSentError } from "../errors.ts";
import { attemptsSuffix, type SendResult } from "../http/retry.ts";
import { parseContainerFailure } from "./document.ts";
import type { ContainerTarget } from "./settings.ts";

const EKS_HOSTS: readonly string[] = ["169.254.170.23", "[fd00:ec2::23]"];
const ASSOCIATION_HINT =
  "Associate a role with the service account: aws eks create-pod-identity-association. The trust " +
  "policy of the role must allow pods.eks.amazonaws.com to call sts:AssumeRole and sts:TagSession.";
const TASK_ROLE_HINT =
  "Check that the task definition has a taskRoleArn, and that AWS_CONTAINER_CREDENTIALS_RELATIVE_URI was not copied from another task.";
const TOKEN_HINT = "Check the clock of the node, and that the service account token is projected into the pod.";

/** The hint for each code that an agent reports. */
const CODE_HINTS: Readonly<Record<string, string>> = {
  NoIdInRequest: TASK_ROLE_HINT,
  InvalidIdInRequest: TASK_ROLE_HINT,
  NoCredentialsAssociated: TASK_ROLE_HINT,
  CredentialsUninitialized: "The ECS agent has just started: try again in a few seconds.",
  AccessDeniedException: ASSOCIATION_HINT,
  ResourceNotFoundException: ASSOCIATION_HINT,
  ExpiredTokenException: TOKEN_HINT,
  InvalidTokenException: TOKEN_HINT,
  InvalidRequestException: TOKEN_HINT,
  ThrottlingException:
    "Send fewer requests: cache the credentials, so that each program sends one request per refresh.",
};

/**
 * The error for an outcome other than credentials: its message names the action and the outcome, its hint the fix.
 */
export function containerError(
  { outcome, attempts }: SendResult,
  { url, name, token }: ContainerTarget,
): CredentialsProviderError {
  const suffix = attemptsSuffix(attempts);
  const where = `${url.host} (${name})`;
  switch (outcome.kind) {
    case "notSent":
      return notSentError(outcome.error);
    case "invalidBody":
      return new CredentialsProviderError(
        "ContainerInvalidResponse",
        `Cannot use the response of ${where}: ${outcome.state}${suffix}`,
        { statusCode: outcome.status, hint: "Check what listens at this address." },
      );
    case "response": {
      const { code, message } = parseContainerFailure(outcome.body);
      const said = [code, message].filter((part) => part !== undefined).join(", ");
      return new CredentialsProviderError(
        "ContainerHttpError",
        `Cannot get container credentials: ${where} returned ${outcome.status}${said && `, ${said}`}${suffix}`,
        {
          statusCode: outcome.status,
          containerCode: code,
          hint: CODE_HINTS[code ?? ""] ?? statusHint(outcome.status, url, token !== undefined),
        },
      );
    }
    case "timeout":
    case "unreachable":
      return new CredentialsProviderError(
        "ContainerUnreachable",
        `Cannot get container credentials: ${
          outcome.kind === "timeout" ? "no complete response in time" : "the connection failed"
        } at ${where}${suffix}`,
        { cause: outcome.cause, hint: unreachableHint(url) },
      );
  }
}

function statusHint(status: number, url: URL, hasToken: boolean): string {
  if (status === 429) {
    return "The endpoint limits requests: cache the credentials in each process, so that it sends one request per refresh.";
  }
  if (status >= 500) return "The endpoint failed: try again, then read its log.";
  if (status >= 300 && status <= 399) return "The endpoint returned a redirect, which is not followed: check the URI.";
  if (isEks(url) && status === 400) return TOKEN_HINT;
  if (isEks(url) && status === 403) {
    return "The agent accepts only requests addressed to 169.254.170.23 or [fd00:ec2::23]: check for a proxy or a port forward.";
  }
  if (status === 401 || status === 403) {
    return hasToken
      ? "Check the authorization token."
      : "Set AWS_CONTAINER_AUTHORIZATION_TOKEN or AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE to the token that the endpoint expects.";
  }
  return "Check the URI, and what listens there.";
}

function unreachableHint(url: URL): string {
  if (isEks(url)) {
    return "Check that the EKS Pod Identity Agent add-on runs on the node, and for an IPv6 address that IPv6 is enabled.";
  }
  return url.hostname === "169.254.170.2"
    ? "Check that the ECS agent runs, and that the variable is not set outside of a task."
    : "Check that a program listens at this address.";
}

function isEks({ hostname }: URL): boolean {
  return EKS_HOSTS.includes(hostname);
}

function notSentError({ reason, message, hint }: RequestNotSentError): CredentialsProviderError {
  const code = { proxy: "ContainerProxyError", permission: "ContainerUnreachable", unsupported: "ConfigurationError" };
  return new CredentialsProviderError(
    code[reason] as "ContainerProxyError" | "ContainerUnreachable" | "ConfigurationError",
    `Cannot get container credentials: ${message}`,
    { hint },
  );
}
