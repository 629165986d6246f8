import { nonBlank } from "../non_blank.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";

/** The role whose credentials to request, and the session whose token the request sends. */
export interface SsoSettings {
  /**
   * The name of the `[sso-session]` section. Absent in the legacy form, where sso_start_url and sso_region are in the
   * profile and the token cannot be refreshed.
   */
  readonly session: string | undefined;
  readonly startUrl: string;
  readonly region: string;
  /** A string, because it may begin with zeros. */
  readonly accountId: string;
  readonly roleName: string;
}

/** The result of {@linkcode ssoPlan}. */
type SsoPlan =
  | { readonly kind: "sso"; readonly settings: SsoSettings }
  /** The profile has SSO keys, but for a bearer token only: it names neither an account nor a role. */
  | { readonly kind: "bearerToken" }
  | { readonly kind: "none" };

type Properties = ReadonlyMap<string, string>;

/** A section that can have SSO keys. */
export interface Section {
  /** How errors call it. */
  readonly name: string;
  readonly properties: Properties;
}

/**
 * What a profile says about SSO, together with the session that it names.
 *
 * @throws {CredentialsProviderError} `SsoConfigurationError`, naming the key and its section.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html}
 */
export function ssoPlan(profile: Section, ssoSessions: ReadonlyMap<string, Properties>): SsoPlan {
  const has = (key: string) => valueOf(profile, key) !== undefined;
  if (!has("sso_account_id") && !has("sso_role_name")) {
    return { kind: ["sso_session", "sso_start_url", "sso_region"].some(has) ? "bearerToken" : "none" };
  }
  const session = valueOf(profile, "sso_session");
  const sessionSource = session === undefined ? profile : sessionSection(session, profile, ssoSessions);
  return {
    kind: "sso",
    settings: {
      session,
      startUrl: requiredValue("sso_start_url", profile, sessionSource),
      region: requiredValue("sso_region", profile, sessionSource),
      accountId: requiredValue("sso_account_id", profile),
      roleName: requiredValue("sso_role_name", profile),
    },
  };
}

function sessionSection(session: string, profile: Section, ssoSessions: ReadonlyMap<string, Properties>): Section {
  const name = `[sso-session ${printable(session)}]`;
  const properties = ssoSessions.get(session);
  if (properties !== undefined) return { name, properties };
  throw invalid(
    profile,
    `its sso_session names ${name}, which the config file does not have`,
    `Add ${name} with sso_region and sso_start_url to the config file, or correct sso_session.`,
  );
}

/** The value of a key, from the profile or its session. If both have the key, the values must be equal. */
function requiredValue(key: string, profile: Section, sessionSource: Section = profile): string {
  const [own, other] = [valueOf(profile, key), valueOf(sessionSource, key)];
  if (own !== undefined && other !== undefined && own !== other) {
    throw invalid(
      profile,
      `its ${key} differs from that in ${sessionSource.name}`,
      `Remove ${key} from ${profile.name}: ${sessionSource.name} is the place for it.`,
    );
  }
  const value = other ?? own;
  if (value !== undefined) return value;
  throw invalid(
    profile,
    `${key} is missing in ${sessionSource.name}`,
    `Add ${key} to ${sessionSource.name}, by hand or with \`aws configure sso\`.`,
  );
}

function valueOf({ properties }: Section, key: string): string | undefined {
  return nonBlank(properties.get(key));
}

function invalid({ name }: Section, state: string, hint: string): CredentialsProviderError {
  return new CredentialsProviderError("SsoConfigurationError", `Cannot use SSO for ${name}: ${state}`, { hint });
}
