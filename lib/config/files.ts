import { nonBlank, nonBlankPath } from "../non_blank.ts";
import type { Logger } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { logOnce, warnOnce } from "../log_once.ts";
import { printable } from "../printable.ts";
import type { FileError, Runtime } from "../runtime.ts";
import { ANY_STRING, BOOLEAN, objectOf, type Rules, STRING } from "../validate.ts";
import { type ConfigFile, describeFile, parseError } from "./ini.ts";
import { mergeConfigs, parseConfigFile, parseSharedConfig, type SharedConfig } from "./profile.ts";

/** The paths of the shared config files, and the profile to use. */
export interface SharedConfigOptions {
  /** The profile. Defaults to `AWS_PROFILE`, then `AWS_DEFAULT_PROFILE`, then `default`. */
  readonly profile?: string | undefined;
  /** The config file. Defaults to `AWS_CONFIG_FILE`, then `~/.aws/config`. */
  readonly configFilepath?: string | undefined;
  /** The credentials file. Defaults to `AWS_SHARED_CREDENTIALS_FILE`, then `~/.aws/credentials`. */
  readonly filepath?: string | undefined;
  /** Whether to read the files again. By default each is read once per process. @default {false} */
  readonly ignoreCache?: boolean | undefined;
  /**
   * The home directory: `~` in paths, and the folder that contains `.aws`. Defaults to `HOME`; on Windows then to
   * `USERPROFILE`, then to `HOMEDRIVE` and `HOMEPATH` together; then to the home directory that the system returns.
   */
  readonly homeDirectory?: string | undefined;
  /** The contents of the two files. If it is given, no file is read. For runtimes without files. */
  readonly sharedConfig?:
    | { readonly config?: string | undefined; readonly credentials?: string | undefined }
    | undefined;
}

/** How {@linkcode SharedConfigOptions} are checked. */
export const SHARED_CONFIG_RULES: Rules = {
  profile: STRING,
  configFilepath: STRING,
  filepath: STRING,
  ignoreCache: BOOLEAN,
  homeDirectory: STRING,
  sharedConfig: objectOf({ config: ANY_STRING, credentials: ANY_STRING }),
};

/** The contents of the shared files, and the selected profile. */
interface LoadedConfig extends Omit<SharedConfig, "warnings"> {
  readonly profileName: string;
  /** Whether an option or the environment names the profile. */
  readonly isProfileNamed: boolean;
}

/** The parts of the runtime that {@linkcode loadSharedConfig} uses. */
export type ConfigRuntime = Pick<Runtime, "env" | "platform" | "homeDirectory" | "readTextFile" | "warn">;

type LoadOptions = SharedConfigOptions & { readonly logger?: Logger | null | undefined };

/**
 * Reads and parses the shared files, each once per process, or again with `ignoreCache`. If that fails, the next call
 * reads the file again.
 *
 * @throws {CredentialsProviderError} `ConfigParseError` for a malformed file; `ConfigurationError` if a file that an
 * option names is missing, is not a regular file or may not be read; `ConfigReadError` if reading a file fails in
 * another way, such as with `EMFILE`.
 */
export async function loadSharedConfig(options: LoadOptions, runtime: ConfigRuntime): Promise<LoadedConfig> {
  const { warnings, ...config } = await readConfig(options, runtime);
  for (const warning of warnings) logOnce(options.logger, "warn", warning);
  const { name, isNamed } = selectedProfile(options, runtime);
  return { ...config, profileName: name, isProfileNamed: isNamed };
}

/**
 * The properties of the selected profile.
 *
 * @throws {CredentialsProviderError} `ProfileNotFoundError`; a chain continues only if neither an option nor the
 * environment names the profile.
 */
export function requireProfile({ profiles, profileName, isProfileNamed }: LoadedConfig): ReadonlyMap<string, string> {
  const profile = profiles.get(profileName);
  if (profile !== undefined) return profile;
  throw new CredentialsProviderError(
    "ProfileNotFoundError",
    `Cannot use profile ${printable(profileName)}: the shared config files do not have it`,
    {
      tryNextLink: !isProfileNamed,
      hint: "Check AWS_PROFILE and the file locations; in the config file the section is [profile name].",
    },
  );
}

