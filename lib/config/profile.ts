import { redactedMap } from "../redaction.ts";
import { type ConfigFile, describeFile, type IniSection, isIdentifier, parseIni } from "./ini.ts";

/** The contents of the two shared files. A file that is not given counts as empty. */
export interface SharedConfigFiles {
  /** The text of the config file, usually `~/.aws/config`. */
  readonly config?: string | undefined;
  /** The text of the credentials file, usually `~/.aws/credentials`. */
  readonly credentials?: string | undefined;
  /** The name of the config file in errors and warnings. */
  readonly configPath?: string | undefined;
  /** The name of the credentials file in errors and warnings. */
  readonly credentialsPath?: string | undefined;
}

/** The parsed files. Keys are property names in lower case; values are not shown when a map is printed. */
export interface SharedConfig {
  /** The properties of each profile, from both files. */
  readonly profiles: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The `[sso-session name]` sections. */
  readonly ssoSessions: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The `[services name]` sections. */
  readonly services: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** One message for each ignored section or property: file, line and reason. It never quotes the file. */
  readonly warnings: readonly string[];
}

type Sections = Map<string, Map<string, string>>;

const PREFIXED_REGEXP = /^(profile|sso-session|services)[ \t]+([^ \t]+)$/;
const PROFILE_DEFAULT_REGEXP = /^profile[ \t]+default$/;

const CONFIG_SECTIONS = "its sections are [default], [profile name], [sso-session name] and [services name]";
const NAME_RULE = "a name has only the characters A-Z a-z 0-9 _ - / . % @ : +";

/**
 * Parses the config file and the credentials file that AWS tools share, and merges their profiles. If both files have a
 * property of a profile, the value from the credentials file is used.
 *
 * @param files The contents, and the file names for messages.
 * @returns Profiles, SSO sessions and service sections by name. If indented lines follow a property, its value contains
 * them: for each a line feed, then the line without white space around it.
 * @throws {CredentialsProviderError} `ConfigParseError` with `line`, and with `path` if it was given, at the first
 * malformed line. The message never quotes the text.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html}
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSharedConfig } from "@rolecreds/aws";
 *
 * const { profiles } = parseSharedConfig({
 *   config: "[profile dev]\nregion = eu-central-1",
 *   credentials: "[dev]\naws_access_key_id = AKIAEXAMPLE",
 * });
 * assertEquals(profiles.get("dev")?.get("region"), "eu-central-1");
 * assertEquals(profiles.get("dev")?.get("aws_access_key_id"), "AKIAEXAMPLE");
 * ```
 */
export function parseSharedConfig(files: SharedConfigFiles): SharedConfig {
  const { config = "", credentials = "", configPath, credentialsPath } = files;
  return mergeConfigs(
    parseConfigFile({ text: config, kind: "config file", path: configPath }),
    parseConfigFile({ text: credentials, kind: "credentials file", path: credentialsPath }),
  );
}

/**
 * Parses one of the two files.
 *
 * @throws {CredentialsProviderError} `ConfigParseError`, as {@linkcode parseSharedConfig}.
 */
export function parseConfigFile(file: ConfigFile): SharedConfig {
  const profiles: Sections = new Map();
  const ssoSessions: Sections = new Map();
  const services: Sections = new Map();
  const warnings = file.kind === "config file"
    ? addConfig(file, new Map([["profile", profiles], ["sso-session", ssoSessions], ["services", services]]))
    : addCredentials(file, profiles);
  return { profiles, ssoSessions, services, warnings };
}

/** Merges the two parsed files, without changing them. */
export function mergeConfigs(config: SharedConfig, credentials: SharedConfig): SharedConfig {
  const profiles = new Map(config.profiles);
  for (const [name, properties] of credentials.profiles) {
    profiles.set(name, mergeProperties(profiles.get(name), properties));
  }
  return { ...config, profiles, warnings: [...config.warnings, ...credentials.warnings] };
}

function mergeProperties(
  config: ReadonlyMap<string, string> | undefined,
  credentials: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  if (config === undefined) return credentials;
  const merged = redactedMap();
  for (const properties of [config, credentials]) for (const [key, value] of properties) merged.set(key, value);
  return merged;
}

/** Adds each section to the map for its prefix, such as `profile`. Returns the warnings. */
function addConfig(file: ConfigFile, namespaces: ReadonlyMap<string, Sections>): readonly string[] {
  const sections = parseIni(file);
  const replacesDefault = sections.some(({ name }) => PROFILE_DEFAULT_REGEXP.test(name));
  return sections.flatMap((section) => {
    const isDefault = section.name === "default";
    if (isDefault && replacesDefault) {
      return ignoredWarning(file, section.line, "section", "[profile default] replaces it");
    }
    const [, prefix = "", name = ""] = PREFIXED_REGEXP.exec(isDefault ? "profile default" : section.name) ?? [];
    const target = namespaces.get(prefix);
    if (target !== undefined && isIdentifier(name)) return addSection(file, section, target, name);
    return ignoredWarning(file, section.line, "section", `${CONFIG_SECTIONS}, ${NAME_RULE}`);
  });
}

/** Adds each section as a profile. Returns the warnings. */
function addCredentials(file: ConfigFile, profiles: Sections): readonly string[] {
  return parseIni(file).flatMap((section) =>
    isIdentifier(section.name)
      ? addSection(file, section, profiles, section.name)
      : ignoredWarning(file, section.line, "section", `its sections are [name], ${NAME_RULE}`)
  );
}

function addSection(file: ConfigFile, section: IniSection, sections: Sections, name: string): readonly string[] {
  const earlier = sections.get(name);
  if (earlier === undefined) sections.set(name, section.properties);
  else for (const [key, value] of section.properties) earlier.set(key, value);
  return section.ignoredLines.map((line) => ignoredWarning(file, line, "property", NAME_RULE));
}

function ignoredWarning(file: ConfigFile, line: number, what: "section" | "property", reason: string): string {
  return `Ignored the ${what} at line ${line} of ${describeFile(file)}: ${reason}`;
}
