import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { signatureHeaders } from "../../lib/sigv4.ts";
import { verifySignature } from "../../lib/testing/signature.ts";
import { readTable } from "../support/tables.ts";

interface SigningRow {
  readonly name: string;
  readonly method: string;
  readonly url: { readonly host: string; readonly pathname: string; readonly search: string };
  readonly headers: readonly [string, string][];
  readonly body: string;
  readonly sessionToken?: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly rules?: { readonly doubleEncodePath: boolean; readonly sendPayloadHash: boolean };
  readonly signedHeaders: string;
  readonly signature: string;
}

const KEY = { secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const NOW = Date.parse("2015-08-30T12:36:00Z");
const RULES = {
  findKey: (id: string) => id === "AKIDEXAMPLE" ? KEY : undefined,
  service: "sts",
  region: "us-east-1",
  now: NOW,
  maxSkewMs: 900_000,
};
type Rules = Parameters<typeof verifySignature>[1];
type Received = Parameters<typeof verifySignature>[0];

/** The published cases that can be sent over HTTP to a service other than S3, with a path that needs no normalizing. */
function isVerifiable({ url, headers, rules }: SigningRow): boolean {
  const names = headers.map(([name]) => name.toLowerCase());
  return new Set([...names, "host", "authorization"]).size === names.length + 2 &&
    !headers.some(([, value]) => value.includes("\n")) &&
    rules?.sendPayloadHash !== true && (url.pathname === "/" || rules?.doubleEncodePath === true) &&
    !/\/\.|\/\//.test(url.pathname) && new URL(`https://h${url.pathname}`).pathname === url.pathname;
}

function timeOf(date: string): number {
  return Date.parse(date.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));
}

async function signed(changes: Partial<Received> = {}, scope = {}, keys = {}): Promise<Received> {
  const request = {
    method: "POST",
    url: "https://sts.amazonaws.com/",
    path: "/",
    headers: {},
    body: "Action=A",
    ...changes,
  };
  const headers = await signatureHeaders(
    { ...request, url: new URL(request.url), headers: Object.entries(request.headers) },
    { accessKeyId: "AKIDEXAMPLE", ...KEY, ...keys },
    { region: "us-east-1", service: "sts", date: new Date(NOW), ...scope },
  );
  return { ...request, headers: { ...request.headers, ...headers } };
}

async function verify(request: Received, rules: Partial<Rules> = {}): Promise<string> {
  const verification = await verifySignature(request, { ...RULES, ...rules });
  return verification.kind === "signed" ? `signed by ${verification.accessKeyId}` : verification.code;
}

