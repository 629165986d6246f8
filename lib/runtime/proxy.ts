import { nonBlank } from "../non_blank.ts";
import { RequestNotSentError } from "../errors.ts";

/** Reads one environment variable. */
type Env = (name: string) => string | undefined;

/** The variables that can name a proxy for a URL. */
export function proxyVariables(url: string): readonly string[] {
  const scheme = new URL(url).protocol === "https:" ? "https" : "http";
  return [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, "all_proxy", "ALL_PROXY"];
}

/** The first of these variables that is set; `undefined` if none is. */
export function proxyVariable(url: string, env: Env): string | undefined {
  return proxyVariables(url).find((name) => nonBlank(env(name)) !== undefined);
}

/**
 * Whether `NO_PROXY` exempts a URL in every runtime: the exact host name is in each of `no_proxy` and `NO_PROXY` that
 * is set. Runtimes differ in everything else: which spelling counts, ranges, wildcards, ports, white space, IPv6
 * without brackets.
 */
export function isExempt(url: string, env: Env): boolean {
  const { hostname } = new URL(url);
  const lists = [env("no_proxy"), env("NO_PROXY")].filter((list) => list !== undefined);
  return lists.length > 0 && lists.every((list) => list.split(",").some((entry) => entry.trim() === hostname));
}

/** The hint that says how to exempt a URL in the way that {@linkcode isExempt} checks. */
export function exemptionHint(url: string): string {
  return `Add ${new URL(url).hostname} to NO_PROXY, and to no_proxy where it is set.`;
}

/**
 * Refuses a request that may go through a proxy because of a variable, for runtimes whose `fetch` cannot be made
 * direct.
 *
 * @throws {RequestNotSentError} Before anything is sent.
 */
export function throwIfProxied(url: string, env: Env, secondHint: string): void {
  const variable = proxyVariable(url, env);
  if (variable === undefined || isExempt(url, env)) return;
  throw new RequestNotSentError(
    "proxy",
    `the variable ${variable} sets a proxy for this URL`,
    `${exemptionHint(url)} ${secondHint}`,
  );
}
