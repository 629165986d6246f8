import type { EmulatedResponse } from "./response.ts";
import type { SignatureErrorCode } from "./signature.ts";
import type { StsAction } from "./sts_parameters.ts";

/** The errors of STS. */
export type StsErrorCode =
  | SignatureErrorCode
  | "AccessDenied"
  | "ExpiredTokenException"
  | "IDPCommunicationError"
  | "IDPRejectedClaim"
  | "InternalFailure"
  | "InvalidAction"
  | "InvalidIdentityToken"
  | "InvalidParameterValue"
  | "MalformedPolicyDocument"
  | "MissingParameter"
  | "PackedPolicyTooLarge"
  | "RegionDisabledException"
  | "RequestExpired"
  | "RequestLimitExceeded"
  | "ServiceUnavailable"
  | "Throttling"
  | "UnrecognizedClientException"
  | "ValidationError";

/** The content of an XML element: a text, or child elements by name. */
type XmlNode = string | { readonly [name: string]: XmlNode };

/**
 * The status that goes with each code.
 *
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html}
 */
const STATUSES: Readonly<Record<StsErrorCode, number>> = {
  AccessDenied: 403,
  ExpiredToken: 403,
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
  IDPRejectedClaim: 403,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidIdentityToken: 400,
  InvalidParameterValue: 400,
  MalformedPolicyDocument: 400,
  MissingAuthenticationToken: 403,
  MissingParameter: 400,
  PackedPolicyTooLarge: 400,
  RegionDisabledException: 403,
  RequestExpired: 400,
  RequestLimitExceeded: 503,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  UnrecognizedClientException: 403,
  ValidationError: 400,
};

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";
const XML_ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Whether a string is an error code of STS. */
export function isStsErrorCode(text: string): text is StsErrorCode {
  return Object.hasOwn(STATUSES, text);
}

/** An error as STS writes it. */
export function stsErrorResponse(code: StsErrorCode, message: string, requestId: string): EmulatedResponse {
  const status = STATUSES[code];
  const error = { Type: status >= 500 ? "Receiver" : "Sender", Code: code, Message: message };
  return xmlResponse("ErrorResponse", { Error: error, RequestId: requestId }, requestId, status);
}

/** The result of an operation as STS writes it. */
export function stsResultResponse(action: StsAction, result: XmlNode, requestId: string): EmulatedResponse {
  const content = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  return xmlResponse(`${action}Response`, content, requestId, 200);
}

function xmlResponse(root: string, content: XmlNode, requestId: string, status: number): EmulatedResponse {
  return {
    status,
    headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
    body: `<${root} xmlns="${NAMESPACE}">${toXml(content)}</${root}>`,
  };
}

function toXml(node: XmlNode): string {
  if (typeof node === "string") return node.replace(/[&<>"]/g, (character) => XML_ENTITIES[character] ?? "");
  return Object.entries(node).map(([name, child]) => `<${name}>${toXml(child)}</${name}>`).join("");
}
