import { nonBlank } from "../non_blank.ts";
import type { Logger } from "../credentials.ts";
import type { Runtime } from "../runtime.ts";
import { STRING } from "../validate.ts";
import { SHARED_CONFIG_RULES, type SharedConfigOptions } from "./files.ts";
import { checkProviderOptions } from "./options.ts";
import { loadSources, type SettingSources } from "./settings.ts";

/** Options of {@linkcode resolveRegion}. */
export interface RegionOptions extends SharedConfigOptions {
  /** The region, if the caller knows it. */
  readonly region?: string | undefined;
  /** Where diagnostics go. */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime, such as the environment. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/**
 * Finds the region that AWS tools would use: the option, `AWS_REGION`, `AWS_DEFAULT_REGION`, the `region` of the
 * profile.
 *
 * @param options See {@linkcode RegionOptions}.
 * @returns The region, such as `eu-west-1`; `undefined` if nothing names one.
 * @throws {CredentialsProviderError} `ConfigurationError` for a wrong option, or if a file that it names is missing, is
 * not a regular file or may not be read; `ConfigParseError` for a malformed file; `ConfigReadError` if reading a file
 * fails in another way.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html}
 * @example Usage
 * ```ts
 * import { resolveRegion } from "@rolecreds/aws";
 * import { assertEquals } from "@std/assert";
 *
 * const sharedConfig = { config: "[profile dev]\nregion = eu-west-1" }; // or leave it to ~/.aws
 * assertEquals(await resolveRegion({ profile: "dev", sharedConfig, runtime: { env: () => undefined } }), "eu-west-1");
 * ```
 */
export async function resolveRegion(options: RegionOptions = {}): Promise<string | undefined> {
  const runtime = checkProviderOptions("region resolver", options, { region: STRING }, SHARED_CONFIG_RULES);
  return configuredRegion(await loadSources(options, runtime), options.region);
}

/** The region of the option, the environment or the profile: the first that is not blank. */
export function configuredRegion(
  { env, profile }: Pick<SettingSources, "env" | "profile">,
  regionOption: string | undefined,
): string | undefined {
  const regions = [regionOption, env("AWS_REGION"), env("AWS_DEFAULT_REGION"), profile.get("region")];
  return regions.map(nonBlank).find((region) => region !== undefined);
}
