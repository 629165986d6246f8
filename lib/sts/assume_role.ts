import { SHARED_CONFIG_RULES, type SharedConfigOptions } from "../config/files.ts";
import { checkProviderOptions, SDK_CLIENT_RULES } from "../config/options.ts";
import { loadSources, resolveOnce } from "../config/settings.ts";
import type { Credentials, CredentialsSource, Logger, RetrieveOptions } from "../credentials.ts";
import type { Runtime } from "../runtime.ts";
import { ANY, BOOLEAN, FUNCTION, OBJECT, type Rules, STRING } from "../validate.ts";
import { STS_RULES, StsClient, stsEndpoint, type StsOptions } from "./client.ts";
import { checkRole, type RoleParameters } from "./parameters.ts";
import { type MfaCodeProvider, RoleSession, type SourceCredentials } from "./role_session.ts";

/** Options of {@linkcode AssumeRoleProvider}. */
export interface AssumeRoleProviderOptions extends StsOptions, SharedConfigOptions {
  /** What the role is assumed with, by the names of STS. */
  readonly params: RoleParameters;
  /**
   * The credentials that may assume the role. A function is called for each retrieval: use one with a cache, such as
   * {@linkcode cached} returns.
   */
  readonly masterCredentials: SourceCredentials;
  /** Returns the code of the device in `params.SerialNumber`. It is called for each retrieval. */
  readonly mfaCodeProvider?: MfaCodeProvider | undefined;
  /** Whether a second retrieval may call `mfaCodeProvider` again; otherwise it fails. @default {true} */
  readonly mfaRefresh?: boolean | undefined;
  /**
   * Receives diagnostics. Without a logger only warnings about options and files are printed; with `null` nothing is.
   */
  readonly logger?: Logger | null | undefined;
  /** Replaces parts of the detected runtime: the clock, `fetch`, the files. */
  readonly runtime?: Partial<Runtime> | undefined;
}

const RULES: Rules = {
  params: OBJECT,
  masterCredentials: ANY,
  mfaCodeProvider: FUNCTION,
  mfaRefresh: BOOLEAN,
  region: STRING,
};

/**
 * Retrieves the credentials of a role that other credentials may assume. Each call sends one request to STS, signed
 * with the source credentials. Nothing is cached here: for that use {@linkcode fromTemporaryCredentials}.
 *
 * With an MFA device each retrieval needs a code, so a cache does not refresh the credentials before they expire,
 * unless its option `expiryWindowSeconds` is set.
 *
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html}
 * @example Usage
 * ```ts ignore
 * import { AssumeRoleProvider, fromInstanceMetadata } from "@rolecreds/aws";
 *
 * const provider = new AssumeRoleProvider({
 *   masterCredentials: fromInstanceMetadata(),
 *   params: { RoleArn: "arn:aws:iam::123456789012:role/deploy" },
 * });
 * const { accessKeyId } = await provider.retrieve();
 * ```
 */
export class AssumeRoleProvider implements CredentialsSource {
  readonly #session: RoleSession;

  /**
   * Creates a provider. Nothing is read or sent yet.
   *
   * @param options See {@linkcode AssumeRoleProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError` or `AssumeRoleConfigurationError`, naming the option and
   * its valid values.
   */
  constructor(options: AssumeRoleProviderOptions) {
    const sets = [RULES, STS_RULES, SHARED_CONFIG_RULES, SDK_CLIENT_RULES];
    const runtime = checkProviderOptions("assume role provider", options, ...sets);
    const { params, masterCredentials: source, mfaCodeProvider, mfaRefresh = true, profile } = options;
    checkRole("the option params", params);
    const endpoint = resolveOnce(async () => stsEndpoint(options, await loadSources(options, runtime), params.RoleArn));
    const sts = new StsClient(options, runtime);
    this.#session = new RoleSession({ params, source, profile, mfaCodeProvider, mfaRefresh, sts, endpoint }, runtime);
  }

  /** Whether the credentials are refreshed early and outlive an outage of STS: not where a person must type a code. */
  get staticStability(): boolean {
    return this.#session.staticStability;
  }

  /**
   * Assumes the role.
   *
   * @throws {CredentialsProviderError} `StsError` (with `stsCode`), `StsInvalidResponse`, `StsUnreachable`,
   * `MfaCodeError`, `ConfigurationError`, `ConfigParseError`, `ConfigReadError`, and what `masterCredentials` throws.
   */
  retrieve(options?: RetrieveOptions): Promise<Credentials> {
    return this.#session.retrieve(options);
  }

  /** The names of the providers that this one retrieves from, for reports. */
  providerSources(): readonly string[] {
    return this.#session.providerSources();
  }
}
