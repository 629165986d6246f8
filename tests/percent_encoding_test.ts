import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { encodeForm, encodeRfc3986, encodeRfc3986Once } from "../lib/percent_encoding.ts";
import { readTable } from "./support/tables.ts";

interface EncodingRow {
  readonly name: string;
  readonly text: string;
  readonly encoded: string;
  readonly once: string;
}

const anyString = fc.string({ unit: "binary" });

describe("encodeRfc3986()", () => {
  for (const { name, text, encoded } of readTable<EncodingRow>("percent_encoding")) {
    it(`encodes ${name}`, () => assertEquals(encodeRfc3986(text), encoded));
  }

  it("loses nothing, whatever the string", () => {
    fc.assert(fc.property(anyString, (text) => {
      const encoded = encodeRfc3986(text);
      assertEquals(encoded.replaceAll(/[A-Za-z0-9._~-]|%[0-9A-F]{2}/g, ""), "");
      assertEquals(decodeURIComponent(encoded), text);
    }));
  });
});

describe("encodeRfc3986Once()", () => {
  for (const { name, text, once } of readTable<EncodingRow>("percent_encoding")) {
    it(`encodes ${name}`, () => assertEquals(encodeRfc3986Once(text), once));
  }

  it("changes nothing in an encoded string, whatever the string", () => {
    fc.assert(fc.property(anyString, (text) => {
      assertEquals(encodeRfc3986Once(encodeRfc3986(text)), encodeRfc3986(text));
      assertEquals(encodeRfc3986Once(encodeRfc3986Once(text)), encodeRfc3986Once(text));
    }));
  });
});

describe("encodeForm()", () => {
  it("joins the parameters in the order given", () => {
    const parameters = [["Action", "AssumeRole"], ["PolicyArns.member.1.arn", "arn:aws:iam::1:policy/a b"], ["B", ""]];
    assertEquals(
      encodeForm(parameters as [string, string][]),
      "Action=AssumeRole&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3A1%3Apolicy%2Fa%20b&B=",
    );
  });

  it("gives what URLSearchParams reads, whatever the parameters", () => {
    fc.assert(fc.property(fc.array(fc.tuple(anyString, anyString)), (parameters) => {
      assertEquals([...new URLSearchParams(encodeForm(parameters))], parameters);
    }));
  });

  it("gives an empty body without parameters", () => assertEquals(encodeForm([]), ""));
});
