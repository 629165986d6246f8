import type { RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { checkImdsOptions, type ImdsOptions, type ImdsSettings, resolveImdsSettings } from "../settings/imds.ts";
import { resolveOnce } from "../settings/resolve_once.ts";
import { loadSources } from "../settings/sources.ts";
import { COMMON_HEADERS, failure, send, type Sent } from "./requester.ts";
import { type Permit, TokenKeeper } from "./token_keeper.ts";

/** What a provider needs of a metadata client; hand in your own to share one, or to test. */
export interface MetadataReader {
  /**
   * Reads one metadata item.
   *
   * @param path The whole path, such as `/latest/meta-data/instance-id`.
   * @throws An error whose `statusCode` is 404 where there is no such item.
   */
  get(path: string, options?: RetrieveOptions): Promise<string>;
}

/** The instance identity document; fields beyond these are kept as IMDS sends them. */
export interface InstanceIdentityDocument {
  /** The account that launched the instance. */
  readonly accountId: string;
  /** For example `i-1234567890abcdef0`. */
  readonly instanceId: string;
  /** For example `us-east-1`. */
  readonly region: string;
  /** Everything else IMDS says about the instance. */
  readonly [field: string]: unknown;
}

const PATH_REGEXP = /^\/?[A-Za-z0-9][^\s\\#\p{Cc}]*$/u;

/**
 * Reads EC2 instance metadata with IMDSv2: one session token for all callers, renewed two minutes before its end. Falls
 * back to IMDSv1 only where IMDS refuses tokens with 403, 404 or 405.
 *
 * Requests go to the endpoint directly, follow no redirect and read at most 64 KiB. Creating a client reads and sends
 * nothing; environment settings are read at the first request.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html}
 * @example Usage
 * ```ts
 * import { ImdsClient } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { fetch } = new ImdsEmulator({ region: "eu-central-1" }); // leave it out on EC2
 * const client = new ImdsClient({ runtime: { fetch } });
 * assertEquals(await client.region(), "eu-central-1");
 * ```
 */
export class ImdsClient implements MetadataReader {
  readonly #options: ImdsOptions;
  readonly #runtime: Runtime;
  readonly #prepared: () => Promise<Prepared>;

  /**
   * Creates a client. Nothing is read or sent yet.
   *
   * @param options See {@linkcode ImdsOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
   */
  constructor(options: ImdsOptions = {}) {
    checkImdsOptions(options);
    this.#options = options;
    this.#runtime = detectRuntime(options.runtime);
    this.#prepared = resolveOnce(() => this.#prepare());
  }

  /**
   * Reads one metadata item as text.
   *
   * @param path The whole path, such as `/latest/meta-data/instance-id`.
   * @throws {CredentialsProviderError} `ImdsUnreachable`, `ImdsTokenTimeout`, `ImdsTokenError`, `ImdsHttpError` (with
   * `statusCode`), `ImdsInvalidResponse`, `InstanceMetadataV1FallbackError`, `ImdsDisabled`, `ConfigurationError`.
   */
  get(path: string, options: RetrieveOptions = {}): Promise<string> {
    return this.session().get(path, options);
  }

  /** Requests that belong together: they use the same token, and renew it at most once. */
  session(): MetadataReader {
    return new Session(this.#prepared);
  }

  /**
   * The region the instance runs in.
   *
   * @throws As {@linkcode ImdsClient.get}.
   */
  async region(options?: RetrieveOptions): Promise<string> {
    return (await this.get("/latest/meta-data/placement/region", options)).trim();
  }

  /**
   * What the instance is: account, id, region, image, and more. Unsigned; verify the signature item where it matters.
   *
   * @throws As {@linkcode ImdsClient.get}; `ImdsInvalidResponse` if the answer is no such document.
   */
  async instanceIdentityDocument(options?: RetrieveOptions): Promise<InstanceIdentityDocument> {
    return parseIdentity(await this.get("/latest/dynamic/instance-identity/document", options));
  }

  async #prepare(): Promise<Prepared> {
    const sources = await loadSources(this.#options, this.#runtime);
    const settings = resolveImdsSettings(this.#options, sources);
    return { settings, tokens: new TokenKeeper(settings, this.#runtime, sources.warn), runtime: this.#runtime };
  }
}

interface Prepared {
  readonly settings: ImdsSettings;
  readonly tokens: TokenKeeper;
  readonly runtime: Runtime;
}

class Session implements MetadataReader {
  readonly #prepared: () => Promise<Prepared>;
  #permit: Permit | undefined;
  #renewed = false;

  constructor(prepared: () => Promise<Prepared>) {
    this.#prepared = prepared;
  }

  async get(path: string, { signal }: RetrieveOptions = {}): Promise<string> {
    const { settings, tokens, runtime } = await this.#prepared();
    rejectDisabled(settings);
    const url = settings.endpoint + absolutePath(path);
    const action = `read ${absolutePath(path)}`;
    const read = (permit: Permit) =>
      send(action, { method: "GET", url, headers: requestHeaders(permit) }, settings, runtime, signal);

    this.#permit ??= await tokens.permit(signal);
    let sent = await read(this.#permit);
    if (isUnauthorized(sent) && !this.#renewed) {
      this.#renewed = true;
      const renewed = await tokens.renew(this.#permit, signal);
      if (renewed.token !== undefined) sent = await read(this.#permit = renewed);
    }
    if (sent.outcome.kind === "answer" && sent.outcome.status === 200) return sent.outcome.body;
    throw failure(action, sent, settings);
  }
}

function isUnauthorized({ outcome }: Sent): boolean {
  return outcome.kind === "answer" && outcome.status === 401;
}

function requestHeaders({ token }: Permit): Record<string, string> {
  return token === undefined ? { ...COMMON_HEADERS } : { ...COMMON_HEADERS, "X-aws-ec2-metadata-token": token };
}

function rejectDisabled({ disabledBy }: ImdsSettings): void {
  if (disabledBy === undefined) return;
  throw new CredentialsProviderError("ImdsDisabled", `Cannot read instance metadata: disabled by ${disabledBy}`, {
    hint: `Remove ${disabledBy}, or set it to false.`,
  });
}

function absolutePath(path: string): string {
  if (!PATH_REGEXP.test(path)) {
    throw new CredentialsProviderError("ConfigurationError", "Cannot read instance metadata: not a metadata path", {
      hint: "Give a whole path, such as /latest/meta-data/instance-id.",
    });
  }
  return path.startsWith("/") ? path : `/${path}`;
}

function parseIdentity(text: string): InstanceIdentityDocument {
  try {
    const document: Partial<InstanceIdentityDocument> | null = JSON.parse(text);
    const { accountId, instanceId, region } = document ?? {};
    if ([accountId, instanceId, region].every((field) => typeof field === "string")) {
      return document as InstanceIdentityDocument;
    }
  } catch { /* not JSON: the same error as for a wrong document */ }
  throw new CredentialsProviderError(
    "ImdsInvalidResponse",
    "Cannot use the instance identity document: it is not a JSON object with accountId, instanceId and region",
  );
}
