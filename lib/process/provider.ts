import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import { type CredentialsErrorDetails, CredentialsProviderError } from "../errors.ts";
import { parseProcessCredentials } from "../parse/process_document.ts";
import type { Runtime, SpawnResult } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { checkProcessOptions, type ProcessProviderOptions, processSettings } from "../settings/process.ts";
import { expiredError } from "../usable.ts";
import { invocationOf, isBlank, markerOf } from "./command.ts";

type Command = ProcessProviderOptions["command"];
type Settings = ReturnType<typeof processSettings>;

const BY_HAND_HINT = "Run the command by hand: it must print the document and end with exit code 0.";
const NOT_STARTED_HINT = "Check the path of the program, and that this user may execute it.";

/**
 * Retrieves credentials from a process that prints them, as `credential_process` does. Each call runs it once. Put a
 * {@linkcode CredentialsCache} in front, or use {@linkcode fromProcess}, which does.
 *
 * The process inherits the environment, stdin and stderr, so that it can ask for an MFA code. What it prints and the
 * arguments of the command are in no error and no log. When it is stopped (timeout, abort, too much output), all that it
 * started is stopped with it; at a terminal, and in Deno with permission for one program only, it is stopped alone.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html}
 * @example Usage
 * ```ts
 * import { ProcessProvider } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const document = '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}';
 * const provider = new ProcessProvider({ command: ["echo", document] });
 * const credentials = await provider.retrieve();
 * assertEquals(credentials.source, "ProcessProvider");
 * ```
 */
export class ProcessProvider implements CredentialsSource {
  readonly #options: ProcessProviderOptions;
  readonly #settings: Settings;
  readonly #runtime: Runtime;

  /**
   * Creates a provider. Nothing is run yet.
   *
   * @param options See {@linkcode ProcessProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
   */
  constructor(options: ProcessProviderOptions) {
    checkProcessOptions(options);
    this.#options = options;
    this.#settings = processSettings(options);
    this.#runtime = detectRuntime(options.runtime);
  }

  /**
   * Runs the process and reads the credentials that it prints.
   *
   * @throws {CredentialsProviderError} `ProcessProviderExecutionError` (with `exitCode` or `signal`, if it ended by
   * itself), `ProcessProviderParseError`, `ProcessProviderVersionError`, `ProcessProviderRequiredError`,
   * `ExpiredCredentialsError`.
   */
  async retrieve({ signal }: RetrieveOptions = {}): Promise<Credentials> {
    const { command, accountId } = this.#options;
    const result = await this.#run(command, signal);
    try {
      const text = documentOf(result, this.#settings);
      return this.#unexpired(
        parseProcessCredentials(text, { accountId, repairQuotes: this.#runtime.platform === "windows" }),
      );
    } catch (error) {
      throw "stderr" in result ? Object.assign(error as Error, { stderr: result.stderr }) : error;
    }
  }

  /** The providers this one stands for. */
  providerSources(): readonly string[] {
    return ["ProcessProvider"];
  }

  async #run(command: Command, signal: AbortSignal | undefined): Promise<SpawnResult> {
    if (isBlank(command)) throw failed("the command is blank", "Set command to a program or a line for the shell.");
    const { env, spawn } = this.#runtime;
    const marker = markerOf(command);
    if (env(marker) !== undefined) {
      throw failed(
        "this program was started by a run of the same command",
        `Let the command get its own credentials elsewhere; if it ends here by intent, unset ${marker} in it.`,
      );
    }
    const { command: words, verbatimArguments } = invocationOf(command, this.#runtime);
    this.#options.logger?.debug?.(`Running the credential process with ${words[0]}`);
    return await spawn(words, {
      ...this.#settings,
      env: { ...this.#settings.env, [marker]: "1" },
      verbatimArguments,
      signal: eitherOf(this.#options.signal, signal),
    });
  }

  #unexpired(credentials: Credentials): Credentials {
    const { expiration } = credentials;
    if (expiration !== undefined && expiration.getTime() <= this.#runtime.now()) throw expiredError();
    return credentials;
  }
}

/** What the process printed, if it ended well; else nobody looks at it. */
function documentOf(result: SpawnResult, { timeoutMs, maxOutputBytes }: Settings): string {
  switch (result.kind) {
    case "notStarted":
      throw failed(result.cause.message, result.hint ?? NOT_STARTED_HINT, { cause: result.cause });
    case "timedOut":
      throw failed(`no result after ${timeoutMs} ms`, "Find out what the process waits for, or raise timeout.");
    case "tooMuchOutput":
      throw failed(`it printed more than ${maxOutputBytes} bytes`, "Print the document only, or raise maxBufferSize.");
    case "exited":
      if (result.signal !== undefined) {
        throw failed(`${result.signal} ended it`, BY_HAND_HINT, { signal: result.signal });
      }
      if (result.exitCode !== 0) {
        throw failed(`exit code ${result.exitCode}`, BY_HAND_HINT, { exitCode: result.exitCode });
      }
      return utf8(result.stdout);
  }
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CredentialsProviderError(
      "ProcessProviderParseError",
      `Cannot use the process document: it is not valid UTF-8, ${bytes.length} bytes`,
      { hint: "Print the document in UTF-8." },
    );
  }
}

function eitherOf(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one !== undefined && other !== undefined ? AbortSignal.any([one, other]) : one ?? other;
}

function failed(state: string, hint: string, details: CredentialsErrorDetails = {}): CredentialsProviderError {
  return new CredentialsProviderError("ProcessProviderExecutionError", `Cannot run the credential process: ${state}`, {
    hint,
    ...details,
  });
}
