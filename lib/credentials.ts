/**
 * AWS credentials, as every provider returns them. Each call returns a new object that the caller may spread or change.
 */
export interface Credentials {
  /** Identifies the credentials to AWS; not a secret. */
  readonly accessKeyId: string;
  /** Signs requests. Shown as `[redacted]` when the object is printed. */
  readonly secretAccessKey: string;
  /**
   * Sent with each request that is signed with temporary credentials. Shown as `[redacted]` when the object is printed.
   */
  readonly sessionToken?: string;
  /**
   * When the credentials expire; absent if they do not. While the source returns no newer ones this may be a later
   * time, that of the next refresh: then {@linkcode Credentials.originalExpiration} is the expiration from the source.
   */
  readonly expiration?: Date;
  /** The AWS account the credentials belong to, if the source returns it. */
  readonly accountId?: string;
  /**
   * The expiration from the source; present only if `expiration` is later, because the source returned no newer
   * credentials.
   */
  readonly originalExpiration?: Date;
  /** The name of the provider that returned the credentials: `EC2RoleProvider`, `ProcessProvider`, … */
  readonly source: string;
}

/**
 * Credentials from other code: a function of yours, a provider of AWS SDK v3, a `Credentials` object of AWS SDK v2. The
 * fields are read by name: they may be getters, and need not be enumerable.
 */
export interface ForeignCredentials {
  /** Identifies the credentials to AWS. */
  readonly accessKeyId: string;
  /** Signs requests. */
  readonly secretAccessKey: string;
  /** Sent with each request that is signed with temporary credentials. */
  readonly sessionToken?: string | undefined;
  /** When AWS stops accepting them; absent for credentials that do not expire. */
  readonly expiration?: Date | undefined;
  /** The expiration under the name that AWS SDK v2 uses. */
  readonly expireTime?: Date | null | undefined;
  /** The AWS account the credentials belong to. */
  readonly accountId?: string | undefined;
  /** The expiration from the source, if `expiration` is later. */
  readonly originalExpiration?: Date | undefined;
  /** The name of the provider. @default {"custom"} */
  readonly source?: string | undefined;
}

/** Options of one call for credentials. */
export interface RetrieveOptions {
  /**
   * If it aborts, this call stops waiting: it rejects with the signal's reason, or a cache returns the cached
   * credentials in the advisory window. Other callers of the same retrieval still get its result.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Refreshes even if the cached credentials are fresh, except in the pause after a refresh, see
   * {@linkcode CredentialsCache.refresh}. Also reads the files again that are otherwise read once per process.
   */
  readonly forceRefresh?: boolean | undefined;
  /** AWS SDK v3 clients pass it; it is ignored. */
  readonly callerClientConfig?: unknown;
}

/** A function that retrieves credentials. AWS SDK v3 clients take it as `credentials`. */
export type CredentialsProvider = (options?: RetrieveOptions) => Promise<Credentials>;

/**
 * A provider as an object. It retrieves without a cache; its other members change how a cache treats the credentials.
 */
export interface CredentialsSource {
  /** Retrieves now. */
  retrieve(options?: RetrieveOptions): Promise<ForeignCredentials>;
  /**
   * Whether credentials are refreshed ahead of time, and served past their expiration while the source is unavailable.
   * Right for machine identities such as an instance role; wrong for a program that may prompt a person.
   *
   * @default {false}
   */
  readonly staticStability?: boolean;
  /**
   * Called after a failed refresh of a source without static stability. Returns the credentials to serve. If it throws,
   * callers get `error`.
   */
  handleFailToRefresh?(previous: Credentials | undefined, error: unknown): Credentials;
  /**
   * Called for new credentials of a source without static stability, if the cache has an expiry window. Returns them
   * with the expiration moved by `ms`, which is negative.
   */
  adjustExpiresBy?(credentials: Credentials, ms: number): Credentials;
  /** The names of the providers behind this one, for reports. */
  providerSources?(): readonly string[];
}

/**
 * A function that returns credentials: one of your own, or a provider of AWS SDK v3. The type is that of a method,
 * because TypeScript compares the parameters of methods less strictly. This is needed: the SDK declares other options
 * than this library passes.
 */
export type ForeignProvider = CredentialsSource["retrieve"];

/** Where diagnostics go. Each method is optional. Nothing that is logged holds a secret. */
export interface Logger {
  /** Not used today. */
  readonly trace?: ((message: string) => void) | undefined;
  /** Decisions, such as which role name is used. */
  readonly debug?: ((message: string) => void) | undefined;
  /** A refresh that succeeds after failed ones. */
  readonly info?: ((message: string) => void) | undefined;
  /** Failures that callers do not see, and settings that look wrong. */
  readonly warn?: ((message: string) => void) | undefined;
  /** Not used today. */
  readonly error?: ((message: string) => void) | undefined;
}
