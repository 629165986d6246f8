import type { Logger } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { parseSharedConfig, type SharedConfig } from "../parse/profile.ts";
import type { Runtime } from "../runtime.ts";
import {
  type FileLocation,
  fileLocations,
  type LocationRuntime,
  selectedProfile,
  type SharedConfigOptions,
} from "./locations.ts";
import { BOOLEAN, OBJECT, type Rules, TEXT } from "./rules.ts";

/** The shared files as they apply to one provider. */
export interface LoadedConfig {
  readonly profiles: SharedConfig["profiles"];
  readonly profileName: string;
  /** Whether code or environment named the profile. */
  readonly isProfileNamed: boolean;
}

/** What {@linkcode loadSharedConfig} needs of the world. */
export type ConfigRuntime = LocationRuntime & Pick<Runtime, "readTextFile">;

type ReadFile = Runtime["readTextFile"];

/** Something to log about a file, repeated for each provider that asks. */
interface Remark {
  readonly level: "debug" | "warn";
  readonly message: string;
}

interface ReadConfig {
  readonly config: SharedConfig;
  readonly remarks: readonly Remark[];
}

/** How {@linkcode SharedConfigOptions} are checked, with the options of each provider. */
export const SHARED_CONFIG_RULES: Rules = {
  profile: TEXT,
  configFilepath: TEXT,
  filepath: TEXT,
  ignoreCache: BOOLEAN,
  homeDirectory: TEXT,
  sharedConfig: OBJECT,
};

/**
 * Reads the shared files: each once per process, unless `ignoreCache` says otherwise.
 *
 * @throws {CredentialsProviderError} `ConfigParseError` for a malformed file; `ConfigurationError` for one that code
 * named and that cannot be read.
 */
export async function loadSharedConfig(
  options: SharedConfigOptions,
  runtime: ConfigRuntime,
  logger: Logger | null | undefined,
): Promise<LoadedConfig> {
  const { config, remarks } = options.sharedConfig === undefined
    ? await readCached(options, runtime)
    : { config: parseSharedConfig(options.sharedConfig), remarks: [] };
  for (const { level, message } of remarks) logger?.[level]?.(message);
  for (const warning of config.warnings) logger?.warn?.(warning);
  const { name, isNamed } = selectedProfile(options, runtime);
  return { profiles: config.profiles, profileName: name, isProfileNamed: isNamed };
}

/**
 * The properties of the selected profile.
 *
 * @throws {CredentialsProviderError} `ProfileNotFoundError`; a chain goes on only if nobody named the profile.
 */
export function requireProfile({ profiles, profileName, isProfileNamed }: LoadedConfig): ReadonlyMap<string, string> {
  const profile = profiles.get(profileName);
  if (profile !== undefined) return profile;
  throw new CredentialsProviderError(
    "ProfileNotFoundError",
    `Cannot use profile ${profileName}: the shared config files do not have it`,
    {
      tryNextLink: !isProfileNamed,
      hint: "Check AWS_PROFILE and the file locations; in the config file the section is [profile name].",
    },
  );
}

/** Made at the first use. By reader, so that two runtimes in one program do not see each other's files. */
let cache: WeakMap<ReadFile, Map<string, Promise<ReadConfig>>> | undefined;

function readCached(options: SharedConfigOptions, runtime: ConfigRuntime): Promise<ReadConfig> {
  const { config, credentials } = fileLocations(options, runtime);
  const key = JSON.stringify([config, credentials]);
  cache ??= new WeakMap();
  const files = cache.get(runtime.readTextFile) ?? new Map<string, Promise<ReadConfig>>();
  cache.set(runtime.readTextFile, files);
  const kept = options.ignoreCache === true ? undefined : files.get(key);
  if (kept !== undefined) return kept;
  const reading = read(config, credentials, runtime.readTextFile);
  files.set(key, reading);
  reading.catch(() => files.delete(key));
  return reading;
}

async function read(
  config: FileLocation | undefined,
  credentials: FileLocation | undefined,
  readTextFile: ReadFile,
): Promise<ReadConfig> {
  const [first, second] = await Promise.all([readOne(config, readTextFile), readOne(credentials, readTextFile)]);
  const files = {
    config: first.text,
    credentials: second.text,
    configPath: config?.path,
    credentialsPath: credentials?.path,
  };
  return { config: parseSharedConfig(files), remarks: [...first.remarks, ...second.remarks] };
}

/** A file that nobody named may be missing; one that code named may not. */
async function readOne(
  location: FileLocation | undefined,
  readTextFile: ReadFile,
): Promise<{ readonly text: string; readonly remarks: readonly Remark[] }> {
  if (location === undefined) return { text: "", remarks: [] };
  const { path, namedBy } = location;
  const found = await readTextFile(path).then(
    (text) => text === undefined ? MISSING : { text },
    () => UNREADABLE,
  );
  if ("text" in found) return { text: found.text, remarks: [] };
  const message = `Cannot read ${path}: ${found.state}`;
  if (namedBy.kind === "option") {
    const hint = `Correct ${namedBy.name}; in Deno, --allow-read=${path} may be missing.`;
    throw new CredentialsProviderError("ConfigurationError", message, { hint });
  }
  const level = namedBy.kind === "default" && found === MISSING ? "debug" : "warn";
  return { text: "", remarks: [{ level, message: `${message}; taken as empty` }] };
}

const MISSING = { state: "there is no such file, or it may not be read" };
const UNREADABLE = { state: "it is not a file of UTF-8 text" };
