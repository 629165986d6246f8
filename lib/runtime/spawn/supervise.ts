import type { NotStarted, Spawn, SpawnOptions, SpawnResult } from "../../runtime.ts";
import { untilAborted } from "../../until_aborted.ts";
import { type Child, type ChildHost, type Exit, type Output, startFailure } from "./child.ts";
import { killAtExit, startShell, watch, type Watcher } from "./kill.ts";

/**
 * How long output may still arrive after the process exited: another process that it started can keep the pipe open.
 */
const GRACE_MS = 2_000;
const STDERR_BYTES = 1_024;

/** Makes a {@linkcode Spawn} from the process functions of an adapter. */
export function spawnOn(host: ChildHost): Spawn {
  return async (command, options) => {
    options.signal?.throwIfAborted();
    const shell = await startShell(host);
    // A process that leads a group can be killed with the group. But its new session has no terminal, so it could not
    // prompt a person.
    const isLeader = shell !== undefined && !host.isInteractive();
    const child = start(command, options, isLeader, host);
    if ("exited" in child) {
      const watcher = shell === undefined ? killAtExit(child, host) : watch(child, isLeader, shell);
      return await supervise(child, watcher, options);
    }
    shell?.close();
    return await child;
  };
}

function start(
  command: readonly string[],
  options: SpawnOptions,
  isLeader: boolean,
  host: ChildHost,
): Child | NotStarted | Promise<NotStarted> {
  try {
    return host.start(command, options, isLeader);
  } catch (error) {
    return startFailure(error, options);
  }
}

/** Resolves as soon as the outcome is known, even if the process ignores SIGTERM. */
async function supervise(child: Child, watcher: Watcher, options: SpawnOptions): Promise<SpawnResult> {
  const interruption = new Interruption(options);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stdout = read(child.stdout, (chunk) => {
    size += chunk.length;
    if (size > options.maxOutputBytes) interruption.raise("tooMuchOutput");
    else chunks.push(chunk);
  });
  let tail = new Uint8Array();
  const stderr = child.stderr && read(child.stderr, (chunk) => tail = joined([tail, chunk]).slice(-STDERR_BYTES));
  const outcome = await outcomeOf(child, Promise.all([stdout, stderr]), interruption);
  interruption.release();
  child.stdout.close();
  child.stderr?.close();
  child.unref();
  const diagnostics = stderr && { stderr: new TextDecoder().decode(tail) };
  if (typeof outcome === "object") {
    watcher.release();
    return { ...outcome, stdout: joined(chunks), ...diagnostics };
  }
  watcher.kill();
  if (outcome === "aborted") throw options.signal?.reason;
  return { kind: outcome, ...diagnostics };
}

/**
 * Resolves to the exit of the process, or to what ended the wait. After the exit a time limit only limits how long the
 * rest of the output is awaited.
 */
async function outcomeOf(
  child: Child,
  drained: Promise<unknown>,
  interruption: Interruption,
): Promise<Exit | InterruptionReason> {
  const outcome = await Promise.race([child.exited, interruption.raised]);
  if (typeof outcome === "string") return outcome;
  interruption.timeOutAfter(GRACE_MS);
  const reason = await Promise.race([drained, interruption.raised]);
  return reason === "tooMuchOutput" || reason === "aborted" ? reason : outcome;
}

type InterruptionReason = "timedOut" | "tooMuchOutput" | "aborted";

/** The first reason not to wait for a process any longer. */
class Interruption {
  readonly raised: Promise<InterruptionReason>;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  #resolve: (reason: InterruptionReason) => void = () => {};

  constructor({ timeoutMs, signal }: SpawnOptions) {
    this.raised = new Promise((resolve) => this.#resolve = resolve);
    this.timeOutAfter(timeoutMs);
    untilAborted(this.raised, signal).catch(() => this.raise("aborted"));
  }

  raise(reason: InterruptionReason): void {
    this.#resolve(reason);
  }

  timeOutAfter(ms: number): void {
    if (ms !== Infinity) this.#timers.push(setTimeout(() => this.raise("timedOut"), ms));
  }

  /**
   * Clears the timers. Also settles `raised`, which removes the listener that `untilAborted()` added to the signal; its
   * value is not used any more.
   */
  release(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.raise("aborted");
  }
}

/** Calls `take` with each chunk until the pipe is closed. A pipe that fails counts as closed. */
async function read({ chunks }: Output, take: (chunk: Uint8Array) => void): Promise<void> {
  try {
    for await (const chunk of chunks) take(chunk);
  } catch { /* no more output will arrive */ }
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
