import type { ForegroundExit, Terminal } from "../../lib/runtime/terminal.ts";
import { main } from "../../lib/cli/main.ts";
import { FakeRuntime } from "./fake_runtime.ts";

/** A terminal that keeps what is printed, over a runtime without a world. */
export class FakeTerminal implements Terminal {
  args: readonly string[] = [];
  stdinIsTerminal = false;
  stdoutIsTerminal = false;
  stderrIsTerminal = false;
  readonly runtime: FakeRuntime;
  readonly printed: string[] = [];
  readonly errors: string[] = [];
  readonly questions: string[] = [];
  readonly programs: { readonly command: readonly string[]; readonly variables: Record<string, string | undefined> }[] =
    [];
  readonly signals: string[] = [];
  /** What is typed at a question. */
  typed = "123456";
  /** How every program ends. */
  programExit: ForegroundExit = { exitCode: 0 };

  constructor(variables: Record<string, string> = {}) {
    this.runtime = new FakeRuntime(variables);
  }

  readonly print = (line: string): void => void this.printed.push(line);
  readonly printError = (line: string): void => void this.errors.push(line);
  readonly randomBytes = (length: number): Uint8Array => new Uint8Array(length).fill(0xab);
  readonly endBySignal = (signal: string): Promise<number> => {
    this.signals.push(signal);
    return Promise.resolve(this.programExit.exitCode);
  };

  readonly readHiddenLine = (question: string): Promise<string> => {
    this.questions.push(question);
    return Promise.resolve(this.typed);
  };

  readonly runInForeground: Terminal["runInForeground"] = (command, variables) => {
    this.programs.push({ command, variables });
    return Promise.resolve(this.programExit);
  };

  /** Runs a command line; resolves to its exit code. */
  run(...args: readonly string[]): Promise<number> {
    this.args = args;
    return main(this);
  }

  get stdout(): string {
    return this.printed.join("\n");
  }

  get stderr(): string {
    return this.errors.join("\n");
  }
}
