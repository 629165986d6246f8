import type { Logger } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime, SpawnOptions } from "../runtime.ts";
import { checkProviderOptions } from "../config/options.ts";
import {
  BOOLEAN,
  COMMAND,
  integer,
  MILLISECONDS_OR_INFINITY,
  OBJECT,
  oneOf,
  type Rules,
  STRING,
  timeLimitMs,
  VARIABLES,
} from "../validate.ts";
import { SHARED_CONFIG_RULES, type SharedConfigOptions } from "../config/files.ts";

/** Options of {@linkcode ProcessProvider}. */
export interface ProcessProviderOptions extends SharedConfigOptions {
  /**
   * What to run. Defaults to the `credential_process` of the profile. A string for the shell (`/bin/sh -c`, on Windows
   * `cmd.exe`), or a program and its arguments, run without a shell. Never build a string from untrusted input.
   */
  readonly command?: string | readonly string[] | undefined;
  /**
   * Milliseconds until the process group is killed; > 0, rounded up, `Infinity` for never.
   * @default {60000}
   */
  readonly timeout?: number | undefined;
  /** Bytes of output above which the process group is killed; an integer >= 1. @default {65536} */
  readonly maxBufferSize?: number | undefined;
  /**
   * With "inherit" the process reads the stdin of this program, for example an MFA code; with "ignore" its stdin is
   * empty. @default {"inherit"}
   */
  readonly stdin?: "inherit" | "ignore" | undefined;
  /**
   * Where the process writes prompts and diagnostics: to the stderr of this program ("inherit"), nowhere ("ignore"), or
   * to a pipe ("pipe"), whose last KiB is in the `stderr` of an error.
   * @default {"inherit"}
   */
  readonly stderr?: "inherit" | "ignore" | "pipe" | undefined;
  /** Variables to add to the environment that the process inherits. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether the process inherits the environment of this program. If not, `env` should have a `PATH`.
   * @default {true}
   */
  readonly inheritEnv?: boolean | undefined;
  /** The working directory of the process. Defaults to the one of this program. */
  readonly cwd?: string | undefined;
  /**
   * The AWS account the credentials belong to, where the process does not name it. Defaults to the `aws_account_id` of
   * the profile.
   */
  readonly accountId?: string | undefined;
  /** When it aborts, the process group is killed, and the retrieval fails with the reason of the abort. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Receives diagnostics. Without a logger only warnings about options and files are printed; with `null` nothing is.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `spawn`, the environment. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** How the options are checked, except `command` and those for the shared files. */
export const PROCESS_RULES: Rules = {
  timeout: MILLISECONDS_OR_INFINITY,
  maxBufferSize: integer(1),
  stdin: oneOf("inherit", "ignore"),
  stderr: oneOf("inherit", "ignore", "pipe"),
  env: VARIABLES,
  inheritEnv: BOOLEAN,
  cwd: STRING,
  accountId: STRING,
  signal: OBJECT,
};

/**
 * Checks the options, also that `command` and `profile` are not both given.
 *
 * @returns The runtime to use: the detected one, in which `options.runtime` replaces parts.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 */
export function checkProcessOptions(options: ProcessProviderOptions): Runtime {
  const sets = [{ command: COMMAND }, PROCESS_RULES, SHARED_CONFIG_RULES];
  const runtime = checkProviderOptions("process provider", options, ...sets);
  if (options.command === undefined || options.profile === undefined) return runtime;
  throw new CredentialsProviderError(
    "ConfigurationError",
    "Cannot create the process provider: command and profile cannot both be set",
    { hint: "Give the command, or the profile whose credential_process is the command." },
  );
}

/** The options for running the process, with their defaults. */
export function processSettings(options: ProcessProviderOptions): Omit<SpawnOptions, "signal"> {
  const { timeout = 60_000, maxBufferSize = 65_536, stdin = "inherit", stderr = "inherit" } = options;
  const { env = {}, inheritEnv = true, cwd } = options;
  return { timeoutMs: timeLimitMs(timeout), maxOutputBytes: maxBufferSize, stdin, stderr, env, inheritEnv, cwd };
}
