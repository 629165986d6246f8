import { nonBlank } from "../non_blank.ts";
import type { Logger } from "../credentials.ts";
import { logOnce } from "../log_once.ts";
import { type Rule, validated } from "../validate.ts";
import { type ConfigRuntime, loadSharedConfig, type SharedConfigOptions } from "./files.ts";

/** Where settings come from if no option gives them: first `env`, then `profile`. */
export interface SettingSources {
  readonly env: (name: string) => string | undefined;
  readonly profile: ReadonlyMap<string, string>;
  /** The properties of the `[services name]` sections, by name. */
  readonly services: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly warn: (message: string) => void;
}

/** The two names of a setting: an environment variable, and a key of a profile. */
export type Setting = readonly [variable: string, key: string];

/** Loads the sources of the settings of a provider: the environment, and the selected profile of the shared files. */
export async function loadSources(
  options: SharedConfigOptions & { readonly logger?: Logger | null | undefined },
  runtime: ConfigRuntime,
): Promise<SettingSources> {
  const { profiles, services, profileName } = await loadSharedConfig(options, runtime);
  return {
    env: runtime.env,
    profile: profiles.get(profileName) ?? new Map(),
    services,
    warn: (message) => logOnce(options.logger, "warn", message),
  };
}

/** The value of a setting, and the variable or key that it comes from. */
interface FoundSetting {
  readonly name: string;
  readonly text: string;
}

/** A setting from the environment, else from the profile, without white space around it; blank counts as unset. */
export function findSetting(
  { env, profile }: Pick<SettingSources, "env" | "profile">,
  [variable, key]: Setting,
): FoundSetting | undefined {
  const fromEnv = nonBlank(env(variable));
  if (fromEnv !== undefined) return { name: variable, text: fromEnv };
  const fromProfile = nonBlank(profile.get(key));
  return fromProfile === undefined ? undefined : { name: key, text: fromProfile };
}

/**
 * A setting that is a number in decimal digits.
 *
 * @throws {CredentialsProviderError} `ConfigurationError` for any other string.
 */
export function findNumber(
  sources: SettingSources,
  setting: Setting,
  rule: Rule<number>,
): number | undefined {
  const found = findSetting(sources, setting);
  if (found === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(found.text) ? Number(found.text) : found.text; // the rule rejects a string
  return validated("use the settings", found.name, rule, value);
}

/**
 * The name of the option, variable or key that turns a feature off; `undefined` if none does. A value that is neither
 * true nor false counts as true: to turn the feature off is the safe choice.
 */
export function findDisablingSetting(
  option: readonly [name: string, value: boolean | undefined],
  setting: Setting,
  sources: SettingSources,
): string | undefined {
  if (option[1] !== undefined) return option[1] ? `the option ${option[0]}` : undefined;
  const found = findSetting(sources, setting);
  if (found === undefined || found.text.toLowerCase() === "false") return undefined;
  if (found.text.toLowerCase() !== "true") sources.warn(`${found.name} is neither true nor false: it counts as true`);
  return found.name;
}

/** Returns a function that calls `resolve` once and caches the result. After an error the next call tries again. */
export function resolveOnce<T>(resolve: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () =>
    result ??= resolve().catch((error) => {
      result = undefined;
      throw error;
    });
}
