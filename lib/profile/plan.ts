import { nonBlank } from "../non_blank.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import { checkRole, roleError, type RoleParameters } from "../sts/parameters.ts";

/** The credentials that sign the request for the first role of a plan, or the result if there is no role. */
export type Base =
  | { readonly kind: "static" | "sso" | "login"; readonly profile: string }
  | { readonly kind: "process"; readonly profile: string; readonly command: string; readonly accountId?: string }
  | { readonly kind: "webIdentity"; readonly profile: string; readonly file: string; readonly role: RoleParameters }
  | { readonly kind: "source"; readonly profile: string; readonly name: SourceName };

/** What `credential_source` may name. */
type SourceName = typeof SOURCE_NAMES[number];

/** A role that a profile names. */
export interface RoleStep {
  readonly profile: string;
  readonly role: RoleParameters;
}

/** What a profile names: base credentials, and the roles to assume with them, one after the other. */
export interface Plan {
  readonly base: Base;
  readonly roles: readonly RoleStep[];
  readonly warnings: readonly string[];
}

type Profile = ReadonlyMap<string, string>;
type Profiles = ReadonlyMap<string, Profile>;

/** The kinds of base credentials that a profile can name. */
type Kind = "webIdentity" | "static" | "sso" | "login" | "process";

const SOURCE_NAMES = ["Ec2InstanceMetadata", "EcsContainer", "Environment"] as const;
const MAX_PROFILES = 16;

/** The names of the parameters in a profile, for messages. */
const KEYS = {
  RoleArn: "role_arn",
  RoleSessionName: "role_session_name",
  DurationSeconds: "duration_seconds",
  ExternalId: "external_id",
  SerialNumber: "mfa_serial",
} as const;

/**
 * Plans how to get the credentials of a profile: walks from it along `source_profile` to base credentials. Nothing is
 * read or sent.
 *
 * @param name A profile that exists.
 * @throws {CredentialsProviderError} `AssumeRoleConfigurationError`, `AssumeRoleCycle`, `ProfileNotFoundError`,
 * `ConfigurationError`; `NoCredentials` if the profile names no credentials. Each names the profile, and the key if
 * there is one.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html}
 */
export function planProfile(profiles: Profiles, name: string): Plan {
  const visited: string[] = [];
  const roles: RoleStep[] = [];
  const warnings: string[] = [];
  for (let current = name;;) {
    const referrer = visited.at(-1);
    const profile = profiles.get(current);
    if (profile === undefined) throw missing(current, referrer);
    if (visited.includes(current)) throw cycle([...visited, current]);
    visited.push(current);
    if (visited.length > MAX_PROFILES) {
      throw roleError(label(name), `source_profile leads through more than ${MAX_PROFILES} profiles`);
    }
    const source = roleSource(profile, current, referrer !== undefined);
    // source_profile names this profile itself: it has both the base credentials and the role
    const isOwnSource = source === current;
    if (source === undefined || isOwnSource) {
      const base = baseOf(profile, current, isOwnSource ? current : referrer, source === undefined, warnings);
      if (isOwnSource) roles.unshift({ profile: current, role: roleOf(profile, current) });
      return { base, roles, warnings };
    }
    roles.unshift({ profile: current, role: roleOf(profile, current) });
    if (typeof source === "object") {
      return { base: namedSource(source.credentialSource, current, warnings), roles, warnings };
    }
    current = source;
  }
}

/**
 * The source of the credentials that assume the role of a profile: another profile or a named source. `undefined` where
 * the profile is the base itself: no role_arn, a web identity, or a source profile with static keys.
 */
function roleSource(
  profile: Profile,
  name: string,
  isSourceProfile: boolean,
): string | { readonly credentialSource: string } | undefined {
  if (isSourceProfile && hasKeys(profile, name)) return undefined;
  const [source, credentialSource] = [value(profile, "source_profile"), value(profile, "credential_source")];
  if (value(profile, "role_arn") === undefined) {
    if (isSourceProfile && credentialSource !== undefined) {
      throw roleError(label(name), "it has credential_source without role_arn");
    }
    return undefined;
  }
  if (source !== undefined && credentialSource !== undefined) {
    throw roleError(label(name), "it has both source_profile and credential_source", "Remove one of them.");
  }
  if (source !== undefined) return source;
  if (credentialSource !== undefined) return { credentialSource };
  if (value(profile, "web_identity_token_file") !== undefined) return undefined;
  throw roleError(
    label(name),
    "it has role_arn without source_profile, credential_source or web_identity_token_file",
    "Set one of them: it names the credentials that may assume the role.",
  );
}

/** Whether the profile has both static keys (aws_access_key_id, aws_secret_access_key). */
function hasKeys(profile: Profile, name: string): boolean {
  const [id, secret] = [value(profile, "aws_access_key_id"), value(profile, "aws_secret_access_key")];
  if ((id === undefined) === (secret === undefined)) return id !== undefined;
  const state = id === undefined
    ? "it has aws_secret_access_key without aws_access_key_id"
    : "it has aws_access_key_id without aws_secret_access_key";
  throw new CredentialsProviderError("ConfigurationError", `Cannot use ${label(name)}: ${state}`, {
    hint: "Set both keys, or neither.",
  });
}

/**
 * @param mayUseWebIdentity False if source_profile names the profile itself: then its role_arn is assumed with its base
 * credentials, not with the token.
 */
