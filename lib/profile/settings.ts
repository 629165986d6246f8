import { SHARED_CONFIG_RULES } from "../config/files.ts";
import type { SharedConfigOptions } from "../config/locations.ts";
import type { ContainerProviderOptions } from "../container/provider.ts";
import type { Logger } from "../credentials.ts";
import type { LoginProviderOptions } from "../login/settings.ts";
import type { LoginHandler } from "../session/session.ts";
import type { SsoProviderOptions } from "../sso/settings.ts";
import type { InstanceMetadataProviderOptions } from "../imds/provider.ts";
import type { ProcessProviderOptions } from "../process/settings.ts";
import type { Runtime } from "../runtime.ts";
import type { StsOptions } from "../sts/client.ts";
import type { MfaCodeProvider } from "../sts/role_session.ts";
import { BOOLEAN, checkOptions, FUNCTION, OBJECT, refused, type Rules, STRING } from "../validate.ts";

/** Options of {@linkcode ProfileProvider}. */
export interface ProfileProviderOptions extends SharedConfigOptions {
  /** How to request from IMDS, for a profile with `credential_source = Ec2InstanceMetadata`. */
  readonly imds?: InstanceMetadataProviderOptions | undefined;
  /** How to request from the container endpoint, for a profile with `credential_source = EcsContainer`. */
  readonly container?: ContainerProviderOptions | undefined;
  /** How to run the command, for a profile with `credential_process`. */
  readonly process?: Omit<ProcessProviderOptions, "command"> | undefined;
  /** How to call STS, for a profile with `role_arn`. */
  readonly sts?: Omit<StsOptions, "region"> | undefined;
  /** How to use SSO, for a profile with `sso_account_id` and `sso_role_name`. */
  readonly sso?: Pick<SsoProviderOptions, "endpoint" | "maxRetries"> | undefined;
  /** How to use the sign-in service, for a profile with `login_session`. */
  readonly login?: Pick<LoginProviderOptions, "endpoint" | "maxRetries"> | undefined;
  /** Called when only a person can go on with SSO or a login; see {@linkcode LoginHandler}. */
  readonly onLoginRequired?: LoginHandler | undefined;
  /** The region to call STS in; see {@linkcode StsOptions.region}. */
  readonly region?: string | undefined;
  /** Returns the code of the device in `mfa_serial`. */
  readonly mfaCodeProvider?: MfaCodeProvider | undefined;
  /** Whether a second retrieval may call `mfaCodeProvider` again; otherwise it fails. @default {true} */
  readonly mfaRefresh?: boolean | undefined;
  /** Where diagnostics go. */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime, such as the files. */
  readonly runtime?: Partial<Runtime> | undefined;
}

const RULES: Rules = {
  imds: OBJECT,
  container: OBJECT,
  process: OBJECT,
  sts: OBJECT,
  sso: OBJECT,
  login: OBJECT,
  onLoginRequired: FUNCTION,
  region: STRING,
  mfaCodeProvider: FUNCTION,
  mfaRefresh: BOOLEAN,
  // Options of AWS SDK v3 that this library does not have:
  roleAssumer: refused("this library calls STS itself"),
  roleAssumerWithWebIdentity: refused("this library calls STS itself"),
  clientConfig: refused("set region, and sts for the rest"),
  parentClientConfig: refused("set region, and sts for the rest"),
  clientPlugins: refused("this library uses no clients of AWS SDK v3"),
  ...SHARED_CONFIG_RULES,
};

/**
 * Checks the options as they are given.
 *
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its range.
 */
export function checkProfileOptions(options: ProfileProviderOptions): void {
  checkOptions("profile provider", options, RULES);
}
