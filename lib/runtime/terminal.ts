/** What a command line program sees of the terminal, and writes to it. */
export interface Terminal {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  /** Whether a person reads the standard output. */
  readonly isInteractive: boolean;
  /** Writes one line to the standard output. */
  readonly print: (line: string) => void;
  /** Writes one line to the standard error output. */
  readonly printError: (line: string) => void;
}

interface Process {
  readonly argv: readonly string[];
  readonly stdout: { readonly isTTY?: boolean; write(text: string): void };
  readonly stderr: { write(text: string): void };
  exitCode?: number;
  getBuiltinModule<T>(id: string): T;
}

/** Runs `main` if `meta` is the module that the program was started with. Importing it does nothing. */
export async function runIfStarted(
  meta: { readonly main?: boolean; readonly url: string },
  main: (terminal: Terminal) => Promise<number>,
): Promise<void> {
  const { process } = globalThis as { process?: Process };
  if (process === undefined || !wasStarted(meta, process)) return;
  process.exitCode = await main({
    args: process.argv.slice(2),
    isInteractive: process.stdout.isTTY === true,
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
  });
}

/** Node before 24.2 does not tell; there the real path of the script does, which npm reaches through a link. */
function wasStarted({ main, url }: { readonly main?: boolean; readonly url: string }, process: Process): boolean {
  if (main !== undefined) return main;
  const script = process.argv[1];
  if (script === undefined) return false;
  const { realpathSync } = process.getBuiltinModule<{ realpathSync(path: string): string }>("node:fs");
  const { pathToFileURL } = process.getBuiltinModule<{ pathToFileURL(path: string): URL }>("node:url");
  return pathToFileURL(realpathSync(script)).href === url;
}
