import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import { redactedMap } from "../redaction.ts";

/** A shared config file: its text, and how messages name it. */
export interface ConfigFile {
  readonly text: string;
  readonly kind: "config file" | "credentials file";
  /** Its path, if it is known. */
  readonly path: string | undefined;
  /** Where the path comes from; absent if the caller gave the text. */
  readonly namedBy?: "option" | "variable" | "default";
}

/** A section of a file. Its name is not interpreted here. */
export interface IniSection {
  /** The text between the brackets, without white space around it. */
  readonly name: string;
  /** The line of the header, counted from 1. */
  readonly line: number;
  /** The values, by property name in lower case. */
  readonly properties: Map<string, string>;
  /** The lines of properties that are ignored because of their name. */
  readonly ignoredLines: number[];
}

const [TAB, CR, SPACE, HASH, SEMICOLON, OPENING_BRACKET] = [0x09, 0x0d, 0x20, 0x23, 0x3b, 0x5b];
const IDENTIFIER_REGEXP = /^[A-Za-z0-9_/.%@:+-]+$/;

/** Whether a string can be the name of a profile or a property. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER_REGEXP.test(text);
}

/**
 * Parses the text of one config or credentials file in linear time, even if it is malformed.
 *
 * @throws {CredentialsProviderError} `ConfigParseError` at the first malformed line.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html}
 */
export function parseIni(file: ConfigFile): readonly IniSection[] {
  const sections: IniSection[] = [];
  const line = new LineCursor(file);
  while (!line.done) sections.push(readSection(line));
  return sections;
}

/**
 * The error for a file that does not parse.
 *
 * @param file The kind and the path, for the message.
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
  return new CredentialsProviderError("ConfigParseError", `Cannot parse ${describeFile(file)}: ${state}`, {
    hint: `${fix}${howToUseNoFile(file)}.`,
    path: file.path,
    line,
  });
}

function howToUseNoFile({ kind, namedBy }: Omit<ConfigFile, "text">): string {
  if (namedBy === undefined) return "";
  const variable = kind === "config file" ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE";
  const set = namedBy === "option" ? "" : `set ${variable}=/dev/null or `; // an option has precedence over the variable
  return `; to use no file, ${set}pass sharedConfig: {}`;
}

/** The name of a file in messages. */
export function describeFile({ kind, path }: Omit<ConfigFile, "text">): string {
  return path === undefined ? `the ${kind}` : `the ${kind} ${printable(path)}`;
}

/**
 * A position in a file: always a line that is neither blank nor a comment, or the end. `start` and `end` are offsets in
 * the whole text, because on Bun a string for each line takes twice the time.
 */
class LineCursor {
  readonly file: ConfigFile;
  readonly text: string;
  /** The number of the line, counted from 1. */
  number = 0;
  /** The offsets of the first character and after the last one, without white space around them. */
  start = 0;
  end = 0;
  /** How many spaces and tabs are before `start`. */
  indentation = 0;
  /** The character code of the first character; `NaN` before the first line. */
  first: number = NaN;
  /** Whether there are no more lines. */
  done = false;
  #next: number;
  /**
   * The names in lower case. A file repeats its names: a lookup is faster than checking and converting a name each
   * time.
   */
  readonly #keys = new Map<string, string | undefined>();

  constructor(file: ConfigFile) {
    this.file = file;
    this.text = file.text;
    this.#next = file.text.startsWith("\uFEFF") ? 1 : 0;
    this.advance();
  }

  /** Whether the first column of the line is `[`. */
  get isHeader(): boolean {
    return this.first === OPENING_BRACKET && this.indentation === 0;
  }

