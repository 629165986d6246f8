import type { Runtime, Spawn } from "../../mod.ts";

/** A runtime without a world: the clock moves only when something sleeps or the test advances it. */
export class FakeRuntime implements Runtime {
  time = Date.parse("2026-01-01T00:00:00Z");
  nextRandom = 0.5;
  readonly slept: number[] = [];
  readonly warnings: string[] = [];
  readonly variables: Record<string, string>;
  /** Texts by path; an error for a file that cannot be read. */
  readonly files: Record<string, string | Error> = {};
  readonly reads: string[] = [];
  /** Fails every write. */
  writeError: Error | undefined;
  /** Answers every request; assign to change it while the code under test holds `fetch`. */
  answer: Runtime["fetch"] = () => Promise.reject(new TypeError("This test has no network"));
  platform: Runtime["platform"] = "posix";
  home: string | undefined;
  spawn: Spawn = () => Promise.resolve({ kind: "notStarted", cause: new Error("this test has no processes") });
  #uuids = 0;
  #deadlines: { readonly at: number; readonly expire: () => void }[] = [];

  constructor(variables: Record<string, string> = {}) {
    this.variables = variables;
  }

  readonly fetch: Runtime["fetch"] = (url, init) => this.answer(url, init);
  readonly fetchDirect: Runtime["fetch"] = (url, init) => this.answer(url, init);
  readonly now = (): number => this.time;
  readonly random = (): number => this.nextRandom;
  readonly randomUuid = (): string => `00000000-0000-4000-8000-${`${++this.#uuids}`.padStart(12, "0")}`;
  readonly env = (name: string): string | undefined => this.variables[name];
  readonly readTextFile = (path: string): Promise<string | undefined> => {
    this.reads.push(path);
    const file = this.files[path];
    return file instanceof Error ? Promise.reject(file) : Promise.resolve(file);
  };
  readonly writeTextFile = (path: string, text: string): Promise<void> => {
    if (this.writeError !== undefined) return Promise.reject(this.writeError);
    this.files[path] = text;
    return Promise.resolve();
  };
  readonly homeDirectory = (): string | undefined => this.home;
  readonly warn = (message: string): void => void this.warnings.push(message);

  /** Passes the time at once, unless a deadline on the way aborts the sleep. */
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    this.slept.push(ms);
    this.advance(ms, signal);
    return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
  };

  readonly timeout = (ms: number): AbortSignal => {
    const controller = new AbortController();
    const reason = new DOMException("The fake deadline passed", "TimeoutError");
    this.#deadlines.push({ at: this.time + ms, expire: () => controller.abort(reason) });
    return controller.signal;
  };

  /** Moves the clock, stopping at a deadline that aborts `signal`. */
  advance(ms: number, signal?: AbortSignal): void {
    const end = this.time + ms;
    const due = this.#deadlines.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
    for (const deadline of due) {
      if (signal?.aborted) return;
      this.time = Math.max(this.time, deadline.at);
      this.#deadlines = this.#deadlines.filter((other) => other !== deadline);
      deadline.expire();
    }
    if (!signal?.aborted) this.time = end;
  }
}
