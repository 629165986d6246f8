import { redactedMap } from "../redaction.ts";
import { type ConfigFile, LineReader } from "./line_reader.ts";

/** A section as it stands in the file; what its name means is decided elsewhere. */
export interface IniSection {
  /** What stands between the brackets. */
  readonly name: string;
  /** The line of the header, counted from 1. */
  readonly line: number;
  /** By name in lower case. */
  readonly properties: Map<string, string>;
  /** The lines of properties that are left out for their name. */
  readonly ignoredLines: number[];
}

const OPENING_BRACKET = 0x5b;
const KEY_REGEXP = /^[a-z0-9_/.%@:+-]+$/;
const IDENTIFIER_REGEXP = /^[A-Za-z0-9_/.%@:+-]+$/;

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
  const lines = new LineReader(file);
  const sections: IniSection[] = [];
  while (!lines.done) sections.push(readSection(lines));
  return sections;
}

function readSection(lines: LineReader): IniSection {
  const section = { line: lines.line, name: readHeader(lines), properties: redactedMap(), ignoredLines: [] };
  while (!lines.done && lines.first !== OPENING_BRACKET) readProperty(lines, section);
  return section;
}

function readHeader(lines: LineReader): string {
  const { start, first } = lines;
  if (first !== OPENING_BRACKET) {
    throw lines.malformed("is outside of any section", "Put a section header such as [default] above it.");
  }
  // Only past a "]": a "#" between the brackets makes a name that is ignored, not a file that is refused.
  const comment = lines.commentFrom(Math.max(start, lines.text.indexOf("]", start)));
  const header = lines.slice(start, comment);
  if (!header.endsWith("]")) {
    throw lines.malformed('starts with "[" and does not end with "]"', 'Close the section header with "]".');
  }
  lines.advance();
  return lines.slice(start + 1, start + header.length - 1);
}

function readProperty(lines: LineReader, { properties, ignoredLines }: IniSection): void {
  if (lines.indented) {
    throw lines.malformed(
      "is indented, and there is no property above to continue",
      "Start the line without white space.",
    );
  }
  const { line, start } = lines;
  const equals = findEquals(lines, start);
  let comment = lines.commentFrom(equals + 1);
  while (comment < lines.end && !lines.isBlankBefore(comment)) comment = lines.commentFrom(comment + 1);
  const name = lines.slice(start, equals);
  const firstLine = lines.slice(equals + 1, comment);
  lines.advance();
  const value = lines.indented ? readContinuations(lines, firstLine) : firstLine;
  // Nearly all names are in lower case; asking first is twice as fast as converting each.
  if (KEY_REGEXP.test(name)) properties.set(name, value);
  else if (isIdentifier(name)) properties.set(name.toLowerCase(), value);
  else ignoredLines.push(line);
}

/** The lines below an empty value are properties of their own: they stay text, but have to have the form. */
function readContinuations(lines: LineReader, value: string): string {
  const values = [value];
  for (; lines.indented; lines.advance()) {
    const text = lines.slice(lines.start, lines.end);
    if (value === "") findEquals(lines, lines.end - text.length);
    values.push(text);
  }
  return values.join("\n");
}

/** Where the "=" of the current line is, which has to have a name before it. */
function findEquals(lines: LineReader, start: number): number {
  const equals = lines.text.indexOf("=", start);
  if (equals === start) throw lines.malformed('has no name before "="', "Name the property, or remove the line.");
  if (equals === -1 || equals >= lines.end) {
    throw lines.malformed('has no "="', "Write name = value, or put # before a comment.");
  }
  return equals;
}
