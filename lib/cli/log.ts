import { printable } from "../printable.ts";
import type { Terminal } from "../runtime/terminal.ts";

/** What to log. */
interface LogEntry {
  /** Absent for what is no request. */
  readonly request?: { readonly method: string; readonly url: string };
  /** Of the response; 0 where the connection ended without one. */
  readonly status?: number;
  readonly message?: string;
}

const DIM = "2";
const [GREEN, YELLOW, RED] = ["32", "33", "31"] as const;

/** Writes to the standard error output: lines for people on a terminal, elsewhere one JSON document a line. */
export function logger({ stderrIsTerminal, printError, runtime }: Terminal): (entry: LogEntry) => void {
  const hasColours = (runtime.env("NO_COLOR") ?? "") === "";
  const paint = (text: string, colour: string) => hasColours ? `\x1b[${colour}m${text}\x1b[0m` : text;
  return ({ request, status, message }) => {
    const time = new Date(runtime.now()).toISOString();
    const path = request && printable(new URL(request.url).pathname);
    const text = message && printable(message);
    if (!stderrIsTerminal) {
      return printError(JSON.stringify({ time, method: request?.method, path, status, message: text }));
    }
    const words = [
      paint(time.slice(11, 19), DIM),
      request?.method.padEnd(4),
      path,
      status === undefined ? undefined : paint(statusText(status), colourOf(status)),
      text,
    ];
    printError(words.filter((word) => word !== undefined).join(" "));
  };
}

function statusText(status: number): string {
  return status === 0 ? "no response" : `${status}`;
}

function colourOf(status: number): string {
  return status >= 200 && status < 300 ? GREEN : status >= 300 && status < 500 ? YELLOW : RED;
}
