import { CredentialsProviderError } from "../errors.ts";
import { capturingVariable } from "../policy/proxy.ts";

/**
 * Refuses a request that a proxy variable would capture, for runtimes whose `fetch` cannot be told to go directly.
 *
 * @throws {CredentialsProviderError} `ImdsProxyError`, before anything is sent.
 */
export function refuseProxied(url: string, env: (name: string) => string | undefined, orElse: string): void {
  const variable = capturingVariable(url, env);
  if (variable === undefined) return;
  throw proxyError(`${variable} would send it through a proxy`, `Set NO_PROXY=${new URL(url).hostname}. ${orElse}`);
}

export function proxyError(state: string, hint: string): CredentialsProviderError {
  return new CredentialsProviderError("ImdsProxyError", `Cannot send a metadata request: ${state}`, { hint });
}
