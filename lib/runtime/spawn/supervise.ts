import type { NotStarted, Spawn, SpawnOptions, SpawnResult } from "../../runtime.ts";
import { startFailure } from "./start_failure.ts";

/** How a process ended. */
export interface Exit {
  readonly kind: "exited";
  readonly exitCode?: number;
  readonly signal?: string;
}

/** A process that an adapter started. */
export interface Child {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  /** Never rejects. Node learns only later that a program did not start. */
  readonly ended: Promise<Exit | NotStarted>;
  /**
   * Signals the process and, where it can, those it started; 0 only asks. Never throws.
   *
   * @returns Whether someone is there.
   */
  readonly kill: (signal: KillSignal) => boolean;
  /** Lets this program end before the process does. */
  readonly unref: () => void;
}

/** Bun and Deno make up an exit code where a signal ended the process. */
export function exitOf(exitCode: number | null, signal: string | null): Exit {
  return { kind: "exited", ...(signal === null ? { exitCode: exitCode ?? 0 } : { signal }) };
}

export type KillSignal = "SIGTERM" | "SIGKILL" | 0;

/** What an adapter can do with processes. */
export interface ChildHost {
  /** Starts a process at once. Where that fails it throws the runtime's own error, or returns a better one. */
  readonly start: (command: readonly string[], options: SpawnOptions) => Child | NotStarted;
  /** Calls back when this program ends; returns how to take that back. */
  readonly onExit: (listener: () => void) => () => void;
  /** Lets this program end before the timer fires. */
  readonly unrefTimer: (timer: unknown) => void;
}

/** How long a process that is asked to end may take for it. */
const KILL_DELAY_MS = 2_000;
/** How long output may still arrive from a process that is gone: something it started may hold the pipe for good. */
const GRACE_MS = 2_000;
/** `setTimeout` fires at once beyond this, 24 days; nobody waits longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const STDERR_BYTES = 1_024;

/** {@linkcode Spawn}, made of what an adapter can do. */
export function spawnOn(host: ChildHost): Spawn {
  return async (command, options) => {
    options.signal?.throwIfAborted();
    const child = start(command, options, host);
    return "kind" in child ? child : await supervise(child, options, host);
  };
}

function start(command: readonly string[], options: SpawnOptions, host: ChildHost): Child | NotStarted {
  try {
    return host.start(command, options);
  } catch (error) {
    return startFailure(error);
  }
}

/**
 * Has the result at once, also of a process that does not want to end, and leaves nothing this program waits for. From
 * the moment a process runs until it is gone, the end of this program is its end.
 */
async function supervise(child: Child, options: SpawnOptions, host: ChildHost): Promise<SpawnResult> {
  const interruption = new Interruption(options);
  const unhook = host.onExit(() => child.kill("SIGKILL"));
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stdout = read(child.stdout, (chunk) => {
    size += chunk.length;
    if (size > options.maxOutputBytes) interruption.raise("tooMuchOutput");
    else chunks.push(chunk);
  });
  let tail = new Uint8Array();
  const stderr = child.stderr && read(child.stderr, (chunk) => tail = joined([tail, chunk]).slice(-STDERR_BYTES));
  try {
    const ending = await endingOf(child, Promise.all([stdout.ended, stderr?.ended]), interruption);
    const diagnostics = stderr && { stderr: new TextDecoder().decode(tail) };
    if (typeof ending === "object") {
      return ending.kind === "notStarted" ? ending : { ...ending, stdout: joined(chunks), ...diagnostics };
    }
    terminate(child, host);
    if (ending === "aborted") throw options.signal?.reason;
    return { kind: ending, ...diagnostics };
  } finally {
    unhook();
    interruption.release();
    stdout.cancel();
    stderr?.cancel();
    child.unref();
  }
}

/** Once the process is gone its result counts: then time is up only for the rest of the output. */
async function endingOf(
  child: Child,
  drained: Promise<unknown>,
  interruption: Interruption,
): Promise<Exit | NotStarted | InterruptionReason> {
  const ending = await Promise.race([child.ended, interruption.raised]);
  if (typeof ending === "string") return ending;
  interruption.raiseAfter(GRACE_MS);
  const reason = await Promise.race([drained, interruption.raised]);
  return reason === "tooMuchOutput" || reason === "aborted" ? reason : ending;
}

/**
 * Asks the process and those it started to end, and makes them two seconds later, or when this program ends. It is the
 * rest of the group that may be left when the process itself is gone.
 */
function terminate(child: Child, host: ChildHost): void {
  child.kill("SIGTERM");
  const disarm = () => {
    clearTimeout(timer);
    unhook();
  };
  const finish = () => {
    disarm();
    child.kill("SIGKILL");
  };
  const timer = setTimeout(finish, KILL_DELAY_MS);
  host.unrefTimer(timer);
  const unhook = host.onExit(finish);
  child.ended.then(() => {
    if (!child.kill(0)) disarm();
  });
}

type InterruptionReason = "timedOut" | "tooMuchOutput" | "aborted";

/** The first reason not to wait for a process any longer. */
class Interruption {
  readonly raised: Promise<InterruptionReason>;
  readonly #signal: AbortSignal | undefined;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  #resolve: (reason: InterruptionReason) => void = () => {};

  constructor({ timeoutMs, signal }: SpawnOptions) {
    this.raised = new Promise((resolve) => this.#resolve = resolve);
    this.#signal = signal;
    this.raiseAfter(timeoutMs);
    if (signal?.aborted) this.#abort();
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  raise(reason: InterruptionReason): void {
    this.#resolve(reason);
  }

  raiseAfter(ms: number): void {
    if (ms <= MAX_TIMER_MS) this.#timers.push(setTimeout(() => this.raise("timedOut"), ms));
  }

  /** Takes back the timers and the listener. */
  release(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.raise("aborted");
}

/** Hands over what arrives on a pipe until its end, or until it breaks: then what arrived is all there is. */
function read(
  stream: ReadableStream<Uint8Array>,
  take: (chunk: Uint8Array) => void,
): { readonly ended: Promise<void>; readonly cancel: () => void } {
  const reader = stream.getReader();
  async function pump(): Promise<void> {
    for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  }
  return {
    ended: pump().catch(() => {/* it broke */}),
    cancel: () => void reader.cancel().catch(() => {/* it broke before */}),
  };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
