/** One set of AWS credentials, as every provider returns it: a plain object, fresh for each call, free to spread and change. */
export interface Credentials {
  /** Identifies the keys to AWS; not a secret. */
  readonly accessKeyId: string;
  /** Signs requests. Shown as `[redacted]` when the object is printed. */
  readonly secretAccessKey: string;
  /** Goes with temporary keys into every request. Shown as `[redacted]` when the object is printed. */
  readonly sessionToken?: string;
  /**
   * When to ask for the next set; absent for credentials without an end. While a refresh is backing off this is the
   * moment of the next attempt, and {@linkcode Credentials.originalExpiration} is what the source said.
   */
  readonly expiration?: Date;
  /** The AWS account the keys belong to, where the source names it. */
  readonly accountId?: string;
  /** The expiration the source gave, present only when `expiration` was moved to bridge an outage. */
  readonly originalExpiration?: Date;
  /** Which provider made the set: `EC2RoleProvider`, `ProcessProvider`, … */
  readonly source: string;
}

/** Credentials as foreign code returns them (an AWS SDK provider, for example), before the cache has named their source. */
export type ForeignCredentials = Omit<Credentials, "source"> & { readonly source?: string };

/** What one call for credentials may say. */
export interface RetrieveOptions {
  /** Gives up waiting. Other callers of the same retrieval are not disturbed. */
  readonly signal?: AbortSignal;
  /** Asks the source now, also when the held credentials are fresh; ignored while a failed refresh backs off. */
  readonly forceRefresh?: boolean;
}

/** A function that retrieves credentials. AWS SDK v3 clients take it as `credentials`. */
export type CredentialsProvider = (options?: RetrieveOptions) => Promise<Credentials>;

/** A provider as an object: retrieves without caching, and may say how its credentials are to be kept. */
export interface CredentialsSource {
  /** Asks the source now. */
  retrieve(options?: RetrieveOptions): Promise<ForeignCredentials>;
  /**
   * Whether held credentials outlive the source: refreshed ahead of time, and served past their expiration while the
   * source is away. Right for machine identities such as an instance role; wrong for a helper that may ask a person.
   *
   * @default {false}
   */
  readonly staticStability?: boolean;
  /** Called after a failed refresh of a source without static stability: returns credentials to go on with, or throws. */
  handleFailToRefresh?(previous: Credentials | undefined, error: unknown): Credentials;
  /** Moves the expiration of new credentials by `ms` (negative: earlier) where the cache has an expiry window. */
  adjustExpiresBy?(credentials: Credentials, ms: number): Credentials;
  /** Names the providers this one stands for, for reports. */
  providerSources?(): readonly string[];
}

/** Where diagnostics go. Every method may be missing; nothing logged holds a secret. */
export interface Logger {
  /** Wire-level steps. */
  readonly trace?: (message: string) => void;
  /** Decisions, such as which role name was taken. */
  readonly debug?: (message: string) => void;
  /** Recoveries. */
  readonly info?: (message: string) => void;
  /** Failures that were bridged, and settings that look wrong. */
  readonly warn?: (message: string) => void;
  /** Not used today. */
  readonly error?: (message: string) => void;
}
