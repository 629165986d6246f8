import { nonBlank } from "../non_blank.ts";
import { loadSharedConfig } from "../config/files.ts";
import { containerTarget } from "../container/settings.ts";
import type { ChainLink, DefaultProviderOptions } from "../default_provider.ts";
import { printable } from "../printable.ts";
import { type Base, type Plan, planProfile } from "../profile/plan.ts";
import type { Runtime } from "../runtime.ts";
import type { Finding } from "./finding.ts";
import { checkSession } from "./session_file.ts";
import { checkTokenFile } from "./token_file.ts";

type PlanCheck = (options: DefaultProviderOptions, runtime: Runtime) => AsyncIterable<Finding>;

/**
 * Findings about what a provider will use, from its settings and before it is tried. Invalid settings are not reported
 * here: the provider throws the error.
 */
export const PLAN_CHECKS: Readonly<Partial<Record<ChainLink["name"], PlanCheck>>> = {
  profile: checkProfile,
  webIdentity: checkWebIdentity,
  container: checkContainer,
};

const BASES: Readonly<Record<Exclude<Base["kind"], "source">, string>> = {
  static: "the access keys",
  process: "the credential_process",
  webIdentity: "the web identity",
  sso: "SSO",
  login: "the login",
};
const ROLE_ARN_REGEXP = /^arn:[\w-]+:iam::\d*:role\/[\w+=,.@/-]+$/;

/** Where the first credentials of the profile come from, and which roles are assumed with them. */
async function* checkProfile(options: DefaultProviderOptions, runtime: Runtime): AsyncIterable<Finding> {
  const plan = await loadPlan(options, runtime);
  if (plan === undefined) return;
  const roles = plan.roles.map(({ profile }) => `the role of profile ${printable(profile)}`);
  const steps = [describeBase(plan.base), ...roles].join(", then ");
  yield { check: "profile.plan", status: "ok", message: `The profile uses ${steps}` };
  yield* await checkBase(plan.base, options, runtime);
}

async function checkBase(
  base: Base,
  options: DefaultProviderOptions,
  runtime: Runtime,
): Promise<readonly Finding[]> {
  switch (base.kind) {
    case "webIdentity":
      return await checkTokenFile("profile.token", "web_identity_token_file", base.file, runtime);
    case "sso":
    case "login":
      return await checkSession(base.kind, base.profile, options, runtime);
    default:
      return [];
  }
}

async function* checkWebIdentity(_options: DefaultProviderOptions, runtime: Runtime): AsyncIterable<Finding> {
  const variable = "AWS_WEB_IDENTITY_TOKEN_FILE";
  const [file, role] = [variable, "AWS_ROLE_ARN"].map((name) => nonBlank(runtime.env(name)));
  if (file === undefined || role === undefined) return;
  yield* await checkTokenFile("webIdentity.token", `the file of ${variable}`, file, runtime);
  if (!ROLE_ARN_REGEXP.test(role)) return;
  yield { check: "webIdentity.role", status: "ok", message: `The role to assume is ${role}` };
}

async function* checkContainer({ container }: DefaultProviderOptions, runtime: Runtime): AsyncIterable<Finding> {
  const target = tryTo(() => containerTarget(container ?? {}, runtime.env, () => {}));
  if (target === undefined) return;
  const { url, name, token } = target;
  yield { check: "container.endpoint", status: "ok", message: `The endpoint is at ${url.host}, named by ${name}` };
  if (token?.kind !== "file") return;
  yield* await checkTokenFile("container.token", `the file of ${token.name}`, token.value, runtime);
}

function describeBase(base: Base): string {
  const profile = `of profile ${printable(base.profile)}`;
  return base.kind === "source" ? `${base.name} by credential_source ${profile}` : `${BASES[base.kind]} ${profile}`;
}

async function loadPlan(options: DefaultProviderOptions, runtime: Runtime): Promise<Plan | undefined> {
  try {
    const { profiles, profileName } = await loadSharedConfig({ ...options, logger: null }, runtime);
    return planProfile(profiles, profileName);
  } catch {
    return undefined; // the provider throws the same error
  }
}

function tryTo<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined; // the provider throws the same error
  }
}
