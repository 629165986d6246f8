import { abortable } from "../abortable.ts";
import type { SharedConfigOptions } from "../config/locations.ts";
import { SHARED_CONFIG_RULES } from "../config/files.ts";
import { loadSources, resolveOnce } from "../config/settings.ts";
import type { Credentials, CredentialsSource, ForeignCredentials, Logger, RetrieveOptions } from "../credentials.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { BOOLEAN, checkOptions, FUNCTION, OBJECT, type Rules, validCredentials } from "../validate.ts";
import { STS_RULES, StsClient, stsEndpoint, type StsOptions } from "./client.ts";
import {
  assumeRoleParameters,
  checkRole,
  leadingParameters,
  type RoleParameters,
  sessionParameters,
} from "./parameters.ts";

/** What an MFA code is needed for. As a string it is the serial number, which AWS SDK v3 passes alone. */
export interface MfaCodeRequest {
  /** The serial number or ARN of the device. */
  readonly serial: string;
  /** The profile that names the device; absent where no profile does. */
  readonly profile?: string | undefined;
  /** Aborts when the code is no longer needed, and after 5 minutes. */
  readonly signal: AbortSignal;
  /** The serial number. */
  toString(): string;
}

/** Returns the six digits that an MFA device shows. */
export type MfaCodeProvider = (request: MfaCodeRequest) => string | Promise<string>;

/** Where the credentials that sign a request come from: an object, a function, or a provider. */
export type SourceCredentials =
  | ForeignCredentials
  | CredentialsSource
  | ((options?: RetrieveOptions) => Promise<ForeignCredentials>);

/** Options of {@linkcode AssumeRoleProvider}. */
export interface AssumeRoleProviderOptions extends StsOptions, SharedConfigOptions {
  /** What the role is assumed with, by the names of STS. */
  readonly params: RoleParameters;
  /** The credentials that may assume the role. A function is called for each retrieval: give it a cache of its own. */
  readonly masterCredentials: SourceCredentials;
  /** Returns the code of the device in `params.SerialNumber`. It is called for each retrieval. */
  readonly mfaCodeProvider?: MfaCodeProvider | undefined;
  /** Whether a second retrieval may call `mfaCodeProvider` again; otherwise it fails. @default {true} */
  readonly mfaRefresh?: boolean | undefined;
  /** Where diagnostics go; nothing is printed without one. */
  readonly logger?: Logger | null;
  /** Replaces parts of the detected runtime: the clock, `fetch`, the files. */
  readonly runtime?: Partial<Runtime>;
}

const RULES: Rules = {
  params: OBJECT,
  mfaCodeProvider: FUNCTION,
  mfaRefresh: BOOLEAN,
  ...STS_RULES,
  ...SHARED_CONFIG_RULES,
};

const MFA_TIMEOUT_MS = 300_000;
const MFA_CODE_REGEXP = /^\d{6}$/;

