import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseXml, type XmlElement, xmlText } from "../../lib/sts/xml.ts";
import { readTable } from "../support/tables.ts";

interface XmlRow {
  readonly name: string;
  readonly xml: string;
  readonly path?: readonly string[];
  /** The text at the path; `null` where there is none. */
  readonly expect?: string | null;
  readonly error?: string;
}

const NAMES = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/);
const CHARACTERS = fc.string({ unit: "binary" }).map((text) =>
  text.replaceAll(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "")
);

/** Text in one of the ways XML writes it. */
function written(text: string, form: number): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  if (form === 0) return escaped;
  if (form === 1) return [...text].map((character) => `&#${character.codePointAt(0)};`).join("");
  if (form === 2) return [...text].map((character) => `&#x${character.codePointAt(0)?.toString(16)};`).join("");
  return text.includes("]]>") ? escaped : `<!-- & -->${`<![CDATA[${text}]]>`}<?x <?>`;
}

function depthOf(element: XmlElement): number {
  let depth = 1;
  for (let [child] = element.children; child !== undefined; [child] = child.children) depth++;
  return depth;
}

describe("parseXml()", () => {
  for (const { name, xml, path = [], expect, error } of readTable<XmlRow>("xml")) {
    if (error === undefined) it(`reads ${name}`, () => assertEquals(xmlText(parseXml(xml), ...path) ?? null, expect));
    else {
      it(`refuses ${name}, and does not quote it`, () => {
        const thrown = assertThrows(() => parseXml(xml), SyntaxError, `Cannot parse the XML: ${error}, at character `);
        assertFalse(thrown.message.includes("CANARY"));
      });
    }
  }

  it("gives names, children and the exact text", () => {
    const { name, text, children } = parseXml("<s:a> 1 <b>2</b> <c/></s:a>");
    assertEquals([name, text, children.map((child) => child.name)], ["a", " 1  ", ["b", "c"]]);
  });

  it("finds the text of the root without a path", () => assertEquals(xmlText(parseXml("<a> t </a>")), "t"));

  it("reads back any text, however it is written", () => {
    fc.assert(fc.property(NAMES, fc.array(fc.tuple(CHARACTERS, fc.nat(3))), (name, parts) => {
      const xml = `<a><${name} x="<&>">${parts.map(([text, form]) => written(text, form)).join("")}</${name}></a>`;
      assertEquals(parseXml(xml).children[0]?.text, parts.map(([text]) => text).join(""));
    }));
  });

  it("throws nothing but SyntaxError, whatever the text", () => {
    const tokens = fc.constantFrom(
      "<",
      ">",
      "/",
      "</a>",
      "<a>",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "<?",
      "?>",
      "&",
      ";",
      "&#",
      '"',
      "a",
      " ",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(tokens, fc.string({ unit: "binary" }))), (parts) => {
        try {
          parseXml(parts.join(""));
        } catch (error) {
          assert(error instanceof SyntaxError, String(error));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads elements that are nested 100,000 deep", () => {
    const xml = "<a>".repeat(100_000) + "</a>".repeat(100_000);
    assertEquals(depthOf(parseXml(xml)), 100_000);
  });
});
