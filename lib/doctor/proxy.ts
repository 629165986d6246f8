import { nonBlank } from "../non_blank.ts";
import type { Runtime } from "../runtime.ts";
import { describeRuntime } from "../runtime/runtime_kind.ts";
import { exemptionHint, isExempt, proxyVariable } from "../runtime/proxy.ts";
import type { Finding } from "./finding.ts";

const PROXY_VARIABLES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const NO_PROXY_VARIABLES = ["no_proxy", "NO_PROXY"];
/**
 * One URL for each kind of request: the services of AWS are called over TLS, IMDS and container endpoints without it.
 */
const [STS_URL, IMDS_URL] = ["https://sts.amazonaws.com/", "http://169.254.169.254/"];

/** Says which proxy variables are set, never to what, and for which requests they count. */
export function checkProxy({ env }: Pick<Runtime, "env">): readonly Finding[] {
  const check = "proxy";
  const set = [...PROXY_VARIABLES, ...NO_PROXY_VARIABLES].filter((name) => nonBlank(env(name)) !== undefined);
  if (!set.some((name) => PROXY_VARIABLES.includes(name))) {
    return [{ check, status: "skipped", message: "No variable names a proxy" }];
  }
  return [
    { check, status: "ok", message: `Set: ${set.join(", ")}` },
    ...serviceFindings(env),
    ...metadataFindings(env),
  ];
}

function serviceFindings(env: Runtime["env"]): readonly Finding[] {
  const check = "proxy";
  const variable = proxyVariable(STS_URL, env);
  if (variable === undefined) return [];
  const message = `Requests to STS and SSO may go through the proxy of ${variable}`;
  if (describeRuntime().kind !== "node") return [{ check, status: "ok", message }];
  const hint = "Node uses proxy variables only with --use-env-proxy or NODE_USE_ENV_PROXY=1.";
  return [{ check, status: "ok", message, hint }];
}

function metadataFindings(env: Runtime["env"]): readonly Finding[] {
  const check = "proxy";
  const variable = proxyVariable(IMDS_URL, env);
  if (variable === undefined || isExempt(IMDS_URL, env)) return [];
  return [{
    check,
    status: "ok",
    message:
      `Requests to IMDS and container endpoints do not use the proxy of ${variable}; requests of other programs may use it`,
    hint: exemptionHint(IMDS_URL),
  }];
}
