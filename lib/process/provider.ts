import { nonBlank } from "../non_blank.ts";
import type { CacheOptions } from "../cache/cache.ts";
import { cached, type CachedProvider } from "../cache/cached_provider.ts";
import type { Credentials, CredentialsSource, RetrieveOptions } from "../credentials.ts";
import { type CredentialsErrorDetails, CredentialsProviderError } from "../errors.ts";
import { parseProcessCredentials } from "./document.ts";
import { printable } from "../printable.ts";
import type { Runtime, SpawnResult } from "../runtime.ts";
import { detectSpawn } from "../runtime/spawn/detect.ts";
import { checkProcessOptions, type ProcessProviderOptions, processSettings } from "./settings.ts";
import { loadSharedConfig, requireProfile } from "../config/files.ts";
import { expiredError } from "../validate.ts";
import { invocationOf, isBlank, markerOf } from "./command.ts";

type Settings = ReturnType<typeof processSettings>;

/** A command to run, and the account that its credentials belong to. */
interface ProcessTask {
  readonly command: string | readonly string[];
  readonly accountId: string | undefined;
  /** What to call it in errors: never by its arguments, which may be secret. */
  readonly name: string;
}

const BY_HAND_HINT = "Run the command in a terminal: it must print the document and exit with code 0.";
const NOT_STARTED_HINT = "Check the path of the program, and that this user may execute it.";

/**
 * Retrieves credentials from a process that prints them, as `credential_process` does. Each call runs it once. Nothing
 * is cached here: for that use {@linkcode fromProcess}.
 *
 * The process inherits the environment, stdin and stderr, so that it can prompt for an MFA code. Its output and the
 * arguments of the command are not logged and not in an error message; with `stderr: "pipe"` the error has the end of
 * stderr in its `stderr`.
 *
 * On timeout, abort or too much output its process group gets SIGTERM, and SIGKILL two seconds later. The same happens
 * when this program ends before the process, also because of a signal, a crash or `worker.terminate()`: a second
 * process, `/bin/sh`, detects the end of this program. No signal listener is added, and the default action of signals
 * is not changed. The process group is not killed in this way in three cases:
 *
 * - If stdin of this program is a terminal, only the process is killed, not what it started. It gets no process group
 *   of its own, in which it could not read from the terminal.
 * - If `/bin/sh` cannot be started (on Windows, and in Deno without `--allow-run` for it), a process that must be
 *   killed gets no SIGTERM first: on Windows it is killed together with all that it started, elsewhere alone. If a
 *   signal or `worker.terminate()` ends this program, the process continues.
 * - If a signal ends this program after the process has started, but before its id is written to `/bin/sh`, the process
 *   continues.
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
  readonly #runtime: Runtime;

  /**
   * Creates a provider. Nothing is read or run yet.
   *
   * @param options See {@linkcode ProcessProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
   */
  constructor(options: ProcessProviderOptions = {}) {
    this.#runtime = checkProcessOptions(options);
    this.#options = options;
  }

  /**
   * Runs the process and reads the credentials that it prints.
   *
   * @throws {CredentialsProviderError} `ProcessProviderExecutionError` (with `exitCode`, or with `signal` if another
   * program killed the process), `ProcessProviderParseError`, `ProcessProviderVersionError`,
   * `ProcessProviderRequiredError`, `ExpiredCredentialsError`; for a profile also `ProfileNotFoundError`,
   * `NoCredentialProcess`, `ConfigParseError`, `ConfigReadError`, `ConfigurationError`.
   */
  async retrieve({ signal, forceRefresh }: RetrieveOptions = {}): Promise<Credentials> {
    const task = await this.#task(forceRefresh === true);
    return await runTask(task, this.#options, this.#runtime, signal);
  }

  /** The names of the providers that this one retrieves from, for reports. */
  providerSources(): readonly string[] {
    return ["ProcessProvider"];
  }

  async #task(rereads: boolean): Promise<ProcessTask> {
    const { command, accountId } = this.#options;
    if (command !== undefined) return { command, accountId, name: "the credential process" };
    const config = await loadSharedConfig(
      rereads ? { ...this.#options, ignoreCache: true } : this.#options,
      this.#runtime,
    );
    const profile = requireProfile(config);
    const line = nonBlank(profile.get("credential_process"));
    if (line === undefined) throw noProcess(config.profileName);
    return profileTask(config.profileName, line, accountId ?? nonBlank(profile.get("aws_account_id")));
  }
}

/** The task of a `credential_process`. */
export function profileTask(profile: string, command: string, accountId: string | undefined): ProcessTask {
  return { command, accountId, name: `the credential_process of profile ${printable(profile)}` };
}

