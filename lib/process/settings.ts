import type { Logger } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime, SpawnOptions } from "../runtime.ts";
import type { SharedConfigOptions } from "../config/locations.ts";
import {
  checkOptions,
  COMMAND,
  integer,
  MILLISECONDS_OR_INFINITY,
  OBJECT,
  oneOf,
  type Rules,
  STRING,
  VARIABLES,
} from "../validate.ts";
import { SHARED_CONFIG_RULES } from "../config/files.ts";

/** Options of {@linkcode ProcessProvider}. */
export interface ProcessProviderOptions extends SharedConfigOptions {
  /**
   * What to run. Defaults to the `credential_process` of the profile. A text for the shell (`/bin/sh -c`, on Windows `cmd.exe`), or a program and its arguments, run without
   * one. Never build a text from anything that is not trusted.
   */
  readonly command?: string | readonly string[];
  /** Milliseconds until the process and all it started are stopped; > 0, `Infinity` for never. @default {60000} */
  readonly timeout?: number;
  /** Bytes of output above which the process is stopped; an integer >= 1. @default {65536} */
  readonly maxBufferSize?: number;
  /** Whether the process reads what this program reads, an MFA code for example. @default {"inherit"} */
  readonly stdin?: "inherit" | "ignore";
  /**
   * Whether prompts and diagnostics of the process appear where this program's do, vanish, or end up (the last KiB) in
   * the `stderr` of an error.
   * @default {"inherit"}
   */
  readonly stderr?: "inherit" | "ignore" | "pipe";
  /** Variables to add to the environment that the process inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * The AWS account the credentials belong to, where the process does not name it. Defaults to the `aws_account_id` of
   * the profile.
   */
  readonly accountId?: string;
  /** Stops the process, and fails the retrieval with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Where diagnostics go; nothing is printed without one. */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `spawn`, the environment. */
  readonly runtime?: Partial<Runtime> | undefined;
}

const RULES: Rules = {
  timeout: MILLISECONDS_OR_INFINITY,
  maxBufferSize: integer(1),
  stdin: oneOf("inherit", "ignore"),
  stderr: oneOf("inherit", "ignore", "pipe"),
  env: VARIABLES,
  accountId: STRING,
  signal: OBJECT,
  command: COMMAND,
};

/**
 * Checks the options as they are given.
 *
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
 */
export function checkProcessOptions(options: ProcessProviderOptions): void {
  checkOptions("process provider", options, { ...SHARED_CONFIG_RULES, ...RULES });
  if (options.command === undefined || options.profile === undefined) return;
  throw new CredentialsProviderError(
    "ConfigurationError",
    "Cannot create process provider: command and profile exclude each other",
    { hint: "Give the command, or the profile whose credential_process is the command." },
  );
}

/** The options for running the process, with their defaults. */
export function processSettings(
  { timeout = 60_000, maxBufferSize = 65_536, stdin = "inherit", stderr = "inherit", env = {} }: ProcessProviderOptions,
): Omit<SpawnOptions, "signal"> {
  return { timeoutMs: timeout, maxOutputBytes: maxBufferSize, stdin, stderr, env };
}
