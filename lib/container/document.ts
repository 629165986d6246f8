import type { Credentials } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { fieldOf, type Fields, parseJsonObject } from "../json_object.ts";
import { printable } from "../printable.ts";
import { redacted } from "../redaction.ts";
import { timestampOr } from "../timestamp.ts";
import { withValidNames } from "../validate.ts";

/**
 * Parses the document that a container endpoint serves. Field names match exactly, or else in any case.
 *
 * @throws {CredentialsProviderError} `ContainerInvalidResponse`; the message never quotes the text.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html}
 */
export function parseContainerCredentials(text: string): Credentials {
  const fields = parseJsonObject(text);
  if (fields === undefined) throw invalid("it is not a JSON object");
  rejectFailure(fields);
  const accountId = fieldOf(fields, "AccountId");
  const credentials = {
    accessKeyId: requiredString(fields, "AccessKeyId"),
    secretAccessKey: requiredString(fields, "SecretAccessKey"),
    sessionToken: requiredString(fields, "Token"),
    expiration: timestampOr(requiredString(fields, "Expiration"), "its Expiration", invalid),
    ...(typeof accountId === "string" && accountId !== "" ? { accountId } : {}),
    source: "ContainerProvider",
  };
  return withValidNames(redacted(credentials), invalid);
}

/** What an endpoint says about a failure: JSON, or the plain text of the EKS agent, `[id]: (Code): message, fault: client`. */
export function parseContainerFailure(text: string): { readonly code?: string; readonly message?: string } {
  const fields = parseJsonObject(text);
  if (fields === undefined) {
    const code = /^(?:\[[^\]]*\]:\s*)?\((\w{1,100})\)/.exec(text.trim())?.[1];
    return { ...(code === undefined ? {} : { code }), ...(text.trim() === "" ? {} : { message: printable(text) }) };
  }
  const [code, message] = [fieldOf(fields, "code"), fieldOf(fields, "message")];
  return {
    ...(typeof code === "string" ? { code: printable(code) } : {}),
    ...(typeof message === "string" ? { message: printable(message) } : {}),
  };
}

function rejectFailure(fields: Fields): void {
  const code = fieldOf(fields, "Code");
  if (code === undefined || (typeof code === "string" && code.toLowerCase() === "success")) return;
  if (typeof code !== "string") throw invalid("its Code is not a string");
  const { message } = parseContainerFailure(JSON.stringify(fields));
  throw new CredentialsProviderError(
    "ContainerInvalidResponse",
    `Cannot use container credentials: the endpoint reports ${printable(code)}${message ? `, ${message}` : ""}`,
    { containerCode: printable(code), hint: "Look up the code in the guide of ECS or EKS." },
  );
}

function requiredString(fields: Fields, name: string): string {
  const value = fieldOf(fields, name);
  if (typeof value !== "string" || value === "") throw invalid(`its ${name} is missing or not a non-empty string`);
  return value;
}

function invalid(state: string): CredentialsProviderError {
  return new CredentialsProviderError("ContainerInvalidResponse", `Cannot use the credentials document: ${state}`, {
    statusCode: 200,
    hint: "Something other than the credentials endpoint of the container may be responding at this address.",
  });
}
