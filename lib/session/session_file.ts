import type { Runtime } from "../runtime.ts";

type FileRuntime = Pick<Runtime, "readTextFile" | "writeTextFile">;

/** The file of one session, with the state that all providers of this program share. */
export class SessionFile {
  readonly path: string;
  /** When the last refresh of the session started, in epoch milliseconds. */
  lastRefreshAt: number | undefined;
  /** The pending refresh; resolves to the new text of the file. */
  pendingRefresh: Promise<string> | undefined;
  /** The pending call of `onLoginRequired`. */
  pendingLogin: Promise<void> | undefined;
  readonly #runtime: FileRuntime;
  /** The text that could not be written, and the text of the file at that time. */
  #unwritten: { readonly replaces: string | undefined; readonly text: string } | undefined;
  #lastRead: string | undefined;
  #hasFailed = false;

  constructor(path: string, runtime: FileRuntime) {
    this.path = path;
    this.#runtime = runtime;
  }

  /**
   * The text of the file; `undefined` if there is no file. After a failed write it is the text that was not written,
   * until the file changes.
   *
   * @throws What the runtime throws for a file that it cannot read.
   */
  async read(): Promise<string | undefined> {
    this.#lastRead = await this.#runtime.readTextFile(this.path);
    if (this.#unwritten?.replaces !== this.#lastRead) this.#unwritten = undefined;
    return this.#unwritten?.text ?? this.#lastRead;
  }

  /** Writes the file. If that fails, keeps the text in memory, and returns the reason for the first failure only. */
  async write(text: string): Promise<string | undefined> {
    try {
      const { writeTextFile } = this.#runtime;
      if (writeTextFile === undefined) throw new Error("this runtime writes no files");
      await writeTextFile(this.path, text);
      return undefined;
    } catch (error) {
      this.#unwritten = { replaces: this.#lastRead, text };
      const isFirst = !this.#hasFailed;
      this.#hasFailed = true;
      return isFirst ? (error as Error).message : undefined;
    }
  }
}

/**
 * The files, by the `readTextFile` of a runtime and by path, so that two runtimes in one program do not share files.
 * Created at the first use.
 */
let files: WeakMap<Runtime["readTextFile"], Map<string, SessionFile>> | undefined;

/** The session file at a path: the same object for all providers of this program with the same `readTextFile`. */
export function sessionFile(path: string, runtime: FileRuntime): SessionFile {
  files ??= new WeakMap();
  const known = files.get(runtime.readTextFile) ?? new Map<string, SessionFile>();
  files.set(runtime.readTextFile, known);
  const file = known.get(path) ?? new SessionFile(path, runtime);
  known.set(path, file);
  return file;
}
