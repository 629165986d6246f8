import { endBySignal, onEndSignals } from "./foreground.ts";

interface Input {
  setRawMode(isRaw: boolean): void;
  resume(): void;
  pause(): void;
  on(event: "data", listener: (chunk: Uint8Array | string) => void): void;
  on(event: "end", listener: () => void): void;
  off(event: string, listener: (...args: never[]) => void): void;
}

interface PromptProcess {
  readonly stdin: Input;
  readonly stderr: { write(text: string): void };
  exit(exitCode: number): void;
}

const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ["\x03", "\x04", "\b", "\x7f"];

/**
 * Prints a question on stderr and reads a line from stdin without showing it. Both must be terminals. Ctrl-C and the
 * signals that end a program still end it, after the terminal was reset.
 *
 * @throws The reason of `signal`; an error if stdin ends or the user types Ctrl-D.
 */
export function readHiddenLine(question: string, signal: AbortSignal): Promise<string> {
  const { process } = globalThis as unknown as { readonly process: PromptProcess };
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    let line = "";
    function restore(): void {
      stdin.off("data", onData);
      stdin.off("end", onEnd);
      signal.removeEventListener("abort", onAbort);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
      release();
    }
    function exitBySignal(signalName: string): void {
      restore();
      endBySignal(signalName).then((exitCode) => process.exit(exitCode));
    }
    function onEnd(): void {
      restore();
      reject(new Error("Cannot read the line: the standard input ended"));
    }
    function onAbort(): void {
      restore();
      reject(signal.reason);
    }
    function onData(chunk: Uint8Array | string): void {
      for (const key of typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)) {
        if (key === CTRL_C) return exitBySignal("SIGINT");
        if (key === CTRL_D) return onEnd();
        if (key === "\r" || key === "\n") {
          restore();
          return resolve(line);
        }
        line = key === BACKSPACE || key === DELETE ? line.slice(0, -1) : line + key;
      }
    }
    const release = onEndSignals(exitBySignal);
    signal.addEventListener("abort", onAbort, { once: true });
    stdin.setRawMode(true); // before the question, so that nothing that is typed early appears
    stderr.write(question);
    stdin.on("data", onData);
    stdin.on("end", onEnd);
    stdin.resume();
  });
}