/** The name of the profile, and whether an option or the environment names it. */
export function selectedProfile(
  { profile }: SharedConfigOptions,
  { env }: Pick<Runtime, "env">,
): { readonly name: string; readonly isNamed: boolean } {
  const named = profile ?? nonBlank(env("AWS_PROFILE")) ?? nonBlank(env("AWS_DEFAULT_PROFILE"));
  return { name: named ?? "default", isNamed: named !== undefined };
}

/** The path of one of the two files, and where it comes from. */
interface FileLocation extends Omit<ConfigFile, "text"> {
  readonly path: string;
  readonly namedBy: NonNullable<ConfigFile["namedBy"]>;
}

/** The parts of the runtime that are used to find the files. */
type LocationRuntime = Pick<Runtime, "env" | "platform" | "homeDirectory">;

const FILES = {
  "config file": { option: "configFilepath", variable: "AWS_CONFIG_FILE", basename: "config" },
  "credentials file": { option: "filepath", variable: "AWS_SHARED_CREDENTIALS_FILE", basename: "credentials" },
} as const;

/**
 * The path of one of the two files; `undefined` if nothing names it and the home directory is not known.
 *
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html}
 */
export function fileLocation(
  kind: ConfigFile["kind"],
  options: SharedConfigOptions,
  runtime: LocationRuntime,
): FileLocation | undefined {
  const { option, variable, basename } = FILES[kind];
  const path = options[option] ?? nonBlankPath(runtime.env(variable));
  if (path === undefined) {
    const home = homeDirectory(options, runtime);
    return home === undefined ? undefined : { kind, path: `${home}/.aws/${basename}`, namedBy: "default" };
  }
  return {
    kind,
    path: withHome(path, options, runtime),
    namedBy: options[option] === undefined ? "variable" : "option",
  };
}

/** The folder that the variable names, else a folder below `~/.aws`; `undefined` if neither is known. */
export function awsFolder(
  name: string,
  variable: string | undefined,
  options: SharedConfigOptions,
  runtime: LocationRuntime,
): string | undefined {
  const named = variable === undefined ? undefined : nonBlankPath(runtime.env(variable));
  if (named !== undefined) return withoutSlash(withHome(named, options, runtime));
  const home = homeDirectory(options, runtime);
  return home === undefined ? undefined : `${home}/.aws/${name}`;
}

/** The path with `~` expanded, if that is the whole path or before a slash. `~user` and variables are not expanded. */
function withHome(path: string, options: SharedConfigOptions, runtime: LocationRuntime): string {
  const isInHome = path === "~" || path.startsWith("~/") ||
    (runtime.platform === "windows" && path.startsWith("~\\"));
  const home = isInHome ? homeDirectory(options, runtime) : undefined;
  return home === undefined ? path : home + path.slice(1);
}

/** The home directory, without a slash at its end. */
function homeDirectory({ homeDirectory }: SharedConfigOptions, runtime: LocationRuntime): string | undefined {
  const { env, platform } = runtime;
  const home = homeDirectory ?? nonBlankPath(env("HOME")) ?? (platform === "windows" ? windowsHome(env) : undefined) ??
    runtime.homeDirectory();
  return home === undefined ? undefined : withoutSlash(home);
}

function withoutSlash(path: string): string {
  return path.replace(/[/\\]$/, "");
}

function windowsHome(env: Runtime["env"]): string | undefined {
  const [drive, path] = [nonBlankPath(env("HOMEDRIVE")), nonBlankPath(env("HOMEPATH"))];
  return nonBlankPath(env("USERPROFILE")) ?? (drive !== undefined && path !== undefined ? drive + path : undefined);
}

/** The parsed content of a file. If the file was not read, `problem` is the reason and `config` is empty. */
interface ParsedFile {
  readonly config: SharedConfig;
  readonly problem?: string;
}

const MISSING = "there is no such file";

/**
 * The parsed files, by the function that reads them (or the option `sharedConfig`) and by path: two runtimes in one
 * program do not share files. Created at the first use.
 */
let parsedFiles: WeakMap<object, Map<string, Promise<ParsedFile>>> | undefined;

