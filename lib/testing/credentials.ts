/** Credentials that an emulator issued. */
export interface EmulatedCredentials {
  /** The access key id; no other emulator issues the same. */
  readonly accessKeyId: string;
  /** The secret access key. */
  readonly secretAccessKey: string;
  /** The session token. */
  readonly sessionToken: string;
  /** When they were issued, in epoch milliseconds of the emulator's clock. */
  readonly issuedAt: number;
  /** When they expire, in epoch milliseconds of the emulator's clock. */
  readonly expiresAt: number;
}

/** A document with credentials, as IMDS and container agents send it. */
export type RoleDocument = Readonly<Record<string, unknown>>;

const ACCESS_KEY_ID_LENGTH = 20;
const ROTATE_BEFORE_MS = 300_000;

/** New credentials of an emulator with a name of its own; `serial` tells one set from the next. */
export function emulatedCredentials(
  name: string,
  serial: number,
  { issuedAt, expiresAt }: Pick<EmulatedCredentials, "issuedAt" | "expiresAt">,
): EmulatedCredentials {
  const prefix = `ASIAEMULATED${name}`;
  const secrets = ["emulated", ...(name === "" ? [] : [name.toLowerCase()])].join("-");
  return {
    accessKeyId: prefix + `${serial}`.padStart(ACCESS_KEY_ID_LENGTH - prefix.length, "0"),
    secretAccessKey: `${secrets}-secret-access-key-${serial}`,
    sessionToken: `${secrets}-session-token-${serial}`,
    issuedAt,
    expiresAt,
  };
}

/** Credentials that are the same for every request, until five minutes before they expire. */
export class RotatingCredentials {
  readonly #issue: () => EmulatedCredentials;
  readonly #now: () => number;
  #current: EmulatedCredentials | undefined;

  constructor(issue: () => EmulatedCredentials, now: () => number) {
    this.#issue = issue;
    this.#now = now;
  }

  get current(): EmulatedCredentials {
    if (this.#current === undefined || this.#now() >= this.#current.expiresAt - ROTATE_BEFORE_MS) {
      this.#current = this.#issue();
    }
    return this.#current;
  }

  /** Replaces them at the next request. */
  rotate(): void {
    this.#current = undefined;
  }
}
