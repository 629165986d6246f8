import { CredentialsProviderError } from "../errors.ts";

/** A shared config file: its text, and what to call it. */
export interface ConfigFile {
  readonly text: string;
  readonly kind: "config file" | "credentials file";
  /** Where it is, if the caller said so. */
  readonly path: string | undefined;
}

const [TAB, CR, SPACE, HASH, SEMICOLON] = [0x09, 0x0d, 0x20, 0x23, 0x3b];

/**
 * Walks over the lines of a config file that are neither blank nor a comment. Positions count from the start of the
 * file: cutting out each line first would halve the speed.
 */
export class LineReader {
  readonly file: ConfigFile;
  readonly text: string;
  /** The number of the current line, counted from 1. */
  line = 0;
  /** Where the current line starts; at the end of the text when there are no more. */
  start = 0;
  /** Where the current line ends, without white space. */
  end = 0;
  /** The code of the first character of the current line. */
  first: number = NaN;
  #next: number;
  #hash = -1;
  #semicolon = -1;

  constructor(file: ConfigFile) {
    this.file = file;
    this.text = file.text;
    this.#next = file.text.startsWith("\uFEFF") ? 1 : 0;
    this.advance();
  }

  /** Whether all lines are read. */
  get done(): boolean {
    return this.start >= this.text.length;
  }

  /** Whether the current line starts with white space. */
  get indented(): boolean {
    return isBlank(this.first);
  }

  /** Goes on to the next line. */
  advance(): void {
    do this.#readLine(); while (
      !this.done && (this.end === this.start || this.first === HASH || this.first === SEMICOLON)
    );
  }

  /** What stands between two positions, without white space around it. */
  slice(start: number, end: number): string {
    const { text } = this;
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    return text.slice(start, trimmedEnd(text, start, end));
  }

  /** Whether a space or tab stands before a position. */
  isBlankBefore(position: number): boolean {
    return isBlank(this.text.charCodeAt(position - 1));
  }

  /**
   * Where the next `#` or `;` of the current line is, from a position on; the end of the line if there is none. Hits are
   * kept, because most are many lines ahead and looking for them from each line would take quadratic time.
   */
  commentFrom(position: number): number {
    if (this.#hash < position) this.#hash = indexFrom(this.text, "#", position);
    if (this.#semicolon < position) this.#semicolon = indexFrom(this.text, ";", position);
    const nearest = this.#hash < this.#semicolon ? this.#hash : this.#semicolon;
    return nearest < this.end ? nearest : this.end;
  }

  /** The error for the current line. */
  malformed(state: string, hint: string): CredentialsProviderError {
    const { line, file } = this;
    return new CredentialsProviderError(
      "ConfigParseError",
      `Cannot parse ${describeFile(file)}: line ${line} ${state}`,
      { hint, path: file.path, line },
    );
  }

  #readLine(): void {
    const { text } = this;
    const newline = text.indexOf("\n", this.#next);
    let end = newline === -1 ? text.length : newline;
    this.line++;
    this.start = this.#next;
    this.#next = end + 1;
    this.first = text.charCodeAt(this.start);
    if (text.charCodeAt(end - 1) === CR) end--;
    this.end = trimmedEnd(text, this.start, end);
  }
}

/** What to call a file in messages. */
export function describeFile({ kind, path }: ConfigFile): string {
  return path === undefined ? `the ${kind}` : `the ${kind} ${path}`;
}

function indexFrom(text: string, character: string, position: number): number {
  const index = text.indexOf(character, position);
  return index === -1 ? text.length : index;
}

function trimmedEnd(text: string, start: number, end: number): number {
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return end;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
