import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseRequest, responseHead } from "../../lib/runtime/http_message.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly bytes: string;
  readonly request?: Readonly<Record<string, unknown>>;
  readonly left?: number;
  readonly kind?: string;
  readonly status?: number;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

describe("parseRequest()", () => {
  for (const { name, bytes, request, left, kind, status } of readTable<Row>("http_requests")) {
    it(`reads ${name}`, () => {
      const parsed = parseRequest(latin1(bytes));
      if (parsed.kind !== "request") {
        assertEquals<unknown>(parsed, { kind, ...(status === undefined ? {} : { status }) });
        return;
      }
      const { headers, body, ...rest } = parsed.request;
      const found = { ...rest, headers: Object.fromEntries(headers), body: new TextDecoder().decode(body) };
      assertEquals([found, bytes.length - parsed.length], [request, left]);
    });
  }

  it("takes a head of less than 16 KiB", () => {
    const head = `GET / HTTP/1.1\r\nA: ${"x".repeat(16_384 - 24)}\r\n\r\n`;
    assertEquals([head.length, parseRequest(latin1(head)).kind], [16_383, "request"]);
  });

  it("refuses a longer one", () => {
    const endless = `GET / HTTP/1.1\r\nA: ${"x".repeat(16_384)}`;
    assertEquals(parseRequest(latin1(endless)), { kind: "invalid", status: 431 });
  });
});

describe("responseHead()", () => {
  const rows = [
    ["declares the length of no body", new Response(null, { status: 404 }), true, "404 \r\ncontent-length: 0\r\n"],
    [
      "passes a wrong length on",
      new Response("abc", { headers: { "content-length": "9" } }),
      true,
      "200 \r\ncontent-length: 9\r\n",
    ],
    [
      "says so, where the connection ends",
      new Response(null),
      false,
      "200 \r\ncontent-length: 0\r\nconnection: close\r\n",
    ],
  ] as const;
  for (const [name, response, keepAlive, expected] of rows) {
    it(name, () => {
      const head = new TextDecoder().decode(responseHead(response, keepAlive));
      assertEquals(head.replace(/content-type: .*\r\n/, ""), `HTTP/1.1 ${expected}\r\n`);
    });
  }
});
