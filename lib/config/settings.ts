import type { Logger } from "../credentials.ts";
import type { SharedConfigOptions } from "./locations.ts";
import { type Rule, validated } from "../validate.ts";
import { type ConfigRuntime, loadSharedConfig } from "./files.ts";

/** Where settings come from when code does not give them, in this order. */
export interface SettingSources {
  readonly env: (name: string) => string | undefined;
  readonly profile: ReadonlyMap<string, string>;
  /** The properties of the `[services NAME]` sections, by name. */
  readonly services: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly warn: (message: string) => void;
}

/** Reads where the settings of one provider come from: the environment, and the selected profile of the shared files. */
export async function loadSources(
  options: SharedConfigOptions & { readonly logger?: Logger | null | undefined },
  runtime: ConfigRuntime,
): Promise<SettingSources> {
  const { logger } = options;
  const { profiles, services, profileName } = await loadSharedConfig(options, runtime, logger);
  return {
    env: runtime.env,
    profile: profiles.get(profileName) ?? new Map(),
    services,
    warn: (message) => logger?.warn?.(message),
  };
}

/** A text from the environment or the profile, with the name to call it by. */
interface FoundSetting {
  readonly name: string;
  readonly text: string;
}

/** The first source that has a non-blank text. */
export function findSetting(
  { env, profile }: Pick<SettingSources, "env" | "profile">,
  variable: string,
  key: string,
): FoundSetting | undefined {
  const fromEnv = env(variable)?.trim();
  if (fromEnv) return { name: variable, text: fromEnv };
  const fromProfile = profile.get(key)?.trim();
  return fromProfile ? { name: key, text: fromProfile } : undefined;
}

/** A number in plain decimal digits. */
export function findNumber(
  sources: SettingSources,
  variable: string,
  key: string,
  rule: Rule<number>,
): number | undefined {
  const found = findSetting(sources, variable, key);
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
  variable: string,
  key: string,
  sources: SettingSources,
): string | undefined {
  if (option[1] !== undefined) return option[1] ? `option ${option[0]}` : undefined;
  const found = findSetting(sources, variable, key);
  if (found === undefined || found.text.toLowerCase() === "false") return undefined;
  if (found.text.toLowerCase() !== "true") sources.warn(`${found.name} is neither true nor false; taken as true`);
  return found.name;
}

/** Resolves at the first call and keeps the result; a failure is not kept. */
export function resolveOnce<T>(resolve: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () =>
    kept ??= resolve().catch((error) => {
      kept = undefined;
      throw error;
    });
}
