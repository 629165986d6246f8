import { SHARED_CONFIG_RULES } from "../config/files.ts";
import { checkProviderOptions } from "../config/options.ts";
import type { RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { ImdsConnection } from "./connection.ts";
import { IMDS_RULES, type ImdsOptions } from "./settings.ts";

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
  readonly #connection: ImdsConnection;

  /**
   * Creates a client. Nothing is read or sent yet.
   *
   * @param options See {@linkcode ImdsOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
   */
  constructor(options: ImdsOptions = {}) {
    this.#connection = new ImdsConnection(
      options,
      checkProviderOptions("IMDS client", options, IMDS_RULES, SHARED_CONFIG_RULES),
    );
  }

  /**
   * Reads one metadata item as a string.
   *
   * @param path The whole path, such as `/latest/meta-data/instance-id`.
   * @throws {CredentialsProviderError} `ImdsUnreachable`, `ImdsTokenTimeout`, `ImdsTokenError`, `ImdsHttpError` (with
   * `statusCode`), `ImdsInvalidResponse`, `ImdsProxyError`, `InstanceMetadataV1FallbackError`, `ImdsDisabled`,
   * `ConfigurationError`.
   */
  async get(path: string, { signal }: RetrieveOptions = {}): Promise<string> {
    return await this.#connection.get(absolutePath(path), {}, signal);
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
   * @throws As {@linkcode ImdsClient.get}; `ImdsInvalidResponse` if the response is no such document.
   */
  async instanceIdentityDocument(options?: RetrieveOptions): Promise<InstanceIdentityDocument> {
    return parseIdentity(await this.get("/latest/dynamic/instance-identity/document", options));
  }
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