describe("verifySignature()", () => {
  const rows = readTable<SigningRow>("sigv4").filter(isVerifiable);

  it("is tested with published signatures", () => {
    assertEquals(rows.length >= 15, true);
  });

  for (
    const { name, method, url, headers, body, sessionToken, date, region, service, signedHeaders, signature } of rows
  ) {
    it(`accepts the published signature of ${name}`, async () => {
      const sent = {
        ...Object.fromEntries(headers.map(([key, value]) => [key.toLowerCase(), value])),
        "x-amz-date": date,
        ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
        "authorization":
          `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${date.slice(0, 8)}/${region}/${service}/aws4_request, ` +
          `SignedHeaders=${signedHeaders}, Signature=${signature}`,
      };
      const request = {
        method,
        url: `https://${url.host}${url.pathname}${url.search}`,
        path: url.pathname,
        headers: sent,
        body,
      };
      const key = sessionToken === undefined ? KEY : { ...KEY, sessionToken };
      const rules = { findKey: () => key, now: timeOf(date), region, service };
      assertEquals(await verify(request, rules), "signed by AKIDEXAMPLE");
      assertEquals(await verify({ ...request, body: `${body}x` }, rules), "SignatureDoesNotMatch");
    });
  }

  const changed: readonly (readonly [string, Partial<Received>])[] = [
    ["the method", { method: "GET" }],
    ["the host", { url: "https://sts.example.com/" }],
    ["the path", { url: "https://sts.amazonaws.com/a" }],
    ["the query", { url: "https://sts.amazonaws.com/?a=b" }],
    ["the body", { body: "Action=B" }],
  ];
  for (const [what, change] of changed) {
    it(`refuses a request after a change of ${what}`, async () => {
      const request = await signed();
      assertEquals(await verify(request), "signed by AKIDEXAMPLE");
      assertEquals(await verify({ ...request, ...change }), "SignatureDoesNotMatch");
    });
  }

  it("accepts a path with escapes and a query in any order", async () => {
    const request = await signed({ url: "https://sts.amazonaws.com/a%20b/c?z=1&a=%2F&a=(*)" });
    assertEquals(await verify(request), "signed by AKIDEXAMPLE");
  });

  const authorizations: readonly (readonly [string, (value: string) => string, string])[] = [
    ["another scheme", () => "Bearer token", "IncompleteSignature"],
    ["no signature", (value) => value.replace(/, Signature=.*/, ""), "IncompleteSignature"],
    ["a short signature", (value) => value.slice(0, -1), "IncompleteSignature"],
    ["another end of the scope", (value) => value.replace("aws4_request", "aws5_request"), "IncompleteSignature"],
    ["another signature", (value) => value.replace(/.$/, (last) => last === "0" ? "1" : "0"), "SignatureDoesNotMatch"],
    ["another date in the scope", (value) => value.replace("/20150830/", "/20150831/"), "SignatureDoesNotMatch"],
    ["another region", (value) => value.replace("/us-east-1/", "/us-east-2/"), "SignatureDoesNotMatch"],
    ["another service", (value) => value.replace("/sts/", "/iam/"), "SignatureDoesNotMatch"],
    ["an unsigned host", (value) => value.replace("host;", ""), "SignatureDoesNotMatch"],
    ["an unsigned date", (value) => value.replace(";x-amz-date", ""), "SignatureDoesNotMatch"],
    ["a signed header that was not sent", (value) => value.replace("host;", "host;range;"), "SignatureDoesNotMatch"],
    ["an unknown key", (value) => value.replace("AKIDEXAMPLE", "AKIDOTHER"), "InvalidClientTokenId"],
  ];
  for (const [what, change, code] of authorizations) {
    it(`refuses ${what} with ${code}`, async () => {
      const request = await signed();
      const authorization = change(request.headers["authorization"] ?? "");
      assertEquals(await verify({ ...request, headers: { ...request.headers, authorization } }), code);
    });
  }

  it("refuses a request without a signature or its date", async () => {
    const { authorization: _, ...unsigned } = (await signed()).headers;
    assertEquals(await verify({ ...await signed(), headers: unsigned }), "MissingAuthenticationToken");
    const { "x-amz-date": __, ...undated } = (await signed()).headers;
    assertEquals(await verify({ ...await signed(), headers: undated }), "IncompleteSignature");
  });

  it("accepts any region, where none is given", async () => {
    assertEquals(
      await verify(await signed({}, { region: "eu-west-1" }), { region: undefined }),
      "signed by AKIDEXAMPLE",
    );
  });

  const times = [
    [900_000, "signed by AKIDEXAMPLE"],
    [901_000, "SignatureDoesNotMatch"],
    [-900_000, "signed by AKIDEXAMPLE"],
    [-901_000, "SignatureDoesNotMatch"],
  ] as const;
  for (const [offset, expected] of times) {
    it(`takes a time that is ${offset} ms from its own as ${expected}`, async () => {
      assertEquals(await verify(await signed(), { now: NOW + offset }), expected);
    });
  }

  const temporary = { ...KEY, sessionToken: "token", expiresAt: NOW + 1_000 };
  const sessions = [
    ["the session token", { sessionToken: "token" }, NOW, "signed by AKIDEXAMPLE"],
    ["no session token", {}, NOW, "InvalidClientTokenId"],
    ["another session token", { sessionToken: "other" }, NOW, "InvalidClientTokenId"],
    ["an expired session token", { sessionToken: "token" }, NOW + 1_000, "ExpiredToken"],
  ] as const;
  for (const [what, keys, now, expected] of sessions) {
    it(`takes ${what} as ${expected}`, async () => {
      assertEquals(await verify(await signed({}, {}, keys), { findKey: () => temporary, now }), expected);
    });
  }

  it("refuses a session token that the key does not have, and one that is not signed", async () => {
    const withToken = await signed({}, {}, { sessionToken: "token" });
    assertEquals(await verify(withToken), "InvalidClientTokenId");
    const added = await signed();
    const headers = { ...added.headers, "x-amz-security-token": "token" };
    assertEquals(await verify({ ...added, headers }, { findKey: () => temporary }), "SignatureDoesNotMatch");
  });

  it("says whether a header was not signed, or was signed and not sent", async () => {
    const messageOf = async (request: Received) => {
      const verification = await verifySignature(request, RULES);
      return verification.kind === "refused" ? verification.message : "none";
    };
    const request = await signed({ headers: { "x-foo": "bar" } });
    const { "x-foo": _, ...headers } = request.headers as Record<string, string>;
    assertEquals(await messageOf({ ...request, headers }), "The header x-foo is signed but was not sent");
    const added = { ...request.headers, "x-amz-meta": "added" };
    assertEquals(await messageOf({ ...request, headers: added }), "The header x-amz-meta is not signed");
  });
});