function baseOf(
  profile: Profile,
  name: string,
  referrer: string | undefined,
  mayUseWebIdentity: boolean,
  warnings: string[],
): Base {
  const [kind, ...ignored] = kindsOf(profile, name, mayUseWebIdentity);
  if (kind === undefined) {
    const source = value(profile, "credential_source");
    if (source === undefined) throw noCredentialsError(profile, name, referrer);
    return namedSource(source, name, warnings);
  }
  if (ignored.length > 0) {
    const others = ignored.map((other) => KIND_KEYS[other]).join(" and ");
    warnings.push(`${label(name)} uses ${KIND_KEYS[kind]}, and ignores ${others}`);
  }
  if (kind === "webIdentity") return webIdentity(profile, name);
  if (kind !== "process") return { kind, profile: name };
  const command = value(profile, "credential_process") ?? "";
  return { kind, profile: name, command, ...optional("accountId", value(profile, "aws_account_id")) };
}

const KIND_KEYS: Readonly<Record<Kind, string>> = {
  webIdentity: "web_identity_token_file",
  static: "its static keys",
  sso: "SSO",
  login: "login_session",
  process: "credential_process",
};

function kindsOf(profile: Profile, name: string, mayUseWebIdentity: boolean): readonly Kind[] {
  const has = (key: string) => value(profile, key) !== undefined;
  const present: Readonly<Record<Kind, boolean>> = {
    webIdentity: mayUseWebIdentity && has("web_identity_token_file"),
    static: hasKeys(profile, name),
    sso: has("sso_account_id") || has("sso_role_name"),
    login: has("login_session"),
    process: has("credential_process"),
  };
  return (Object.keys(present) as Kind[]).filter((kind) => present[kind]);
}

function webIdentity(profile: Profile, name: string): Base {
  if (value(profile, "role_arn") === undefined) {
    throw roleError(label(name), "it has web_identity_token_file without role_arn", "Add role_arn to the profile.");
  }
  const file = value(profile, "web_identity_token_file") ?? "";
  return { kind: "webIdentity", profile: name, file, role: roleOf(profile, name) };
}

function roleOf(profile: Profile, name: string): RoleParameters {
  const seconds = value(profile, "duration_seconds");
  const role = {
    RoleArn: value(profile, "role_arn") ?? "",
    ...optional("RoleSessionName", value(profile, "role_session_name")),
    ...optional("DurationSeconds", seconds === undefined ? undefined : /^\d+$/.test(seconds) ? Number(seconds) : NaN),
    ...optional("ExternalId", value(profile, "external_id")),
    ...optional("SerialNumber", value(profile, "mfa_serial")),
  };
  checkRole(label(name), role, KEYS);
  return role;
}

function namedSource(source: string, profile: string, warnings: string[]): Base {
  const name = SOURCE_NAMES.find((known) => known.toLowerCase() === source.toLowerCase());
  if (name === undefined) {
    throw roleError(label(profile), "its credential_source is unknown", `Write one of ${SOURCE_NAMES.join(", ")}.`);
  }
  if (name !== source) {
    warnings.push(
      `${label(profile)} spells credential_source with other upper and lower case letters; it is read as ${name}`,
    );
  }
  return { kind: "source", profile, name };
}

function value(profile: Profile, key: string): string | undefined {
  return nonBlank(profile.get(key));
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { readonly [P in K]?: V };
}

function label(profile: string): string {
  return `profile ${printable(profile)}`;
}

function missing(name: string, referrer: string | undefined): CredentialsProviderError {
  return new CredentialsProviderError(
    "ProfileNotFoundError",
    `Cannot use ${label(name)}: the shared config files do not have it` +
      (referrer === undefined ? "" : `, and source_profile of ${label(referrer)} names it`),
    { hint: "Correct the name; in the config file the section is [profile name]." },
  );
}

function cycle(chain: readonly string[]): CredentialsProviderError {
  return new CredentialsProviderError(
    "AssumeRoleCycle",
    `Cannot assume the role of ${label(chain[0] ?? "")}: source_profile forms a cycle: ${
      chain.map(printable).join(" → ")
    }`,
    { chain, hint: "Let source_profile of one of them name a profile with credentials of its own." },
  );
}

/**
 * Keys that need role_arn. Without it they are an error other than `NoCredentials`, so that a chain does not continue
 * with another identity.
 */
const ROLE_KEYS = ["source_profile", "external_id", "mfa_serial", "role_session_name", "duration_seconds"] as const;

function noCredentialsError(profile: Profile, name: string, referrer: string | undefined): CredentialsProviderError {
  const roleKey = ROLE_KEYS.find((key) => value(profile, key) !== undefined);
  if (roleKey !== undefined && value(profile, "role_arn") === undefined) {
    return roleError(label(name), `it has ${roleKey} without role_arn`, "Add role_arn, or remove the key.");
  }
  const state = value(profile, "sso_session") !== undefined
    ? "its sso_session without sso_account_id and sso_role_name gives only a bearer token"
    : "it names no credentials";
  if (referrer !== undefined) {
    return roleError(
      label(referrer),
      `source_profile names ${label(name)}: ${state}`,
      "Add credentials to that profile, or name another one.",
    );
  }
  return new CredentialsProviderError("NoCredentials", `Cannot use ${label(name)}: ${state}`, {
    hint: "Add static keys, role_arn, SSO, login_session or credential_process to the profile.",
  });
}
