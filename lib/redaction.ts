import type { Credentials, ForeignCredentials } from "./credentials.ts";

const REDACTED = "[redacted]";

/** The fields of credentials. Optional fields may be `undefined`. */
type CredentialsFields = ForeignCredentials & Pick<Credentials, "source">;

/**
 * Credentials as a plain-looking object; `console.log` and `Deno.inspect` do not show its secrets. The method for that
 * is on the prototype: as an own property, also one that is not enumerable, it would make copying ten times slower.
 * Because of the prototype, `assertEquals` and `assert.deepStrictEqual` find it different from a plain object: compare
 * `{...credentials}`.
 *
 * The class is created in a function call marked as pure, because bundlers remove such a call if it is unused, but not
 * a class with a computed member name.
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
      // Other comparisons only compare `constructor`: for them this is a plain object.
      Object.defineProperty(this.prototype, "constructor", { value: Object });
    }
  })();

/**
 * A copy of credentials and of their dates. `console.log` does not show its secrets. Expirations that are given replace
 * those of the fields.
 */
export function redacted(
  fields: CredentialsFields,
  expiration: Date | undefined = copied(fields.expiration),
  originalExpiration: Date | undefined = copied(fields.originalExpiration),
): Credentials {
  return new RedactedCredentials(fields, expiration, originalExpiration);
}

function copied(date: Date | undefined): Date | undefined {
  return date === undefined ? undefined : new Date(date.getTime());
}

/** A map of which `console.log` and `Deno.inspect` show the keys only. */
const RedactedMap = /* @__PURE__ */ (() =>
  class extends Map<string, string> {
    [Symbol.for("nodejs.util.inspect.custom")](): object {
      return new Map(Array.from(this.keys(), (key) => [key, REDACTED]));
    }
  })();

/** An empty map that will print without its values. */
export function redactedMap(): Map<string, string> {
  return new RedactedMap();
}
