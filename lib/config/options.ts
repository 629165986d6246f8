import { CACHE_RULES } from "../cache/cache.ts";
import type { Logger } from "../credentials.ts";
import { warnOnce } from "../log_once.ts";
import { printable } from "../printable.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { checkOptions, COMMON_RULES, type Rules, unsupported } from "../validate.ts";

type Values = Readonly<Record<string, unknown>>;

/** Options for the STS client of AWS SDK v3. This library does not use that client. */
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

/** Warns of each option without a rule: it has no effect, and may be misspelled. */
function warnOfUnknownOptions(
  what: string,
  options: { readonly logger?: Logger | null | undefined },
  rules: Rules,
  runtime: Pick<Runtime, "warn">,
): void {
  for (const [name, nearest] of unknownOptions("", options as Values, rules)) {
    const ignored = `Ignored the unknown option ${printable(name)} of the ${what}`;
    warnOnce(options.logger, runtime, `${ignored}; the most similar option is ${nearest}`);
  }
}

/** The options without a rule, each with the most similar option that has a rule. */
function unknownOptions(prefix: string, values: Values, rules: Rules): readonly (readonly [string, string])[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) return [[prefix + name, prefix + nearestOf(Object.keys(rules), name)]];
    const fields = value === undefined ? undefined : rule.fields;
    return fields === undefined ? [] : unknownOptions(`${prefix}${name}.`, value as Values, fields);
  });
}

function nearestOf(names: readonly string[], name: string): string | undefined {
  const distances = names.map((known) => editDistance(known.toLowerCase(), name.toLowerCase()));
  return names[distances.indexOf(Math.min(...distances))];
}

/** The Levenshtein distance: how many characters to insert, delete or replace to turn one string into the other. */
export function editDistance(from: string, to: string): number {
  const columns = [...to];
  // One row of the matrix at a time. A row holds the distances from a start of `from` to each start of `to`.
  let above = [0, ...columns.map((_, column) => column + 1)];
  for (const [row, character] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of columns.entries()) {
      const [replacing, deleting, inserting] = [above[column]!, above[column + 1]! + 1, current[column]! + 1];
      current.push(Math.min(other === character ? replacing : replacing + 1, deleting, inserting));
    }
    above = current;
  }
  return above.at(-1)!;
}
