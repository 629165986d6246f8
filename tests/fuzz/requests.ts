import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { containerTarget } from "../../lib/container/settings.ts";
import { resolveEndpoint } from "../../lib/endpoint.ts";
import { encodeForm, encodeRfc3986Once } from "../../lib/percent_encoding.ts";
import { parseRequest } from "../../lib/runtime/http_message.ts";
import { signRequest } from "../../lib/sign_request.ts";
import { verifiedHeaders } from "../support/sigv4_verifier.ts";
import { CANARY, damaged } from "./inputs.ts";

/** A property of requests: it holds for all inputs, or throws. */
export interface RequestProperty {
  readonly inputs: fc.Arbitrary<unknown>;
  readonly check: (input: never) => unknown;
}

const TOKEN = fc.string({ unit: fc.constantFrom(..."abcxyz-09"), minLength: 1, maxLength: 12 });
const TEXT = fc.string({ unit: "grapheme", maxLength: 20 });
const VALUE = fc.string({ unit: "grapheme-ascii", maxLength: 20 });

const SIGNED = fc.record({
  service: fc.constantFrom("sts", "s3"),
  segments: fc.array(TEXT.filter((text) => !["", ".", ".."].includes(text)), { maxLength: 4 }),
  query: fc.array(fc.tuple(TEXT.filter((text) => text !== ""), TEXT), { maxLength: 4 }),
  headers: fc.dictionary(TOKEN.map((name) => `x-${name}`), VALUE, { maxKeys: 4 }),
  body: TEXT,
});
type Signed = typeof SIGNED extends fc.Arbitrary<infer T> ? T : never;

const HTTP = damaged(
  "PUT /latest/api/token HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\n\r\nhello",
  "GET http://a/b HTTP/1.0\r\nConnection: close\r\n\r\nGET /",
).map((text) => new TextEncoder().encode(text));

export const REQUESTS: Readonly<Record<string, RequestProperty>> = {
  "signatures hold": {
    inputs: SIGNED,
    async check({ service, segments, query, headers, body }: Signed) {
      const pairs = query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
      const url = new URL(`http://example.com/${segments.map(encodeURIComponent).join("/")}?${pairs}`);
      const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: CANARY, sessionToken: "token" };
      const signed = await signRequest(new Request(url, { method: "POST", headers, body }), {
        credentials,
        region: "eu-west-1",
        service,
      });
      const received = {
        method: "POST",
        target: url.pathname + url.search,
        headers: { ...Object.fromEntries(signed.headers), host: url.host },
        body: new Uint8Array(await signed.arrayBuffer()),
      };
      assert(verifiedHeaders(received, CANARY) !== undefined, "the signature is not valid");
    },
  },
  "forms are read as they were written": {
    inputs: fc.array(fc.tuple(TEXT, TEXT), { maxLength: 5 }),
    check(pairs: [string, string][]) {
      assertEquals([...new URLSearchParams(encodeForm(pairs))], pairs);
    },
  },
  "encoding twice is encoding once": {
    inputs: fc.string({ unit: "binary", maxLength: 50 }),
    check(text: string) {
      assertEquals(encodeRfc3986Once(encodeRfc3986Once(text)), encodeRfc3986Once(text));
    },
  },
  "endpoints stay inside AWS": {
    inputs: fc.record({
      service: fc.constantFrom("sts" as const, "sso" as const, "sso-oidc" as const, "signin" as const),
      region: fc.oneof(fc.string({ unit: "binary", maxLength: 30 }), damaged("eu-west-1", "cn-north-1")),
      useFips: fc.boolean(),
      useDualStack: fc.boolean(),
    }),
    check({ service, ...settings }: { service: "sts"; region: string }) {
      const { host, pathname, username } = new URL(resolveEndpoint(service, settings).url);
      assert(/\.(amazonaws|aws|amazon|amazonwebservices|api)[\w.-]*\.[a-z]+$/.test(host) || host.includes("aws"), host);
      assertEquals([pathname, username], ["/", ""]);
    },
  },
  "container tokens go to this machine, or over TLS": {
    inputs: fc.record({
      uri: fc.oneof(
        fc.webUrl(),
        damaged("http://169.254.170.23/v1/credentials", "http://localhost:1/", "//evil.example/"),
      ),
      isRelative: fc.boolean(),
    }),
    check({ uri, isRelative }: { uri: string; isRelative: boolean }) {
      const name = isRelative ? "awsContainerCredentialsRelativeUri" : "awsContainerCredentialsFullUri";
      const target = containerTarget({ [name]: uri }, () => undefined, () => {});
      if (target === undefined) return;
      const { protocol, hostname } = new URL(target.url);
      assert(protocol === "https:" || /^(169\.254\.170\.23?|127\..*|localhost|\[(::1|fd00:ec2::23)\])$/.test(hostname));
    },
  },
  "requests are read the same, however they arrive": {
    inputs: fc.tuple(HTTP, fc.double({ min: 0, max: 1, noNaN: true })),
    check([bytes, part]: [Uint8Array, number]) {
      const whole = parseRequest(bytes);
      if (whole.kind !== "request") return;
      assert(whole.length <= bytes.length);
      const start = bytes.subarray(0, Math.floor(part * (whole.length - 1)));
      assertEquals(parseRequest(start).kind, "incomplete");
    },
  },
};
