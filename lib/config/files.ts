import type { Logger } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import { parseSharedConfig, type SharedConfig } from "./profile.ts";
import type { Runtime } from "../runtime.ts";
import {
  type FileLocation,
  fileLocations,
  type LocationRuntime,
  selectedProfile,
  type SharedConfigOptions,
} from "./locations.ts";
import { BOOLEAN, OBJECT, type Rules, STRING } from "../validate.ts";

/** The shared files as they apply to one provider. */
interface LoadedConfig {
  readonly profiles: SharedConfig["profiles"];
  readonly ssoSessions: SharedConfig["ssoSessions"];
  readonly services: SharedConfig["services"];
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
  profile: STRING,
  configFilepath: STRING,
  filepath: STRING,
  ignoreCache: BOOLEAN,
  homeDirectory: STRING,
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
    ? await readFiles(options, runtime)
    : { config: parseSharedConfig(options.sharedConfig), remarks: [] };
  for (const { level, message } of remarks) logger?.[level]?.(message);
  for (const warning of config.warnings) logger?.warn?.(warning);
  const { name, isNamed } = selectedProfile(options, runtime);
  const { profiles, ssoSessions, services } = config;
  return { profiles, ssoSessions, services, profileName: name, isProfileNamed: isNamed };
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

/** What was found at a path. */
type Found = { readonly text: string } | typeof MISSING | typeof UNREADABLE;

const MISSING = { state: "there is no such file, or it may not be read" } as const;
const UNREADABLE = { state: "it is not a file of UTF-8 text" } as const;

/** Made at the first use. By reader, so that two runtimes in one program do not see each other's files. */
let cache: WeakMap<ReadFile, Map<string, Promise<Found>>> | undefined;

async function readFiles(options: SharedConfigOptions, runtime: ConfigRuntime): Promise<ReadConfig> {
  const { config, credentials } = fileLocations(options, runtime);
  cache ??= new WeakMap();
  const kept = cache.get(runtime.readTextFile) ?? new Map<string, Promise<Found>>();
  cache.set(runtime.readTextFile, kept);
  const read = (location: FileLocation | undefined) => {
    if (location === undefined) return { text: "", remarks: [] };
    const known = options.ignoreCache === true ? undefined : kept.get(location.path);
    const finding = known ?? find(location.path, runtime.readTextFile);
    kept.set(location.path, finding);
    return finding.then((found) => judge(location, found));
  };
  const paths = { configPath: config?.path, credentialsPath: credentials?.path };
  try {
    const [first, second] = await Promise.all([read(config), read(credentials)]);
    const parsed = parseSharedConfig({ config: first.text, credentials: second.text, ...paths });
    return { config: parsed, remarks: [...first.remarks, ...second.remarks] };
  } catch (error) {
    for (const path of Object.values(paths)) kept.delete(path ?? ""); // they may be repaired
    throw error;
  }
}

function find(path: string, readTextFile: ReadFile): Promise<Found> {
  return readTextFile(path).then((text) => text === undefined ? MISSING : { text }, () => UNREADABLE);
}

/** A file that nobody named may be missing; one that code named may not. */
function judge(
  { path, namedBy }: FileLocation,
  found: Found,
): { readonly text: string; readonly remarks: readonly Remark[] } {
  if ("text" in found) return { text: found.text, remarks: [] };
  const message = `Cannot read ${path}: ${found.state}`;
  if (namedBy.kind === "option") {
    const hint = `Correct ${namedBy.name}; in Deno, --allow-read=${path} may be missing.`;
    throw new CredentialsProviderError("ConfigurationError", message, { hint });
  }
  const level = namedBy.kind === "default" && found === MISSING ? "debug" : "warn";
  return { text: "", remarks: [{ level, message: `${message}; taken as empty` }] };
}
