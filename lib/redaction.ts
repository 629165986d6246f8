import type { Credentials, ForeignCredentials } from "./credentials.ts";

const REDACTED = "[redacted]";

/** The fields of credentials. Optional fields may be `undefined`. */
type CredentialsFields = ForeignCredentials & Pick<Credentials, "source">;

/**
 * Credentials whose secrets `console.log` and `Deno.inspect` do not show; all fields are own, enumerable properties.
 * The method that hides the secrets is on the prototype: as an own property it would make each copy ten times as slow.
 * `assertEquals` and `assert.deepStrictEqual` compare prototypes: give them a plain object, `{ ...credentials }`.
 *
 * A function call creates the class, because bundlers remove an unused pure call, but not an unused class with a
 * computed member name.
 */
const RedactedCredentials = /* @__PURE__ */ (() =>
  class implements Credentials {
    declare readonly accessKeyId: string;
    declare readonly secretAccessKey: string;
    declare readonly sessionToken?: string;
    declare readonly expiration?: Date;
    declare readonly accountId?: string;
    declare readonly originalExpiration?: Date;
    declare readonly source: string;

    constructor(fields: CredentialsFields, expiration: Date | undefined, originalExpiration: Date | undefined) {
      this.accessKeyId = fields.accessKeyId;
      this.secretAccessKey = fields.secretAccessKey;
      if (fields.sessionToken !== undefined) this.sessionToken = fields.sessionToken;
      if (expiration !== undefined) this.expiration = expiration;
      if (fields.accountId !== undefined) this.accountId = fields.accountId;
      if (originalExpiration !== undefined) this.originalExpiration = originalExpiration;
      this.source = fields.source;
    }

    [Symbol.for("nodejs.util.inspect.custom")](): object {
      const hidden = this.sessionToken === undefined ? {} : { sessionToken: REDACTED };
      return { ...this, secretAccessKey: REDACTED, ...hidden };
    }

    static {
      // Comparisons that do not compare prototypes look at `constructor` only: for them this is a plain object.
      Object.defineProperty(this.prototype, "constructor", { value: Object });
    }
  })();

/**
 * A copy of credentials and their dates; its secrets are not shown when it is printed. Expirations that are given
 * replace those of the fields.
 */
export function redacted(
  fields: CredentialsFields,
  expiration: Date | undefined = copyOf(fields.expiration),
  originalExpiration: Date | undefined = copyOf(fields.originalExpiration),
): Credentials {
  return new RedactedCredentials(fields, expiration, originalExpiration);
}

function copyOf(date: Date | undefined): Date | undefined {
  return date === undefined ? undefined : new Date(date.getTime());
}

/** A map whose values `console.log` and `Deno.inspect` do not show. */
const RedactedMap = /* @__PURE__ */ (() =>
  class extends Map<string, string> {
    [Symbol.for("nodejs.util.inspect.custom")](): object {
      return new Map(Array.from(this.keys(), (key) => [key, REDACTED]));
    }
  })();

/** An empty map whose values are not shown when it is printed. */
export function redactedMap(): Map<string, string> {
  return new RedactedMap();
}
