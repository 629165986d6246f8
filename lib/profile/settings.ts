import { SHARED_CONFIG_RULES, type SharedConfigOptions } from "../config/files.ts";
import { CONTAINER_RULES, type ContainerProviderOptions } from "../container/provider.ts";
import type { Logger } from "../credentials.ts";
import type { LoginProviderOptions } from "../login/settings.ts";
import type { LoginHandler } from "../session/session.ts";
import type { SsoProviderOptions } from "../sso/settings.ts";
import type { InstanceMetadataProviderOptions } from "../imds/provider.ts";
import { IMDS_PROVIDER_RULES, IMDS_RULES } from "../imds/settings.ts";
import { PROCESS_RULES, type ProcessProviderOptions } from "../process/settings.ts";
import type { Runtime } from "../runtime.ts";
import { STS_RULES, type StsOptions } from "../sts/client.ts";
import type { MfaCodeProvider } from "../sts/role_session.ts";
import {
  BOOLEAN,
  COMMON_RULES,
  ENDPOINT,
  FUNCTION,
  integer,
  objectOf,
  type Rules,
  STRING,
  unsupported,
} from "../validate.ts";

/** Options of {@linkcode ProfileProvider}. */
export interface ProfileProviderOptions extends SharedConfigOptions {
  /**
   * Options for IMDS, used for a profile with `credential_source = Ec2InstanceMetadata`, and by `defaultProvider()` for
   * the instance role.
   */
  readonly imds?: InstanceMetadataProviderOptions | undefined;
  /**
   * Options for the container endpoint, used for a profile with `credential_source = EcsContainer`, and by
   * `defaultProvider()`.
   */
  readonly container?: ContainerProviderOptions | undefined;
  /** Options for the command, used for a profile with `credential_process`. */
  readonly process?: Omit<ProcessProviderOptions, "command"> | undefined;
  /** Options for STS, used for a profile with `role_arn`, and by `defaultProvider()` for a web identity token. */
  readonly sts?: Omit<StsOptions, "region"> | undefined;
  /** Options for SSO, used for a profile with `sso_account_id` and `sso_role_name`. */
  readonly sso?: Pick<SsoProviderOptions, "endpoint" | "maxRetries"> | undefined;
  /** Options for the sign-in service, used for a profile with `login_session`. */
  readonly login?: Pick<LoginProviderOptions, "endpoint" | "maxRetries"> | undefined;
  /** Called when a person must sign in with `aws sso login` or `aws login`; see {@linkcode LoginHandler}. */
  readonly onLoginRequired?: LoginHandler | undefined;
  /**
   * The region to call STS in, see {@linkcode StsOptions.region}; with `login_session` also that of the sign-in
   * service, if the profile names none.
   */
  readonly region?: string | undefined;
  /** Returns the MFA code of the device that `mfa_serial` names. */
  readonly mfaCodeProvider?: MfaCodeProvider | undefined;
  /** Whether a second retrieval may call `mfaCodeProvider` again; otherwise it fails. @default {true} */
  readonly mfaRefresh?: boolean | undefined;
  /** Where diagnostics go. */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime, such as the files. */
  readonly runtime?: Partial<Runtime> | undefined;
}

const SESSION_RULES: Rules = { endpoint: ENDPOINT, maxRetries: integer(0) };

/** How the options are checked, except those for the shared files. */
export const PROFILE_RULES: Rules = {
  imds: objectOf(IMDS_PROVIDER_RULES, IMDS_RULES, SHARED_CONFIG_RULES, COMMON_RULES),
  container: objectOf(CONTAINER_RULES, COMMON_RULES),
  process: objectOf(PROCESS_RULES, SHARED_CONFIG_RULES, COMMON_RULES),
  sts: objectOf(STS_RULES),
  sso: objectOf(SESSION_RULES),
  login: objectOf(SESSION_RULES),
  onLoginRequired: FUNCTION,
  region: STRING,
  mfaCodeProvider: FUNCTION,
  mfaRefresh: BOOLEAN,
  // Options of AWS SDK v3 that this library does not have:
  roleAssumer: unsupported("this library calls STS itself"),
  roleAssumerWithWebIdentity: unsupported("this library calls STS itself"),
  clientConfig: unsupported("set the options region and sts"),
  parentClientConfig: unsupported("set the options region and sts"),
  clientPlugins: unsupported("this library uses no clients of AWS SDK v3"),
};
