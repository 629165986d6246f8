import type { Credentials, ForeignCredentials } from "./credentials.ts";

const REDACTED = "[redacted]";

/** The fields of credentials, where those that are not there may be `undefined`. */
type Fields = ForeignCredentials & Pick<Credentials, "source">;

/**
 * Credentials with enumerable fields of their own, whose secrets `console.log` and `Deno.inspect` do not show. The hook
 * sits on the prototype: an own property, even a hidden one, would make each copy ten times as slow. Comparisons that
 * look at prototypes (`assertEquals`, `assert.deepStrictEqual`) need a spread for that: `{ ...credentials }`.
 *
 * The class comes from a call because bundlers drop an unused pure call, but keep a class with computed names.
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

    constructor(fields: Fields, expiration: Date | undefined, originalExpiration: Date | undefined) {
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
      // Other comparisons take the constructor for the type, and to them these are plain objects.
      Object.defineProperty(this.prototype, "constructor", { value: Object });
    }
  })();

/** A new copy, also of the dates, that prints without its secrets; with other expirations where they are given. */
export function redacted(
  fields: Fields,
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
