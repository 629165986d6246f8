/** Credentials that an emulator issued. */
export interface EmulatedCredentials {
  /**
   * The access key id. It names the kind of emulator, except for IMDS; two emulators of one kind may issue the same id.
   */
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

/** New credentials. `name` differs for each kind of emulator, `serial` for each set of credentials. */
export function emulatedCredentials(
  name: string,
  serial: number,
  { issuedAt, expiresAt }: Pick<EmulatedCredentials, "issuedAt" | "expiresAt">,
): EmulatedCredentials {
  const prefix = `ASIAEMULATED${name}`;
  const secretPrefix = ["emulated", ...(name === "" ? [] : [name.toLowerCase()])].join("-");
  return {
    accessKeyId: prefix + `${serial}`.padStart(ACCESS_KEY_ID_LENGTH - prefix.length, "0"),
    secretAccessKey: `${secretPrefix}-secret-access-key-${serial}`,
    sessionToken: `${secretPrefix}-session-token-${serial}`,
    issuedAt,
    expiresAt,
  };
}

/**
 * Credentials that stay the same until five minutes before they expire; with a shorter lifetime they are new for each
 * request.
 */
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

  /** Makes the next request get new credentials. */
  rotate(): void {
    this.#current = undefined;
  }
}