/**
 * Retrieves the credentials of a role that other credentials may assume. Each call sends one request to STS, signed with
 * the source credentials. Put a {@linkcode CredentialsCache} in front, or use {@linkcode fromTemporaryCredentials}, which
 * does.
 *
 * With an MFA device each retrieval needs a code, so the credentials are never refreshed before they expire.
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
  readonly #options: AssumeRoleProviderOptions;
  readonly #runtime: Runtime;
  readonly #sts: StsClient;
  readonly #sources: () => ReturnType<typeof loadSources>;
  readonly #retrieveSource: (options?: RetrieveOptions) => Promise<ForeignCredentials>;
  #hasUsedMfa = false;

  /**
   * Creates a provider. Nothing is read or sent yet.
   *
   * @param options See {@linkcode AssumeRoleProviderOptions}.
   * @throws {CredentialsProviderError} `ConfigurationError` or `AssumeRoleConfigurationError`, naming the option and its
   * range.
   */
  constructor(options: AssumeRoleProviderOptions) {
    checkOptions("assume role provider", options, RULES);
    checkRole(subjectOf(options), options.params);
    this.#options = options;
    this.#runtime = detectRuntime(options.runtime);
    this.#sts = new StsClient(options, this.#runtime);
    this.#sources = resolveOnce(() => loadSources(options, this.#runtime));
    this.#retrieveSource = sourceFunction(options.masterCredentials);
  }

  /** Whether the credentials are refreshed early and outlive an outage of STS: not where a person must type a code. */
  get staticStability(): boolean {
    return !this.#needsMfa();
  }

  /**
   * Assumes the role.
   *
   * @throws {CredentialsProviderError} `StsError` (with `stsCode`), `StsInvalidResponse`, `StsUnreachable`,
   * `MfaCodeError`, `ConfigurationError`, and what the source of the credentials throws.
   */
  async retrieve({ signal }: RetrieveOptions = {}): Promise<Credentials> {
    signal?.throwIfAborted();
    const sources = await this.#sources();
    const { params } = this.#options;
    const endpoint = stsEndpoint(this.#options, sources, params.RoleArn);
    const source = validCredentials(await this.#retrieveSource());
    const withCode = this.#needsMfa() ? { ...params, TokenCode: await this.#mfaCode(signal) } : params;
    const parameters = [
      ...leadingParameters(withCode, this.#runtime.now()),
      ...sessionParameters(withCode),
      ...assumeRoleParameters(withCode),
    ];
    const call = { action: "AssumeRole", parameters, endpoint, signal } as const;
    try {
      return await this.#sts.call({ ...call, credentials: source });
    } catch (error) {
      const renewed = isExpiredToken(error) && !this.#needsMfa() ? await this.#renewSource(source) : source;
      if (renewed.accessKeyId === source.accessKeyId) throw error;
      return await this.#sts.call({ ...call, credentials: renewed });
    }
  }

  /** The providers this one stands for. */
  providerSources(): readonly string[] {
    const { masterCredentials } = this.#options;
    const source = masterCredentials as Partial<CredentialsSource>;
    return ["AssumeRole", ...(source.providerSources?.() ?? [])];
  }

  #needsMfa(): boolean {
    const { SerialNumber, TokenCode } = this.#options.params;
    return SerialNumber !== undefined && TokenCode === undefined;
  }

  /** STS rejected the source credentials as expired: their cache is told, and asked once more. */
  async #renewSource(rejected: Credentials): Promise<Credentials> {
    const { invalidate } = this.#options.masterCredentials as { invalidate?: (rejected: Credentials) => void };
    invalidate?.(rejected);
    return validCredentials(await this.#retrieveSource());
  }

  async #mfaCode(caller: AbortSignal | undefined): Promise<string> {
    const { params: { SerialNumber: serial = "" }, mfaCodeProvider, mfaRefresh = true, profile } = this.#options;
    const where = subjectOf(this.#options);
    if (mfaCodeProvider === undefined) {
      throw mfaError(
        where,
        "it needs an MFA code, and there is no mfaCodeProvider",
        "Give the option mfaCodeProvider.",
      );
    }
    if (this.#hasUsedMfa && !mfaRefresh) {
      throw mfaError(where, "it needs a new MFA code, and mfaRefresh is false", "Start the program again.");
    }
    const timeout = this.#runtime.timeout(MFA_TIMEOUT_MS);
    const signal = caller === undefined ? timeout : AbortSignal.any([timeout, caller]);
    let code: unknown;
    try {
      const request = { serial, profile, signal, toString: () => serial };
      code = await abortable(Promise.resolve(mfaCodeProvider(request)), signal);
    } catch {
      caller?.throwIfAborted();
      const state = timeout.aborted ? "there was no MFA code for 5 minutes" : "mfaCodeProvider failed";
      throw mfaError(where, state, "Get the code from the device, and try again.");
    }
    if (typeof code !== "string" || !MFA_CODE_REGEXP.test(code.trim())) {
      throw mfaError(
        where,
        "mfaCodeProvider returned no code of six digits",
        "Return the digits that the device shows.",
      );
    }
    this.#hasUsedMfa = true;
    return code.trim();
  }
}

function subjectOf({ profile }: Pick<AssumeRoleProviderOptions, "profile">): string {
  return profile === undefined ? "params" : `profile ${profile}`;
}

function sourceFunction(source: SourceCredentials): (options?: RetrieveOptions) => Promise<ForeignCredentials> {
  if (typeof source === "function") return source;
  if ("retrieve" in source) return (options) => source.retrieve(options);
  return () => Promise.resolve(source);
}

function isExpiredToken(error: unknown): boolean {
  return error instanceof CredentialsProviderError && error.stsCode === "ExpiredToken";
}

function mfaError(subject: string, state: string, hint: string): CredentialsProviderError {
  return new CredentialsProviderError("MfaCodeError", `Cannot assume the role of ${subject}: ${state}`, { hint });
}
