import type { Runtime } from "../runtime.ts";

/** A program with its arguments, ready for `Runtime.spawn`. */
interface Invocation {
  readonly command: readonly string[];
  readonly verbatimArguments: boolean;
}

/**
 * How to run a command. A string is passed to the shell unchanged, so that pipes, quotes and variables work as in a
 * terminal. With `/s`, `cmd.exe` removes the outer pair of quotes. `verbatimArguments` keeps the runtime from adding a
 * second pair.
 *
 * @see {@link https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/cmd}
 */
export function invocationOf(
  command: string | readonly string[],
  { platform, env }: Pick<Runtime, "platform" | "env">,
): Invocation {
  if (typeof command !== "string") return { command, verbatimArguments: false };
  return platform === "windows"
    ? { command: [env("ComSpec") ?? "cmd.exe", "/d", "/s", "/c", `"${command}"`], verbatimArguments: true }
    : { command: ["/bin/sh", "-c", command], verbatimArguments: false };
}

/** Whether there is nothing to run. */
export function isBlank(command: string | readonly string[]): boolean {
  return (typeof command === "string" ? command : command[0] ?? "").trim() === "";
}

/**
 * The name of the environment variable that marks a process of this command and all that it starts, to detect a command
 * that runs itself. The name has only a 32-bit hash (FNV-1a) of the command, which may be secret.
 */
export function markerOf(command: string | readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(JSON.stringify(command))) hash = Math.imul(hash ^ byte, 0x01000193);
  return `AWS_ROLECREDS_RUNS_${(hash >>> 0).toString(16).padStart(8, "0")}`;
}
