import type { Runtime } from "../runtime.ts";

/** A program with its arguments, ready for `Runtime.spawn`. */
interface Invocation {
  readonly command: readonly string[];
  readonly verbatimArguments: boolean;
}

/**
 * How to run a command: a text goes to the shell whole, for pipes, quotes and variables to work as they are typed.
 * `cmd.exe` takes one pair of quotes off (`/s`), and must not get a second pair around them.
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
 * The variable that a process for this command finds in its environment, and so does what it starts. Its name holds no
 * more of the command, which may be secret, than a hash of 32 bits (FNV-1a).
 */
export function markerOf(command: string | readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(JSON.stringify(command))) hash = Math.imul(hash ^ byte, 0x01000193);
  return `AWS_ROLECREDS_RUNS_${(hash >>> 0).toString(16).padStart(8, "0")}`;
}
