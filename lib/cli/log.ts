import { printable } from "../printable.ts";
import type { Terminal } from "../runtime/terminal.ts";
import { type Colour, painter } from "./colours.ts";

/** What to log. */
interface LogEntry {
  /** Absent for an entry that is not about a request. */
  readonly request?: { readonly method: string; readonly url: string };
  /** The status of the response; 0 if the connection ended without a response. */
  readonly status?: number;
  readonly message?: string;
}

/**
 * Returns a function that logs to the standard error output: readable lines on a terminal, otherwise one JSON document
 * per line.
 */
export function logger(terminal: Terminal): (entry: LogEntry) => void {
  const { stderrIsTerminal, printError, runtime } = terminal;
  const paint = painter(stderrIsTerminal, terminal);
  return ({ request, status, message }) => {
    const time = new Date(runtime.now()).toISOString();
    const path = request && printable(new URL(request.url).pathname);
    const text = message && printable(message);
    if (!stderrIsTerminal) {
      return printError(JSON.stringify({ time, method: request?.method, path, status, message: text }));
    }
    const words = [
      paint(time.slice(11, 19), "dim"),
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

function colourOf(status: number): Colour {
  return status >= 200 && status < 300 ? "green" : status >= 300 && status < 500 ? "yellow" : "red";
}
