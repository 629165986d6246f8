import { CACHE_RULES } from "../cache/cache.ts";
import type { Logger } from "../credentials.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { checkOptions, COMMON_RULES, type Rules, unsupported, warnOfUnknownOptions } from "../validate.ts";

/** Options of AWS SDK v3 for the client of STS, which this library does not use. */
export const SDK_CLIENT_RULES: Rules = {
  clientConfig: unsupported("set the option region"),
  parentClientConfig: unsupported("set the option region"),
  clientPlugins: unsupported("this library uses no clients of AWS SDK v3"),
};

/**
 * Checks the options of a provider, and warns of options that neither the provider nor a cache has.
 *
 * @returns The runtime to use: the detected one, in which `options.runtime` replaces parts.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 */
export function checkProviderOptions(
  what: string,
  options: { readonly logger?: Logger | null | undefined; readonly runtime?: Partial<Runtime> | undefined },
  ...sets: readonly Rules[]
): Runtime {
  const rules: Rules = Object.assign({}, COMMON_RULES, ...sets);
  checkOptions(what, options, rules);
  const runtime = detectRuntime(options.runtime);
  warnOfUnknownOptions(what, options, { ...rules, ...CACHE_RULES }, runtime);
  return runtime;
}
