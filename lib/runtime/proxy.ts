import { RefusedRequest } from "../errors.ts";

/** Reads one environment variable. */
type Env = (name: string) => string | undefined;

const HTTP_VARIABLES = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const HTTPS_VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/** Every variable that decides whether a request goes through a proxy. */
export const PROXY_VARIABLES: readonly string[] = [
  ...new Set([...HTTP_VARIABLES, ...HTTPS_VARIABLES]),
  "no_proxy",
  "NO_PROXY",
];

/**
 * The variable that would send a request for `url` to a proxy. Only an exempting entry that names the host itself
 * counts: runtimes differ on ranges and wildcards.
 */
export function capturingVariable(url: string, env: Env): string | undefined {
  const { protocol, hostname, host } = new URL(url);
  const variables = protocol === "https:" ? HTTPS_VARIABLES : HTTP_VARIABLES;
  const capturing = variables.find((name) => (env(name) ?? "").trim() !== "");
  if (capturing === undefined) return undefined;
  const exempted = `${env("no_proxy") ?? ""},${env("NO_PROXY") ?? ""}`.split(/[\s,]+/);
  const names = [hostname, hostname.replace(/^\[|\]$/g, ""), host];
  return exempted.some((entry) => names.includes(entry)) ? undefined : capturing;
}

/**
 * Refuses a request that a proxy variable would send through a proxy, for runtimes whose `fetch` cannot be made direct.
 *
 * @throws {RefusedRequest} Before anything is sent.
 */
export function refuseProxied(url: string, env: Env, orElse: string): void {
  const variable = capturingVariable(url, env);
  if (variable === undefined) return;
  const hint = `Set NO_PROXY=${new URL(url).hostname}. ${orElse}`;
  throw new RefusedRequest("proxy", `${variable} would send it through a proxy`, hint);
}
