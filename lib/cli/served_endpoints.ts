import { type Credentials, CredentialsProviderError } from "../../mod.ts";
import { isoSeconds } from "../timestamp.ts";

/** The credentials that an endpoint serves, and what it needs for that. */
export interface EndpointOptions {
  readonly credentials: () => Promise<Credentials>;
  /** The secret of this endpoint: the value of the `Authorization` header, or the IMDS token. */
  readonly token: string;
  readonly region: string | undefined;
  readonly now: () => number;
  /** Called for each request that is refused or fails, with the reason. */
  readonly onFailure: (request: Request, status: number, reason: string) => void;
}

interface Result {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Why the request was refused or failed; absent for a success. */
  readonly reason?: string;
}

const LOOPBACK_HOSTS: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];
const TOKEN_PATH = "/latest/api/token";
const ROLES_PATH = "/latest/meta-data/iam/security-credentials";
const ROLE_NAME = "rolecreds";
const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";
const MAX_TTL_SECONDS = 21_600;
/**
 * AWS SDKs require an expiration. Credentials without one are sent with this lifetime, after which the SDK requests
 * them again.
 */
const LIFETIME_WITHOUT_EXPIRATION_MS = 3_600_000;

/** The path of the credentials at {@linkcode containerEndpoint}. */
export const CONTAINER_PATH = "/credentials";

/**
 * Returns a handler that responds as the credentials endpoint of a container.
 *
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html}
 */
export function containerEndpoint(options: EndpointOptions): (request: Request) => Promise<Response> {
  return responder(options, async ({ method, url, headers }) => {
    const token = headers.get("authorization");
    if (token === null) return { status: 403, reason: "it has no Authorization header" };
    if (!await isSame(token, options.token)) return { status: 403, reason: "its Authorization header is wrong" };
    if (method !== "GET") return { status: 405, reason: "its method is not GET" };
    if (new URL(url).pathname !== CONTAINER_PATH) return { status: 404, reason: "there is no such path" };
    return await documentResult(options, {});
  });
}

/**
 * Returns a handler that responds as IMDS does, version 2 only. Every token request gets the same token.
 *
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html}
 */
export function imdsEndpoint(options: EndpointOptions): (request: Request) => Promise<Response> {
  return responder(options, async ({ method, url, headers }) => {
    const path = new URL(url).pathname;
    if (headers.has("x-forwarded-for")) return { status: 403, reason: "a proxy forwarded it" };
    if (path === TOKEN_PATH) return tokenResult(method, headers.get(TTL_HEADER), options.token);
    if (method !== "GET") return { status: 405, reason: "its method is not GET" };
    const token = headers.get("x-aws-ec2-metadata-token");
    if (token === null) return { status: 401, reason: "it has no IMDS token" };
    if (!await isSame(token, options.token)) return { status: 401, reason: "its IMDS token is wrong" };
    return await metadataResult(path.replace(/\/$/, ""), options);
  });
}

function tokenResult(method: string, ttl: string | null, token: string): Result {
  if (method !== "PUT") return { status: 405, reason: "its method is not PUT" };
  const seconds = /^\d{1,5}$/.test(ttl ?? "") ? Number(ttl) : 0;
  if (seconds < 1 || seconds > MAX_TTL_SECONDS) {
    return { status: 400, reason: "its token TTL is missing or not from 1 to 21600" };
  }
  return { status: 200, body: token, headers: { [TTL_HEADER]: `${seconds}` } };
}

async function metadataResult(path: string, options: EndpointOptions): Promise<Result> {
  const { region, now } = options;
  if (path === ROLES_PATH) return { status: 200, body: ROLE_NAME };
  if (path === `${ROLES_PATH}/${ROLE_NAME}`) {
    const fields = { Code: "Success", LastUpdated: isoSeconds(now()), Type: "AWS-HMAC" };
    return await documentResult(options, fields);
  }
  const hasRegion = path === "/latest/meta-data/placement/region" && region !== undefined;
  return hasRegion ? { status: 200, body: region } : { status: 404, reason: "there is no such path" };
}

async function documentResult(
  { credentials, now }: EndpointOptions,
  fields: Readonly<Record<string, string>>,
): Promise<Result> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken = "", expiration, accountId } = await credentials();
    const document = {
      ...fields,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: isoSeconds(expiration?.getTime() ?? now() + LIFETIME_WITHOUT_EXPIRATION_MS),
      AccountId: accountId,
    };
    return { status: 200, ...json(document) };
  } catch (error) {
    const isOurs = error instanceof CredentialsProviderError;
    const [code, message] = isOurs ? [error.code, error.message] : ["Failed", "the provider failed"];
    return { status: 500, ...json({ Code: code, Message: message }), reason: `${code}: ${message}` };
  }
}

function json(document: object): Pick<Result, "body" | "headers"> {
  return { body: JSON.stringify(document), headers: { "content-type": "application/json" } };
}

/** Returns a handler that refuses requests of browsers, and reports each request that is refused or fails. */
function responder(
  { onFailure }: EndpointOptions,
  resultOf: (request: Request) => Promise<Result>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const foreign = foreignCaller(request.headers);
    const result = foreign === undefined ? await resultOf(request) : { status: 403, reason: foreign };
    const { status, body = null, headers, reason } = result;
    if (reason !== undefined) onFailure(request, status, reason);
    return new Response(body, { status, headers: { ...headers, "cache-control": "no-store" } });
  };
}

/**
 * Why a request is refused as one of a web page; `undefined` for all others. A page can make a browser send requests to
 * this machine, also under a host name that resolves to it (DNS rebinding).
 */
function foreignCaller(headers: Headers): string | undefined {
  const url = `http://${headers.get("host") ?? ""}`;
  if (!URL.canParse(url) || !LOOPBACK_HOSTS.includes(new URL(url).hostname)) {
    return "its Host header does not name this machine";
  }
  return headers.has("origin") || headers.has("sec-fetch-site") ? "a browser sent it" : undefined;
}

/** Compares in a time that does not depend on where the strings differ. */
async function isSame(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([digest(a), digest(b)]);
  return first.reduce((difference, byte, index) => difference | (byte ^ (second[index] ?? 0)), 0) === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
