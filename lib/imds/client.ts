import { SHARED_CONFIG_RULES } from "../config/files.ts";
import { checkProviderOptions } from "../config/options.ts";
import type { RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { ImdsConnection } from "./connection.ts";
import { IMDS_RULES, type ImdsOptions } from "./settings.ts";

/** What a provider needs of a metadata client. Pass your own client to share it between providers, or to test. */
export interface MetadataReader {
  /**
   * Reads one metadata item.
   *
   * @param path The whole path, such as `/latest/meta-data/instance-id`.
   * @throws An error whose `statusCode` is 404 where there is no such item.
   */
  get(path: string, options?: RetrieveOptions): Promise<string>;
}

/** The instance identity document. Its other fields are kept as IMDS sends them. */
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
 * Reads EC2 instance metadata with IMDSv2: one token for all callers, refreshed at most two minutes before it expires.
 * Uses IMDSv1 only if IMDS refuses the token request with 403, 404 or 405; `ec2MetadataV1Fallback` and
 * `ec2MetadataV1Disabled` change that.
 *
 * Requests use no proxy, follow no redirect and read at most 64 KiB of the response. Creating a client reads and sends
 * nothing; the environment and, where it leaves a setting open, the shared config files are read at the first request.
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
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
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
   * `ConfigurationError`, `ConfigParseError`, `ConfigReadError`.
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
   * Reads the instance identity document: account, instance id, region, image and more. It is not verified here; its
   * signature is the item `/latest/dynamic/instance-identity/rsa2048`.
   *
   * @throws As {@linkcode ImdsClient.get}; `ImdsInvalidResponse` if the response is not such a document.
   */
  async instanceIdentityDocument(options?: RetrieveOptions): Promise<InstanceIdentityDocument> {
    return parseIdentity(await this.get("/latest/dynamic/instance-identity/document", options));
  }
}

function absolutePath(path: string): string {
  if (!PATH_REGEXP.test(path)) {
    throw new CredentialsProviderError("ConfigurationError", "Cannot read instance metadata: the path is invalid", {
      hint: "Give the path from the root, such as /latest/meta-data/instance-id.",
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
