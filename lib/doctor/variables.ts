import { nonBlank } from "../non_blank.ts";
import type { Runtime } from "../runtime.ts";
import type { Finding } from "./finding.ts";

/** The variables that decide which credentials are found, in the order of the default chain. */
export const VARIABLES: readonly string[] = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_CREDENTIAL_EXPIRATION",
  "AWS_ACCOUNT_ID",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_LOGIN_CACHE_DIRECTORY",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_EC2_METADATA_DISABLED",
  "AWS_EC2_METADATA_V1_DISABLED",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
  "AWS_EC2_INSTANCE_PROFILE_NAME",
  "AWS_METADATA_SERVICE_TIMEOUT",
  "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_STS_REGIONAL_ENDPOINTS",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_USE_DUALSTACK_ENDPOINT",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_STS",
  "AWS_ENDPOINT_URL_SSO",
  "AWS_ENDPOINT_URL_SSO_OIDC",
  "AWS_ENDPOINT_URL_SIGNIN",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];

/** Variables that older tools read, and the variable that replaces each. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY: "AWS_ACCESS_KEY_ID",
  AWS_SECRET_KEY: "AWS_SECRET_ACCESS_KEY",
  AWS_SECURITY_TOKEN: "AWS_SESSION_TOKEN",
};

type IsSet = (name: string) => boolean;

/** Says which variables are set, never to what, and which of them do not go together. */
export function checkVariables({ env }: Pick<Runtime, "env">): readonly Finding[] {
  const check = "variables";
  const isSet = (name: string) => nonBlank(env(name)) !== undefined;
  const set = VARIABLES.filter(isSet);
  const found: Finding = set.length === 0
    ? { check, status: "skipped", message: "No variable of AWS is set" }
    : { check, status: "ok", message: `Set: ${set.join(", ")}` };
  const conflicts = [...halfPairs(isSet), ...withoutToken(isSet, env), ...oldNames(isSet)];
  return [found, ...conflicts.map(([message, hint]) => ({ check, status: "warning" as const, message, hint }))];
}

type Conflict = readonly [message: string, hint: string];

const PAIRS = [
  ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "the keys of the environment are ignored"],
  ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "the web identity is ignored"],
] as const;

function halfPairs(isSet: IsSet): readonly Conflict[] {
  return PAIRS.flatMap(([first, second, effect]) => {
    if (isSet(first) === isSet(second)) return [];
    const [set, missing] = isSet(first) ? [first, second] : [second, first];
    if (set === "AWS_ROLE_ARN") return []; // not reported: other tools use AWS_ROLE_ARN without a token file
    return [[`${set} is set without ${missing}: ${effect}`, `Set ${missing}, or unset ${set}.`]];
  });
}

/** The access key ids of temporary credentials begin with ASIA. */
function withoutToken(isSet: IsSet, env: Runtime["env"]): readonly Conflict[] {
  const isTemporary = nonBlank(env("AWS_ACCESS_KEY_ID"))?.startsWith("ASIA") === true;
  if (!isTemporary || !isSet("AWS_SECRET_ACCESS_KEY") || isSet("AWS_SESSION_TOKEN")) return [];
  return [[
    "AWS_ACCESS_KEY_ID belongs to temporary credentials, and AWS_SESSION_TOKEN is not set: AWS will reject them",
    "Set AWS_SESSION_TOKEN to the token that came with the keys.",
  ]];
}

function oldNames(isSet: IsSet): readonly Conflict[] {
  return Object.entries(OLD_NAMES)
    .filter(([old, current]) => isSet(old) && !isSet(current))
    .map(([old, current]) => [`${old} is set, and this library does not read it`, `Set ${current} instead.`]);
}
