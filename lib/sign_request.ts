import { CredentialsProviderError } from "./errors.ts";
import type { Runtime } from "./runtime.ts";
import { detectRuntime } from "./runtime/detect.ts";
import { signatureHeaders, type SigningCredentials, signingRules } from "./sigv4.ts";

/** What {@linkcode signRequest} signs with, and for which service. */
export interface SignRequestOptions {
  /** The credentials that a provider returns: `await provider()`. */
  readonly credentials: SigningCredentials;
  /** The region of the endpoint, such as `us-east-1`. */
  readonly region: string;
  /**
   * The service's name in signatures, such as `s3`, `sts`, `execute-api` (API Gateway), `lambda` or `es` (OpenSearch).
   */
  readonly service: string;
  /**
   * The time of the signature. AWS accepts it if its own clock is at most about five minutes earlier or later.
   *
   * @default {the clock of the runtime}
   */
  readonly date?: Date | undefined;
  /** Parts to use in place of the runtime's own; only `now` is used. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/**
 * Removed before signing. Signing sets them again as needed, but not `host`: `fetch` always sends the host of the URL.
 */
const REPLACED_HEADERS = ["authorization", "host", "x-amz-date", "x-amz-security-token"];

/**
 * Signs a request with AWS Signature Version 4, so that `fetch` can send it to an AWS API.
 *
 * Returns a new request with the headers `authorization`, `x-amz-date`, for temporary credentials
 * `x-amz-security-token`, and for S3 `x-amz-content-sha256`; the body of the request that was passed is not read. All
 * headers are signed except those that `fetch` or a proxy may change, such as `user-agent`. If the request has an
 * `x-amz-content-sha256` header (OpenSearch Serverless wants it), it is set to the hash of the body.
 *
 * - Sign again for each attempt: a signature is accepted for about five minutes.
 * - The signed request does not follow redirects, since a signature is valid for one host and the session token must
 *   not go to another: `fetch` returns the redirect itself (or rejects if `redirect` is `"error"`).
 * - A copy of the body is read into memory: it is not streamed, and chunked signing is not supported.
 * - In the URL of an S3 object `+` is a space: write `%2B` for a plus sign in a key.
 * - Presigned URLs, SigV4a and the session credentials of S3 Express are not supported.
 *
 * @param request The request to sign, with a body that was not read yet.
 * @param options The credentials, the region and the service.
 * @returns A new request with the same method, URL, headers, body and signal, and with the signature.
 * @throws {CredentialsProviderError} `ConfigurationError`, if an option is missing or malformed, or if the body was
 * read.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html}
 * @example Usage
 * ```ts
 * import { signRequest } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const request = new Request("https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15");
 * const signed = await signRequest(request, {
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "EXAMPLEKEY" },
 *   region: "us-east-1",
 *   service: "sts",
 *   date: new Date("2030-01-01T00:00:00Z"),
 * });
 * assertEquals(signed.headers.get("x-amz-date"), "20300101T000000Z");
 * // const response = await fetch(signed);
 * ```
 */
export async function signRequest(request: Request, options: SignRequestOptions): Promise<Request> {
  // Object(): missing options are an error of the checks below, not of this line.
  const { credentials, region, service, date, runtime } = Object(options) as SignRequestOptions;
  const body = await bodyOf(request);
  const headers = new Headers(request.headers);
  for (const name of REPLACED_HEADERS) headers.delete(name);
  const rules = signingRules(service);
  const added = await signatureHeaders(
    { method: request.method, url: new URL(request.url), headers, body },
    credentials,
    { region, service, date: date ?? new Date(detectRuntime(runtime).now()) },
    { ...rules, sendPayloadHash: rules.sendPayloadHash || headers.has("x-amz-content-sha256") },
  );
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  const redirect = request.redirect === "follow" ? "manual" : request.redirect;
  return new Request(request, { headers, redirect, ...(request.body === null ? {} : { body }) });
}

/** Reads a copy, so that the caller's request stays unread. */
async function bodyOf(request: Request): Promise<ArrayBuffer> {
  if (request.bodyUsed || request.body?.locked === true) {
    throw new CredentialsProviderError("ConfigurationError", "Cannot sign the request: its body was read already", {
      hint: "Sign the request before it is sent, or pass request.clone().",
    });
  }
  return await request.clone().arrayBuffer();
}
