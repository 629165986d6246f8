import { trimmed } from "../blank.ts";
import type { Logger } from "../credentials.ts";
import { logOnce } from "../log_once.ts";
import { type Rule, validated } from "../validate.ts";
import { type ConfigRuntime, loadSharedConfig, type SharedConfigOptions } from "./files.ts";

/** Where settings come from when code does not give them, in this order. */
export interface SettingSources {
  readonly env: (name: string) => string | undefined;
  readonly profile: ReadonlyMap<string, string>;
  /** The properties of the `[services NAME]` sections, by name. */
  readonly services: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly warn: (message: string) => void;
}

/** A setting by the names that the environment and a profile have for it. */
export type Setting = readonly [variable: string, key: string];

/**
 * Reads where the settings of one provider come from: the environment, and the selected profile of the shared files.
 */
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

/** A string from the environment or the profile, with the name to call it by. */
interface FoundSetting {
  readonly name: string;
  readonly text: string;
}

/** The first source that has a non-blank string. */
export function findSetting(
  { env, profile }: Pick<SettingSources, "env" | "profile">,
  [variable, key]: Setting,
): FoundSetting | undefined {
  const fromEnv = trimmed(env(variable));
  if (fromEnv !== undefined) return { name: variable, text: fromEnv };
  const fromProfile = trimmed(profile.get(key));
  return fromProfile === undefined ? undefined : { name: key, text: fromProfile };
}

/** A number in plain decimal digits. */
export function findNumber(
  sources: SettingSources,
  setting: Setting,
  rule: Rule<number>,
): number | undefined {
  const found = findSetting(sources, setting);
  if (found === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(found.text) ? Number(found.text) : found.text;
  return validated("use the settings", found.name, rule, value);
}

/**
 * Names the setting that turns something off. A word that is neither true nor false counts as true, the safe direction
 * for a switch that disables.
 */
export function findSwitch(
  option: readonly [name: string, value: boolean | undefined],
  setting: Setting,
  sources: SettingSources,
): string | undefined {
  if (option[1] !== undefined) return option[1] ? `option ${option[0]}` : undefined;
  const found = findSetting(sources, setting);
  if (found === undefined || found.text.toLowerCase() === "false") return undefined;
  if (found.text.toLowerCase() !== "true") sources.warn(`${found.name} is neither true nor false: it counts as true`);
  return found.name;
}

/** Resolves at the first call and caches the result; an error is not cached. */
export function resolveOnce<T>(resolve: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () =>
    result ??= resolve().catch((error) => {
      result = undefined;
      throw error;
    });
}