  /** Moves to the next line. */
  advance(): void {
    const { text } = this;
    while (this.#next < text.length) {
      const lineStart = this.#next;
      const newline = text.indexOf("\n", lineStart);
      const lineEnd = newline === -1 ? text.length : newline;
      this.#next = lineEnd + 1;
      this.number++;
      this.start = skipSpaces(text, lineStart, lineEnd);
      const contentEnd = text.charCodeAt(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd;
      this.end = trimEnd(text, this.start, contentEnd);
      this.indentation = this.start - lineStart;
      this.first = text.charCodeAt(this.start);
      if (this.start < this.end && this.first !== HASH && this.first !== SEMICOLON) return;
    }
    this.done = true;
    this.indentation = 0; // ends readContinuations
  }

  /** The text between two offsets, without white space around it. */
  slice(start: number, end: number): string {
    const { text } = this;
    const from = skipSpaces(text, start, end);
    return text.slice(from, trimEnd(text, from, end));
  }

  /** The name of a property in lower case; `undefined` if the property is ignored. */
  keyOf(name: string): string | undefined {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key = isIdentifier(name) ? name.toLowerCase() : undefined;
    this.#keys.set(name, key);
    return key;
  }

  /** The error for this line. */
  malformed(state: string, fix: string): CredentialsProviderError {
    return parseError(this.file, `line ${this.number} ${state}`, fix, this.number);
  }
}

function readSection(line: LineCursor): IniSection {
  const section = { line: line.number, name: readHeader(line), properties: redactedMap(), ignoredLines: [] };
  while (!line.done && !line.isHeader) readProperty(line, section);
  return section;
}

function readHeader(line: LineCursor): string {
  const { text, start, end } = line;
  if (!line.isHeader) {
    throw line.malformed("is outside of any section", "Put a section header such as [default] above it");
  }
  // A comment can start only after "]". A "#" before it belongs to the name, which is then ignored as not valid.
  const close = text.indexOf("]", start);
  const header = close === -1 ? "" : line.slice(start, commentAt(text, close, end, false));
  if (!header.endsWith("]")) {
    throw line.malformed('starts with "[" and does not end with "]"', 'Close the section header with "]"');
  }
  line.advance();
  return line.slice(start + 1, start + header.length - 1);
}

function readProperty(line: LineCursor, { properties, ignoredLines }: IniSection): void {
  const { number, start, end, indentation } = line;
  const equals = findEquals(line);
  const name = line.slice(start, equals);
  const firstLine = line.slice(equals + 1, commentAt(line.text, equals + 1, end, true));
  line.advance();
  const value = line.indentation > indentation ? readContinuations(line, indentation, firstLine) : firstLine;
  const key = line.keyOf(name);
  if (key === undefined) ignoredLines.push(number);
  else properties.set(key, value);
}

/** Reads the indented lines below a property. Below an empty value each must be `name = value`, but is kept as text. */
function readContinuations(line: LineCursor, indentation: number, firstLine: string): string {
  const lines = [firstLine];
  for (; line.indentation > indentation; line.advance()) {
    if (firstLine === "") findEquals(line);
    lines.push(line.slice(line.start, line.end));
  }
  return lines.join("\n");
}

/** The offset of the "=" in a line. There must be a name before it. */
function findEquals(line: LineCursor): number {
  const equals = line.text.indexOf("=", line.start);
  if (equals === line.start) throw line.malformed('has no name before "="', "Name the property, or remove the line");
  if (equals === -1 || equals >= line.end) {
    throw line.malformed('has no "="', "Write name = value, or put # before a comment");
  }
  return equals;
}

/** The offset of a comment, or else of the end of the line. */
function commentAt(text: string, start: number, end: number, afterSpaceOnly: boolean): number {
  for (let position = start; position < end; position++) {
    const code = text.charCodeAt(position);
    const isComment = code === HASH || code === SEMICOLON;
    if (isComment && (!afterSpaceOnly || isSpaceOrTab(text.charCodeAt(position - 1)))) return position;
  }
  return end;
}

function skipSpaces(text: string, start: number, end: number): number {
  let position = start;
  while (position < end && isSpaceOrTab(text.charCodeAt(position))) position++;
  return position;
}

function trimEnd(text: string, start: number, end: number): number {
  let position = end;
  while (position > start && isSpaceOrTab(text.charCodeAt(position - 1))) position--;
  return position;
}

function isSpaceOrTab(code: number): boolean {
  return code === SPACE || code === TAB;
}