/** Runs the command of a task, and reads the credentials that it prints. */
export async function runTask(
  task: ProcessTask,
  options: Omit<ProcessProviderOptions, "command">,
  runtime: Runtime,
  signal: AbortSignal | undefined,
): Promise<Credentials> {
  const settings = processSettings(options);
  const result = await run(task, settings, options, runtime, signal);
  try {
    const text = documentOf(task, result, settings);
    const { accountId } = task;
    const credentials = parseProcessCredentials(text, { accountId, repairQuotes: runtime.platform === "windows" });
    const { expiration } = credentials;
    if (expiration !== undefined && expiration.getTime() <= runtime.now()) throw expiredError();
    return credentials;
  } catch (error) {
    throw "stderr" in result ? Object.assign(error as Error, { stderr: result.stderr }) : error;
  }
}

async function run(
  task: ProcessTask,
  settings: Settings,
  options: Omit<ProcessProviderOptions, "command">,
  runtime: Runtime,
  signal: AbortSignal | undefined,
): Promise<SpawnResult> {
  const { command } = task;
  if (isBlank(command)) {
    throw failed(task, "the command is blank", "Set command to a program or a line for the shell.");
  }
  const { env, spawn = detectSpawn() } = runtime;
  const marker = markerOf(command);
  if (env(marker) !== undefined) {
    throw failed(
      task,
      "this program was started by a run of the same command",
      `Let the command use credentials from another source. If it is meant to run itself, unset ${marker} in it.`,
    );
  }
  const { command: words, verbatimArguments } = invocationOf(command, runtime);
  options.logger?.debug?.(`Running the credential process with ${printable(words[0]?.split(/\s/)[0] ?? "")}`);
  return await spawn(words, {
    ...settings,
    env: { ...settings.env, [marker]: "1" },
    verbatimArguments,
    signal: eitherOf(options.signal, signal),
  });
}

/** The output of a process that succeeded; throws in every other case. */
function documentOf(task: ProcessTask, result: SpawnResult, { timeoutMs, maxOutputBytes }: Settings): string {
  switch (result.kind) {
    case "notStarted":
      throw failed(task, printable(result.cause.message), result.hint ?? NOT_STARTED_HINT, { cause: result.cause });
    case "timedOut":
      throw failed(task, `no result after ${timeoutMs} ms`, "Find out what the process waits for, or raise timeout.");
    case "tooMuchOutput":
      throw failed(
        task,
        `it printed more than ${maxOutputBytes} bytes`,
        "Print the document only, or raise maxBufferSize.",
      );
    case "exited":
      if (result.signal !== undefined) {
        throw failed(task, `killed by ${printable(result.signal)}`, BY_HAND_HINT, { signal: result.signal });
      }
      if (result.exitCode !== 0) {
        throw failed(task, `exit code ${result.exitCode}`, BY_HAND_HINT, { exitCode: result.exitCode });
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

function failed(
  { name }: ProcessTask,
  state: string,
  hint: string,
  details: CredentialsErrorDetails = {},
): CredentialsProviderError {
  return new CredentialsProviderError("ProcessProviderExecutionError", `Cannot run ${name}: ${state}`, {
    hint,
    ...details,
  });
}

function noProcess(profile: string): CredentialsProviderError {
  return new CredentialsProviderError(
    "NoCredentialProcess",
    `Cannot use profile ${printable(profile)}: it has no credential_process`,
    { hint: "Add credential_process to the profile, or name another profile." },
  );
}

/** Options of {@linkcode fromProcess}. */
export interface ProcessOptions extends ProcessProviderOptions, CacheOptions {}

/**
 * The credentials that a process prints in the format of `credential_process`, cached until they expire, or as long as
 * this program runs if they have no `Expiration`.
 *
 * Creating the provider runs nothing. However many callers wait, they share one run. The process may prompt for an MFA
 * code, so it is not run before the credentials expire, unless `expiryWindowSeconds` is set.
 *
 * @param options See {@linkcode ProcessOptions}.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws
 * what {@linkcode ProcessProvider.retrieve} throws, unless the expiry window has begun and the cached credentials are
 * still valid.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html}
 * @example Usage
 * ```ts
 * import { fromProcess } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const document = '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}';
 * const provider = fromProcess({ command: `echo '${document}'` }); // a line for the shell
 * const { accessKeyId } = await provider();
 * assertEquals(accessKeyId, "AKIAEXAMPLE");
 * ```
 */
export function fromProcess(options: ProcessOptions = {}): CachedProvider {
  return cached(new ProcessProvider(options), options);
}
