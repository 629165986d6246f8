import { type Credentials, CredentialsProviderError, type CredentialsSource } from "../../mod.ts";

/** How a {@linkcode ManualSource} answers. A life in seconds, negative for past; `null` for credentials without an end. */
export type Answer =
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

/** A source that answers as told: at once, or, where it hangs, when `land()` is called. */
export class ManualSource implements CredentialsSource {
  readonly staticStability: boolean;
  answer: Answer = "hang";
  /** How often it was asked. */
  contacts = 0;
  /** The most contacts that were under way at once. */
  mostAtOnce = 0;
  /** What each contact was told. */
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
      if (this.answer !== "hang") this.land(this.answer);
    });
  }

  /** Ends the oldest contact that hangs. */
  land(answer: Answer): void {
    const contact = this.#open.shift();
    if (contact === undefined || answer === "hang") throw new Error("No contact can end so");
    if ("set" in answer) return contact.resolve(this.set(answer.set, answer.lasts));
    if ("give" in answer) return contact.resolve(answer.give as Credentials);
    contact.reject("fail" in answer ? failure(answer.fail) : answer.throw);
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
