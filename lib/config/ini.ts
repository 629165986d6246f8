import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import { redactedMap } from "../redaction.ts";

/** A shared config file: its text, and what to call it. */
export interface ConfigFile {
  readonly text: string;
  readonly kind: "config file" | "credentials file";
  /** Where it is, if the caller said so. */
  readonly path: string | undefined;
}

/** A section of a file. Its name is not interpreted here. */
export interface IniSection {
  /** What stands between the brackets. */
  readonly name: string;
  /** The line of the header, counted from 1. */
  readonly line: number;
  /** By name in lower case. */
  readonly properties: Map<string, string>;
  /** The lines of properties that are ignored because of their name. */
  readonly ignoredLines: number[];
}

/** The property that lines with a deeper indentation continue. */
interface OpenProperty {
  readonly section: IniSection;
  /** `undefined` for one that is ignored. */
  readonly key: string | undefined;
  readonly hasOwnValue: boolean;
  readonly indentation: number;
}

const [TAB, CR, SPACE, HASH, SEMICOLON, OPENING_BRACKET] = [0x09, 0x0d, 0x20, 0x23, 0x3b, 0x5b];
const KEY_REGEXP = /^[a-z0-9_/.%@:+-]+$/;
const IDENTIFIER_REGEXP = /^[A-Za-z0-9_/.%@:+-]+$/;
/** A header without the comment after it. A "#" between the brackets makes a name that is ignored, not a malformed file. */
const HEADER_REGEXP = /^[^\]]*[^#;]*/;

/** Whether a text can be the name of a profile or a property. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER_REGEXP.test(text);
}

/**
 * Parses the text of one config or credentials file, in time proportional to its length.
 *
 * @throws {CredentialsProviderError} `ConfigParseError` at the first malformed line.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html}
 */
export function parseIni(file: ConfigFile): readonly IniSection[] {
  const sections: IniSection[] = [];
  let property: OpenProperty | undefined;
  for (const line = new Line(file); line.next();) {
    if (property !== undefined && line.indentation > property.indentation) continueProperty(property, line);
    else if (line.first === OPENING_BRACKET && line.indentation === 0) {
      sections.push(readSection(line));
      property = undefined;
    } else property = readProperty(line, sections.at(-1));
  }
  return sections;
}

/**
 * The error for a file that does not parse.
 *
 * @param file What to call it.
 * @param state What is wrong, such as "line 3 is not UTF-8".
 * @param fix What to do about it, without a final period.
 * @param line The line, counted from 1, if it is known.
 */
export function parseError(
  file: Omit<ConfigFile, "text">,
  state: string,
  fix: string,
  line?: number,
): CredentialsProviderError {
  const variable = file.kind === "config file" ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE";
  return new CredentialsProviderError("ConfigParseError", `Cannot parse ${describeFile(file)}: ${state}`, {
    hint: `${fix}; to use no file, set ${variable}=/dev/null or pass sharedConfig: {}.`,
    path: file.path,
    line,
  });
}

/** What to call a file in messages. */
export function describeFile({ kind, path }: Omit<ConfigFile, "text">): string {
  return path === undefined ? `the ${kind}` : `the ${kind} ${printable(path)}`;
}

/**
 * The current line of a file: one that is neither blank nor a comment. Positions count from the start of the file, for
 * cutting out each line takes Bun twice the time.
 */
class Line {
  readonly file: ConfigFile;
  /** Counted from 1. */
  number = 0;
  /** The first and the last position without white space around. */
  start = 0;
  end = 0;
  /** How many spaces and tabs are before `start`. */
  indentation = 0;
  /** The code of the first character. */
  first: number = NaN;
  #next: number;

  constructor(file: ConfigFile) {
    this.file = file;
    this.#next = file.text.startsWith("\uFEFF") ? 1 : 0;
  }

  /** Moves to the next line; false where there is none. */
  next(): boolean {
    const { text } = this.file;
    while (this.#next < text.length) {
      const lineStart = this.#next;
      const newline = text.indexOf("\n", lineStart);
      const lineEnd = newline === -1 ? text.length : newline;
      this.#next = lineEnd + 1;
      this.number++;
      this.start = skipBlanks(text, lineStart, lineEnd);
      this.end = trimEnd(text, this.start, text.charCodeAt(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd);
      this.indentation = this.start - lineStart;
      this.first = text.charCodeAt(this.start);
      if (this.start < this.end && this.first !== HASH && this.first !== SEMICOLON) return true;
    }
    return false;
  }

  /** The text between two positions, without white space around. */
  slice(start: number, end: number): string {
    const { text } = this.file;
    const from = skipBlanks(text, start, end);
    return text.slice(from, trimEnd(text, from, end));
  }

  /** The error for this line. */
  malformed(state: string, fix: string): CredentialsProviderError {
    return parseError(this.file, `line ${this.number} ${state}`, fix, this.number);
  }
}

function readSection(line: Line): IniSection {
  const { start } = line;
  const [uncommented = ""] = HEADER_REGEXP.exec(line.slice(start, line.end)) ?? [];
  const header = line.slice(start, start + uncommented.length);
  if (!header.endsWith("]")) {
    throw line.malformed('starts with "[" and does not end with "]"', 'Close the section header with "]"');
  }
  const name = line.slice(start + 1, start + header.length - 1);
  return { name, line: line.number, properties: redactedMap(), ignoredLines: [] };
}

function readProperty(line: Line, section: IniSection | undefined): OpenProperty {
  if (section === undefined) {
    throw line.malformed("is outside of any section", "Put a section header such as [default] above it");
  }
  const { start, end, indentation } = line;
  const equals = findEquals(line);
  const name = line.slice(start, equals);
  const value = line.slice(equals + 1, valueEnd(line.file.text, equals + 1, end));
  // Nearly all names are in lower case; testing for that first is twice as fast as converting each.
  const key = KEY_REGEXP.test(name) ? name : isIdentifier(name) ? name.toLowerCase() : undefined;
  if (key === undefined) section.ignoredLines.push(line.number);
  else section.properties.set(key, value);
  return { section, key, hasOwnValue: value !== "", indentation };
}

/** The lines below an empty value are properties of their own: they stay text, but must have the form. */
function continueProperty({ section: { properties }, key, hasOwnValue }: OpenProperty, line: Line): void {
  if (!hasOwnValue) findEquals(line);
  if (key !== undefined) properties.set(key, `${properties.get(key)}\n${line.slice(line.start, line.end)}`);
}

/** Where the "=" of a line is, which must have a name before it. */
function findEquals(line: Line): number {
  const equals = line.file.text.indexOf("=", line.start);
  if (equals === line.start) throw line.malformed('has no name before "="', "Name the property, or remove the line");
  if (equals === -1 || equals >= line.end) {
    throw line.malformed('has no "="', "Write name = value, or put # before a comment");
  }
  return equals;
}

/** Where a value ends: at a comment character after white space, or with the line. */
function valueEnd(text: string, start: number, end: number): number {
  for (let position = start + 1; position < end; position++) {
    const code = text.charCodeAt(position);
    if ((code === HASH || code === SEMICOLON) && isBlank(text.charCodeAt(position - 1))) return position;
  }
  return end;
}

function skipBlanks(text: string, start: number, end: number): number {
  let position = start;
  while (position < end && isBlank(text.charCodeAt(position))) position++;
  return position;
}

function trimEnd(text: string, start: number, end: number): number {
  let position = end;
  while (position > start && isBlank(text.charCodeAt(position - 1))) position--;
  return position;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