async function readConfig(options: LoadOptions, runtime: ConfigRuntime): Promise<SharedConfig> {
  const { sharedConfig, ignoreCache } = options;
  if (sharedConfig !== undefined) {
    const { config, credentials } = sharedConfig;
    // deno-lint-ignore require-await -- what is thrown here must reject the promise
    const load = async () => ({ config: parseSharedConfig({ config, credentials }) });
    return (await loadOnce(sharedConfig, "", load, ignoreCache)).config;
  }
  const files = [loadFile("config file", options, runtime), loadFile("credentials file", options, runtime)] as const;
  return mergeConfigs(...await Promise.all(files));
}

async function loadFile(
  kind: ConfigFile["kind"],
  options: LoadOptions,
  runtime: ConfigRuntime,
): Promise<SharedConfig> {
  const file = fileLocation(kind, options, runtime);
  if (file === undefined) return parseSharedConfig({});
  const load = () => readAndParse(file, runtime.readTextFile);
  const key = `${kind} ${file.namedBy} ${file.path}`;
  const { config, problem } = await loadOnce(runtime.readTextFile, key, load, options.ignoreCache);
  if (problem === undefined) return config;
  const message = `Ignored ${describeFile(file)}: ${problem}`;
  if (problem !== MISSING) warnOnce(options.logger, runtime, message);
  else logOnce(options.logger, file.namedBy === "default" ? "debug" : "warn", message);
  return config;
}

/** The cached result, else that of `load`. An error is not cached: the next call may succeed. */
function loadOnce(
  owner: object,
  key: string,
  load: () => Promise<ParsedFile>,
  ignoreCache: boolean | undefined,
): Promise<ParsedFile> {
  parsedFiles ??= new WeakMap();
  const results = parsedFiles.get(owner) ?? new Map<string, Promise<ParsedFile>>();
  parsedFiles.set(owner, results);
  const cached = ignoreCache === true ? undefined : results.get(key);
  if (cached !== undefined) return cached;
  const result = load();
  results.set(key, result);
  result.catch(() => {
    if (results.get(key) === result) results.delete(key); // with ignoreCache a newer one may be there
  });
  return result;
}

async function readAndParse(file: FileLocation, readTextFile: Runtime["readTextFile"]): Promise<ParsedFile> {
  const read = await readText(file, readTextFile);
  if ("text" in read) return { config: parseConfigFile({ ...file, text: read.text }) };
  if (file.namedBy !== "option") return { config: parseSharedConfig({}), problem: read.problem };
  throw new CredentialsProviderError("ConfigurationError", `Cannot read ${describeFile(file)}: ${read.problem}`, {
    path: file.path,
    hint: `Correct ${FILES[file.kind].option}; in Deno, grant --allow-read=${printable(file.path)}.`,
  });
}

/**
 * The text of a file, or why there is none.
 *
 * @throws {CredentialsProviderError} If the file is not UTF-8, is too large, or could not be read by the system: if it
 * were ignored, credentials of another identity could be used.
 */
async function readText(
  file: FileLocation,
  readTextFile: Runtime["readTextFile"],
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    const text = await readTextFile(file.path);
    return text === undefined ? { problem: MISSING } : { text };
  } catch (error) {
    if (error instanceof CredentialsProviderError) throw error;
    const { code, line, systemCode = code } = (error ?? {}) as Partial<FileError>;
    if (code === "NotPermitted") return { problem: "there is no permission to read it" };
    if (code === "NotAFile") return { problem: "it is not a regular file" };
    if (code === "NotUtf8") throw parseError(file, `line ${line} is not UTF-8`, "Save the file as UTF-8", line);
    if (code === "TooLarge") throw parseError(file, "it is larger than 16 MiB", "Make it smaller");
    throw systemError(file, systemCode);
  }
}

function systemError(file: FileLocation, systemCode: unknown): CredentialsProviderError {
  const state = `reading failed with ${typeof systemCode === "string" ? printable(systemCode) : "an unknown error"}`;
  return new CredentialsProviderError("ConfigReadError", `Cannot read ${describeFile(file)}: ${state}`, {
    path: file.path,
    hint: "Try again; check the limit of open files, and the disk.",
  });
}
