import { type Credentials, CredentialsProviderError, type CredentialsSource } from "../../mod.ts";

/** How a {@linkcode ManualSource} responds. `lasts` is in seconds, negative for the past; `null` for credentials that do not expire. */
export type Response =
  | "hang"
  | { readonly set: string; readonly lasts: number | null }
  | { readonly fail: "recoverable" | "final" }
  | { readonly give: unknown }
  | { readonly throw: unknown };

/** Each secret of every set holds this text, so that a leak can be searched for. */
export const CANARY = "canary-secret";

interface Contact {
  readonly resolve: (value: Credentials) => void;
  readonly reject: (error: unknown) => void;
}

/** A source that responds as told: at once, or, where it hangs, when `land()` is called. */
export class ManualSource implements CredentialsSource {
  readonly staticStability: boolean;
  response: Response = "hang";
  /** How often it was contacted. */
  contacts = 0;
  /** The most contacts that were open at once. */
  mostAtOnce = 0;
  /** The options of each contact. */
  readonly options: unknown[] = [];
  readonly #now: () => number;
  readonly #open: Contact[] = [];

  constructor(now: () => number, staticStability = true) {
    this.#now = now;
    this.staticStability = staticStability;
  }

  /** Contacts that hang. */
  get pending(): number {
    return this.#open.length;
  }

  retrieve(options?: unknown): Promise<Credentials> {
    this.contacts++;
    this.options.push(options);
    return new Promise((resolve, reject) => {
      this.#open.push({ resolve, reject });
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#open.length);
      if (this.response !== "hang") this.#end(this.#open.pop(), this.response);
    });
  }

  /** Ends the oldest contact that hangs. */
  land(response: Response): void {
    this.#end(this.#open.shift(), response);
  }

  #end(contact: Contact | undefined, response: Response): void {
    if (contact === undefined || response === "hang") throw new Error("No contact can end so");
    if ("set" in response) return contact.resolve(this.set(response.set, response.lasts));
    if ("give" in response) return contact.resolve(response.give as Credentials);
    contact.reject("fail" in response ? failure(response.fail) : response.throw);
  }

  /** A set that lasts from now. */
  set(accessKeyId: string, lasts: number | null): Credentials {
    const expiration = lasts === null ? {} : { expiration: new Date(this.#now() + lasts * 1_000) };
    const secrets = { secretAccessKey: `${CANARY}-key`, sessionToken: `${CANARY}-token` };
    return { accessKeyId, ...secrets, ...expiration, source: "ManualProvider" };
  }
}

function failure(kind: "recoverable" | "final"): CredentialsProviderError {
  return kind === "final"
    ? new CredentialsProviderError("ConfigurationError", "Cannot use the test: it is set up so")
    : new CredentialsProviderError("ImdsUnreachable", "Cannot reach IMDS: the test is offline");
}
