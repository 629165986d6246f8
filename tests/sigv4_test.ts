import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CredentialsProviderError } from "../lib/errors.ts";
import { type PlainRequest, signatureHeaders, type SigningRules } from "../lib/sigv4.ts";
import { readTable } from "./support/tables.ts";

interface SigningRow {
  readonly name: string;
  readonly method: string;
  readonly url: PlainRequest["url"];
  readonly headers: readonly [string, string][];
  readonly body: string;
  readonly sessionToken?: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly rules?: SigningRules;
  readonly signedHeaders: string;
  readonly signature: string;
}

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const DATE = new Date("2015-08-30T12:36:00Z");
const SCOPE = { region: "us-east-1", service: "service", date: DATE };
const REQUEST: PlainRequest = {
  method: "GET",
  url: { host: "example.amazonaws.com", pathname: "/", search: "" },
  headers: [],
  body: "",
};

function dateOf(time: string): Date {
  return new Date(time.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));
}

describe("signatureHeaders()", () => {
  for (const row of readTable<SigningRow>("sigv4")) {
    it(`signs as AWS does: ${row.name}`, async () => {
      const { date, region, service, sessionToken, rules } = row;
      const scope = { region, service, date: dateOf(date) };
      const headers = await signatureHeaders(row, { ...KEYS, sessionToken }, scope, rules);
      const credential = `AKIDEXAMPLE/${date.slice(0, 8)}/${region}/${service}/aws4_request`;
      assertEquals(
        headers["authorization"],
        `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${row.signedHeaders}, Signature=${row.signature}`,
      );
      assertEquals(headers["x-amz-date"], date);
      assertEquals(headers["x-amz-security-token"], sessionToken);
      assertEquals("x-amz-content-sha256" in headers, row.signedHeaders.includes("x-amz-content-sha256"));
    });
  }

  for (const service of ["s3", "s3-object-lambda", "s3-outposts", "s3express"]) {
    it(`follows the rules of S3 for ${service}`, async () => {
      const url = { ...REQUEST.url, pathname: "/a%20b//c" };
      const rules = { doubleEncodePath: false, normalizePath: false, sendPayloadHash: true };
      assertEquals(
        await signatureHeaders({ ...REQUEST, url }, KEYS, { ...SCOPE, service }),
        await signatureHeaders({ ...REQUEST, url }, KEYS, { ...SCOPE, service }, rules),
      );
    });
  }

  it("signs bytes as it signs the same string", async () => {
    const text = "h\u00e9llo";
    const bytes = new TextEncoder().encode(text).buffer;
    assertEquals(
      await signatureHeaders({ ...REQUEST, body: bytes }, KEYS, SCOPE),
      await signatureHeaders({ ...REQUEST, body: text }, KEYS, SCOPE),
    );
  });

  it("gives one signature for every order of headers and parameters", async () => {
    const name = fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/);
    const headers = fc.uniqueArray(fc.tuple(name, fc.string({ maxLength: 8 })), {
      selector: ([name]) => name.toLowerCase(),
      minLength: 1,
      maxLength: 6,
    });
    const parameters = fc.array(fc.string({ unit: "grapheme", maxLength: 8 }).map(encodeURIComponent), {
      maxLength: 6,
    });
    const shuffled = fc.tuple(headers, parameters).chain(([headers, parameters]) =>
      fc.tuple(
        fc.constant({ headers, parameters }),
        fc.shuffledSubarray(headers, { minLength: headers.length }),
        fc.shuffledSubarray(parameters, { minLength: parameters.length }),
      )
    );
    await fc.assert(fc.asyncProperty(shuffled, async ([given, otherHeaders, otherParameters]) => {
      const sign = (headers: PlainRequest["headers"], parameters: readonly string[]) =>
        signatureHeaders(
          { ...REQUEST, headers, url: { ...REQUEST.url, search: `?${parameters.join("&")}` } },
          KEYS,
          SCOPE,
        );
      assertEquals(await sign(otherHeaders, otherParameters), await sign(given.headers, given.parameters));
    }));
  });

  it("gives another signature when any part of the request, the keys or the scope changes", async () => {
    const variations = [
      signatureHeaders(REQUEST, KEYS, SCOPE),
      signatureHeaders({ ...REQUEST, method: "PUT" }, KEYS, SCOPE),
      signatureHeaders({ ...REQUEST, url: { ...REQUEST.url, host: "other.example" } }, KEYS, SCOPE),
      signatureHeaders({ ...REQUEST, url: { ...REQUEST.url, pathname: "/other" } }, KEYS, SCOPE),
      signatureHeaders({ ...REQUEST, url: { ...REQUEST.url, search: "?a" } }, KEYS, SCOPE),
      signatureHeaders({ ...REQUEST, headers: [["a", "b"]] }, KEYS, SCOPE),
      signatureHeaders({ ...REQUEST, body: "body" }, KEYS, SCOPE),
      signatureHeaders(REQUEST, { ...KEYS, secretAccessKey: "other" }, SCOPE),
      signatureHeaders(REQUEST, { ...KEYS, sessionToken: "token" }, SCOPE),
      signatureHeaders(REQUEST, KEYS, { ...SCOPE, region: "eu-west-1" }),
      signatureHeaders(REQUEST, KEYS, { ...SCOPE, service: "sts" }),
      signatureHeaders(REQUEST, KEYS, { ...SCOPE, date: new Date("2015-08-30T12:36:01Z") }),
    ];
    const signatures = (await Promise.all(variations)).map(({ authorization }) =>
      authorization?.split("Signature=")[1]
    );
    assertEquals(new Set(signatures).size, variations.length);
  });

  const REFUSED = [
    ["no region", "region", KEYS, { ...SCOPE, region: undefined }],
    ["a blank region", "region", KEYS, { ...SCOPE, region: " " }],
    ["a region with a slash", "region", KEYS, { ...SCOPE, region: "us-east-1/CANARY" }],
    ["a region with a line break", "region", KEYS, { ...SCOPE, region: "us-east-1\r\nx: CANARY" }],
    ["a blank service", "service", KEYS, { ...SCOPE, service: "" }],
    ["a service with a comma", "service", KEYS, { ...SCOPE, service: "CANARY, a" }],
    ["an invalid date", "date", KEYS, { ...SCOPE, date: new Date(NaN) }],
    ["a date with five digits in its year", "date", KEYS, { ...SCOPE, date: new Date("+010000-01-01T00:00:00Z") }],
    ["a date before the year 0", "date", KEYS, { ...SCOPE, date: new Date("-000001-01-01T00:00:00Z") }],
    ["a date as a string", "date", KEYS, { ...SCOPE, date: "2015-08-30T12:36:00Z" }],
    ["no credentials", "credentials.accessKeyId", undefined, SCOPE],
    ["a provider as credentials", "credentials.accessKeyId", () => Promise.resolve(KEYS), SCOPE],
    ["an access key id with a line break", "credentials.accessKeyId", { ...KEYS, accessKeyId: "CANARY\r\n" }, SCOPE],
    ["a blank secret access key", "credentials.secretAccessKey", { ...KEYS, secretAccessKey: "\t" }, SCOPE],
    ["no secret access key", "credentials.secretAccessKey", { accessKeyId: "CANARY" }, SCOPE],
    ["a session token with a line break", "credentials.sessionToken", { ...KEYS, sessionToken: "CANARY\n" }, SCOPE],
    ["a session token outside ASCII", "credentials.sessionToken", { ...KEYS, sessionToken: "CANARY\u2028" }, SCOPE],
    ["an empty session token", "credentials.sessionToken", { ...KEYS, sessionToken: "" }, SCOPE],
  ] as const;
  for (const [name, option, credentials, scope] of REFUSED) {
    it(`names ${option} and does not repeat it, when given ${name}`, async () => {
      const error = await assertRejects(
        () => signatureHeaders(REQUEST, credentials as never, scope as never),
        CredentialsProviderError,
        `Cannot sign the request: ${option} must be `,
      );
      assertEquals(error.code, "ConfigurationError");
      const fix = option.startsWith("credentials.")
        ? "Pass the credentials that a provider returned"
        : `Correct ${option}.`;
      assert(error.hint?.startsWith(fix), error.hint);
      assertFalse(/CANARY|wJalr/.test(error.message + error.hint));
    });
  }
});
