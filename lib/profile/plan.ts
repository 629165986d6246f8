/** What a profile says about where its credentials come from. */
type ProfileSource =
  | { readonly kind: "static" }
  | { readonly kind: "process"; readonly command: string }
  | { readonly kind: "instanceMetadata" }
  | { readonly kind: "nothing" }
  | {
    /** It asks for something that must not be replaced by another identity. */
    readonly kind: "unsupported";
    readonly keys: readonly string[];
  }
  | { readonly kind: "contradiction"; readonly state: string };

const ROLE_KEYS = ["role_arn", "source_profile", "web_identity_token_file", "mfa_serial"];
const SSO_KEYS = ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "sso_region"];
const LOGIN_KEYS = ["login_session"];

/**
 * Decides by the first that a profile has: a role, static keys, SSO or login, a process, a credential source.
 *
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html}
 */
export function profileSource(profile: ReadonlyMap<string, string>): ProfileSource {
  const has = (key: string) => (profile.get(key) ?? "").trim() !== "";
  const present = (keys: readonly string[]) => keys.filter(has);
  if (has("role_arn") && has("source_profile") && has("credential_source")) {
    return { kind: "contradiction", state: "it has both source_profile and credential_source" };
  }
  if (has("role_arn") || has("web_identity_token_file")) return { kind: "unsupported", keys: present(ROLE_KEYS) };
  const [id, secret] = [has("aws_access_key_id"), has("aws_secret_access_key")];
  if (id && secret) return { kind: "static" };
  if (id) return { kind: "contradiction", state: "it has aws_access_key_id without aws_secret_access_key" };
  if (secret) return { kind: "contradiction", state: "it has aws_secret_access_key without aws_access_key_id" };
  const signIn = present([...SSO_KEYS, ...LOGIN_KEYS]);
  if (signIn.length > 0) return { kind: "unsupported", keys: signIn };
  if (has("credential_process")) return { kind: "process", command: profile.get("credential_process") ?? "" };
  if (has("credential_source")) return credentialSource(profile.get("credential_source")?.trim());
  const roleKeys = present(ROLE_KEYS);
  return roleKeys.length > 0 ? { kind: "unsupported", keys: roleKeys } : { kind: "nothing" };
}

function credentialSource(name: string | undefined): ProfileSource {
  switch (name) {
    case "Ec2InstanceMetadata":
      return { kind: "instanceMetadata" };
    case "EcsContainer":
    case "Environment":
      return { kind: "unsupported", keys: [`credential_source = ${name}`] };
    default:
      return { kind: "contradiction", state: "its credential_source is none that AWS defines" };
  }
}
