/**
 * All functions through which the library uses the network, the clock, files and processes. There is one implementation
 * for each runtime. Replace members of it in tests, or if no implementation fits.
 *
 * Unstable: any release may change it.
 */
export interface Runtime {
  /**
   * Sends one request with the `fetch` of the runtime, so the user's proxy settings apply. For STS, SSO and sign-in.
   */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /**
   * Sends one request through no proxy. For instance metadata and containers. If only `fetch` is given, this is the
   * same function.
   *
   * @throws {RequestNotSentError} If the runtime cannot send it directly; nothing was sent then.
   */
  readonly fetchDirect: (url: string, init: RequestInit) => Promise<Response>;
  /** The wall clock, in epoch milliseconds. */
  readonly now: () => number;
  /** A random number in [0, 1). */
  readonly random: () => number;
  /** A random UUID. */
  readonly randomUuid: () => string;
  /**
   * Resolves after `ms` milliseconds, rounded up and at most 2³¹ − 1; rejects with the signal's reason if it aborts
   * first.
   */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /**
   * A signal that aborts after `ms` milliseconds, rounded up and at most 2³¹ − 1, with a `TimeoutError`, without
   * keeping the process alive.
   */
  readonly timeout: (ms: number) => AbortSignal;
  /** Reads an environment variable; `undefined` if it is not set, or if the permission to read it is missing. */
  readonly env: (name: string) => string | undefined;
  /**
   * Reads a regular file of UTF-8 text, at most 16 MiB; `undefined` if there is no such file. In Deno a file counts
   * as missing if the permission to read it was not granted.
   *
   * @throws {FileError} If the file exists and cannot be read.
   */
  readonly readTextFile: (path: string) => Promise<string | undefined>;
  /**
   * Replaces the whole file or leaves it unchanged: it writes a temporary file in the same folder, which only this user
   * may read, and renames it. Absent if the runtime has no files, or if the caller replaces only `readTextFile`.
   *
   * @throws {Error} If the file cannot be replaced; the message is the reason, and does not quote the text.
   */
  readonly writeTextFile?: ((path: string, text: string) => Promise<void>) | undefined;
  /** The user's home directory, as the system returns it; `undefined` if it may not be read. */
  readonly homeDirectory: () => string | undefined;
  /** The kind of operating system. It decides how a shell is started and how processes are killed. */
  readonly platform: "posix" | "windows";
  /**
   * Runs a program; only for sources that start processes. If `undefined`, they use the function of the detected
   * runtime.
   */
  readonly spawn?: Spawn | undefined;
  /** Prints a warning that must be seen even if there is no logger. */
  readonly warn: (message: string) => void;
}

/** Why a file that exists was not read. Its message completes the sentence "Cannot read the file: …". */
export interface FileError extends Error {
  /**
   * `NotPermitted`: the user may not read it. `NotAFile`: it is a directory, a pipe or a device. `TooLarge`: it is
   * larger than 16 MiB. `NotUtf8`: it is not UTF-8. `Unreadable`: reading failed; a later attempt may succeed.
   */
  readonly code: "NotPermitted" | "NotAFile" | "TooLarge" | "NotUtf8" | "Unreadable";
  /** The first line that is not UTF-8, counted from 1. */
  readonly line?: number;
  /** With `Unreadable`, the error code of the system, such as `EMFILE`. */
  readonly systemCode?: string;
}

/**
 * Runs a program without a shell. Its process group, or only the program if stdin is a terminal or the system cannot
 * kill the group, is killed when the time limit or the output limit is exceeded, when the signal aborts, or when the
 * calling process exits first. The promise settles as soon as the result is known, even if a killed program has not
 * exited.
 *
 * Unstable: any release may change it.
 *
 * @throws Only the reason of an aborted signal; everything else is a result.
 */
export type Spawn = (command: readonly string[], options: SpawnOptions) => Promise<SpawnResult>;

/**
 * How {@linkcode Spawn} runs a program. Its standard output is always collected. Unstable: any release may change it.
 */
export interface SpawnOptions {
  /** Its standard input: that of this program, or none. */
  readonly stdin: "inherit" | "ignore";
  /** Its standard error: that of this program, none, or a pipe whose last KiB is in the result. */
  readonly stderr: "inherit" | "ignore" | "pipe";
  /** Variables to add to the inherited environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it inherits the environment of this program. If false, it gets only `env`. @default {true} */
  readonly inheritEnv?: boolean | undefined;
  /** Its working directory; that of this program by default. */
  readonly cwd?: string | undefined;
  /** Milliseconds until it is killed; from 1 to 2³¹ − 1, or `Infinity` for never. */
  readonly timeoutMs: number;
  /** Bytes of output above which it is killed. */
  readonly maxOutputBytes: number;
  /** On Windows: whether the runtime passes the arguments unchanged and adds no quotes. */
  readonly verbatimArguments?: boolean;
  /** Kills the program when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** The result of running a program. Unstable: any release may change it. */
export type SpawnResult =
  | {
    /** It exited, or another program killed it. */
    readonly kind: "exited";
    /** Its exit code; absent if a signal killed it. */
    readonly exitCode?: number;
    /** The signal that killed it, such as `SIGKILL`. */
    readonly signal?: string;
    readonly stdout: Uint8Array;
    /** The last KiB of its standard error, with `stderr: "pipe"`. */
    readonly stderr?: string;
  }
  | {
    /** This library killed it: it exceeded `timeoutMs` or `maxOutputBytes`. */
    readonly kind: "timedOut" | "tooMuchOutput";
    readonly stderr?: string;
  }
  | NotStarted;

/** The result for a program that did not start. Unstable: any release may change it. */
export interface NotStarted {
  /** Distinguishes this result from those of a program that ran. */
  readonly kind: "notStarted";
  /** The reason. It is not the error of the system, because that quotes the arguments. */
  readonly cause: Error;
  /** One sentence that names the fix, if the runtime knows it. */
  readonly hint?: string;
}
