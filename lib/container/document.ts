import type { Credentials } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { fieldOf, type Fields, parseJsonObject } from "../json_object.ts";
import { printable } from "../printable.ts";
import { failureCodeOf, roleCredentials } from "../role_document.ts";

/**
 * Parses the document that a container endpoint serves. A field is found by its exact name, else by the first name that
 * differs from it only in upper and lower case.
 *
 * @throws {CredentialsProviderError} `ContainerInvalidResponse`; the message never quotes the text.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html}
 */
export function parseContainerCredentials(text: string): Credentials {
  const fields = parseJsonObject(text);
  if (fields === undefined) throw invalid("it is not a JSON object");
  const document = { field: (name: string) => fieldOf(fields, name), source: "ContainerProvider", invalid };
  const code = failureCodeOf(document);
  if (code !== undefined) throw reported(code, failureOf(fields).message);
  return roleCredentials(document);
}

/** The code and the message that an endpoint reports, without control characters, so that they can be quoted. */
interface ContainerFailure {
  readonly code?: string;
  readonly message?: string;
}

/**
 * Reads what an endpoint says about a failure: JSON, or the plain text of the EKS agent,
 * `[id]: (Code): message, fault: client`.
 */
export function parseContainerFailure(text: string): ContainerFailure {
  const fields = parseJsonObject(text);
  if (fields !== undefined) return failureOf(fields);
  const code = /^(?:\[[^\]]*\]:\s*)?\((\w{1,100})\)/.exec(text.trim())?.[1];
  return { ...(code === undefined ? {} : { code }), ...(text.trim() === "" ? {} : { message: printable(text) }) };
}

function failureOf(fields: Fields): ContainerFailure {
  const [code, message] = [fieldOf(fields, "code"), fieldOf(fields, "message")];
  return {
    ...(typeof code === "string" ? { code: printable(code) } : {}),
    ...(typeof message === "string" ? { message: printable(message) } : {}),
  };
}

function reported(code: string, message: string | undefined): CredentialsProviderError {
  return new CredentialsProviderError(
    "ContainerInvalidResponse",
    `Cannot get container credentials: the endpoint reports ${printable(code)}${message ? `, ${message}` : ""}`,
    { containerCode: printable(code), hint: "Look up the code in the guide of ECS or EKS." },
  );
}

function invalid(state: string): CredentialsProviderError {
  return new CredentialsProviderError("ContainerInvalidResponse", `Cannot use the container credentials: ${state}`, {
    statusCode: 200,
    hint: "Something other than the credentials endpoint of the container may be responding at this address.",
  });
}
