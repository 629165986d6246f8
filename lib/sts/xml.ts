/** An element of an XML document. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** The text between its tags, without that of its children. */
  readonly text: string;
}

/** An element whose end tag has not been read yet. */
interface OpenElement extends XmlElement {
  /** The name with its prefix, which the end tag has to repeat. */
  readonly tagName: string;
  readonly children: OpenElement[];
  text: string;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["apos", "'"],
  ["quot", '"'],
]);

const NUMBER_REGEXP = /^#(?:([0-9]+)|x([0-9A-Fa-f]+))$/;
const TAG_NAME_REGEXP = /^[^ \t\r\n/]+/;
const NOT_WHITE_SPACE_REGEXP = /[^ \t\r\n]/;

/**
 * Parses an XML document as services send it, in time proportional to its length. Attributes, comments and instructions
 * are skipped. Entities other than the five of XML, and a document type that could declare them, are refused.
 *
 * @returns The root element.
 * @throws {SyntaxError} If the text is not such a document; the message does not quote it.
 * @see {@link https://www.w3.org/TR/xml/}
 */
export function parseXml(text: string): XmlElement {
  return new XmlReader(text).readDocument();
}

/**
 * The text of a descendant without the white space around it: for each name in the path, the first child with that
 * name.
 */
export function xmlText(element: XmlElement | undefined, ...path: readonly string[]): string | undefined {
  let found = element;
  for (const name of path) found = found?.children.find((child) => child.name === name);
  return found?.text.trim();
}

class XmlReader {
  readonly #text: string;
  #position: number;
  readonly #document: OpenElement = openElement("");
  /** The document and the elements around the position, outermost first. */
  readonly #open: OpenElement[] = [this.#document];

  constructor(text: string) {
    this.#text = text;
    this.#position = text.startsWith("\uFEFF") ? 1 : 0;
  }

  readDocument(): XmlElement {
    while (this.#position < this.#text.length) this.#readNext();
    const [root] = this.#document.children;
    if (root === undefined || this.#open.length > 1) throw this.#malformed("it ends too early");
    return root;
  }

  #readNext(): void {
    if (this.#skipIf("<!--")) this.#takeUntil("-->");
    else if (this.#skipIf("<![CDATA[")) this.#addText(this.#takeUntil("]]>"));
    else if (this.#skipIf("<?")) this.#takeUntil("?>");
    else if (this.#skipIf("<!")) throw this.#malformed("it has a document type");
    else if (this.#skipIf("</")) this.#endElement(this.#takeTag());
    else if (this.#skipIf("<")) this.#startElement(this.#takeTag());
    else this.#addText(this.#takeText());
  }

  #startElement(tag: string): void {
    const [tagName] = TAG_NAME_REGEXP.exec(tag) ?? [];
    if (tagName === undefined) throw this.#malformed("a tag has no name");
    if (this.#open.length === 1 && this.#document.children.length > 0) throw this.#malformed("it has two roots");
    const element = openElement(tagName);
    this.#current.children.push(element);
    if (!tag.endsWith("/")) this.#open.push(element);
  }

  #endElement(tag: string): void {
    const isOutside = this.#open.length === 1;
    if (isOutside || tag.trimEnd() !== this.#current.tagName) throw this.#malformed("an end tag has no start tag");
    this.#open.pop();
  }

  #addText(text: string): void {
    if (this.#open.length > 1) this.#current.text += text;
    else if (NOT_WHITE_SPACE_REGEXP.test(text)) throw this.#malformed("it has text outside of its root");
  }

  get #current(): OpenElement {
    return this.#open.at(-1) as OpenElement;
  }

  #skipIf(token: string): boolean {
    const isNext = this.#text.startsWith(token, this.#position);
    if (isNext) this.#position += token.length;
    return isNext;
  }

  #takeUntil(token: string): string {
    const end = this.#text.indexOf(token, this.#position);
    if (end === -1) throw this.#malformed(`there is no ${token}`);
    return this.#take(end, token.length);
  }

  /** The text up to `end`. The position is then after the delimiter. */
  #take(end: number, delimiterLength: number): string {
    const taken = this.#text.slice(this.#position, end);
    this.#position = end + delimiterLength;
    return taken;
  }

  #takeText(): string {
    const end = this.#text.indexOf("<", this.#position);
    const text = this.#take(end === -1 ? this.#text.length : end, 0);
    const [first = "", ...rest] = text.split("&");
    return first + rest.map((part) => this.#decoded(part)).join("");
  }

  /** The rest of a tag. A ">" between quotes does not end it. */
  #takeTag(): string {
    let quote = "";
    for (let end = this.#position; end < this.#text.length; end++) {
      const character = this.#text.charAt(end);
      if (quote !== "") quote = character === quote ? "" : quote;
      else if (character === '"' || character === "'") quote = character;
      else if (character === ">") return this.#take(end, ">".length);
    }
    throw this.#malformed("a tag does not end");
  }

  /** The text after an ampersand, with the reference at its start decoded. Throws if there is no valid reference. */
  #decoded(text: string): string {
    const end = text.indexOf(";");
    const name = text.slice(0, end === -1 ? 0 : end);
    const character = ENTITIES.get(name) ?? characterOf(name);
    if (character === undefined) throw this.#malformed("a reference is unknown");
    return character + text.slice(end + 1);
  }

  #malformed(state: string): SyntaxError {
    return new SyntaxError(`Cannot parse the XML: ${state}, at character ${this.#position}`);
  }
}

function openElement(tagName: string): OpenElement {
  return { tagName, name: tagName.slice(tagName.indexOf(":") + 1), children: [], text: "" };
}

/** The character of a numeric reference, if XML allows it. */
function characterOf(reference: string): string | undefined {
  const [, decimal, hexadecimal = ""] = NUMBER_REGEXP.exec(reference) ?? [];
  const code = decimal === undefined ? parseInt(hexadecimal, 16) : parseInt(decimal, 10);
  const isAllowed = code === 0x9 || code === 0xA || code === 0xD || (code >= 0x20 && code <= 0xD7FF) ||
    (code >= 0xE000 && code <= 0xFFFD) || (code >= 0x10000 && code <= 0x10FFFF);
  return isAllowed ? String.fromCodePoint(code) : undefined;
}
