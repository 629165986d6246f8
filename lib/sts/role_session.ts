import type {
  Credentials,
  CredentialsSource,
  ForeignCredentials,
  ForeignProvider,
  RetrieveOptions,
} from "../credentials.ts";
import type { Endpoint } from "../endpoint.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Runtime } from "../runtime.ts";
import { untilAborted } from "../until_aborted.ts";
import { validCredentials } from "../validate.ts";
import type { StsClient } from "./client.ts";
import { isExpiredToken } from "./errors.ts";
import { assumeRoleParameters, leadingParameters, type RoleParameters, sessionParameters } from "./parameters.ts";

/**
 * What an MFA code is needed for. As a string (`toString()`) it is the serial number: AWS SDK v3 passes only that
 * string.
 */
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
export type SourceCredentials = ForeignCredentials | CredentialsSource | ForeignProvider;

/** What a {@linkcode RoleSession} works with. */
interface RoleSessionSettings {
  readonly params: RoleParameters;
  readonly source: SourceCredentials;
  /** The profile that names the role, for messages. */
  readonly profile: string | undefined;
  readonly mfaCodeProvider: MfaCodeProvider | undefined;
  readonly mfaRefresh: boolean;
  readonly sts: StsClient;
  readonly endpoint: () => Promise<Endpoint>;
}

const MFA_TIMEOUT_MS = 300_000;
const MFA_CODE_REGEXP = /^\d{6}$/;

/** Assumes a role for each retrieval. */
export class RoleSession implements CredentialsSource {
  readonly #settings: RoleSessionSettings;
  readonly #runtime: Runtime;
  readonly #retrieveSource: ForeignProvider;
  #hasUsedMfa = false;

  constructor(settings: RoleSessionSettings, runtime: Runtime) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#retrieveSource = sourceFunction(settings.source);
  }

  /**
   * False if this role, or an earlier role of the same profile, needs an MFA code: a person would have to type it
   * before the credentials expire. Other sources are not asked.
   */
  get staticStability(): boolean {
    const { source } = this.#settings;
    return !this.#needsMfa() && !(source instanceof RoleSession && !source.staticStability);
  }

  async retrieve({ signal }: RetrieveOptions = {}): Promise<Credentials> {
    signal?.throwIfAborted();
    const { params, sts } = this.#settings;
    const endpoint = await this.#settings.endpoint();
    const source = validCredentials(await this.#retrieveSource());
    const withCode = this.#needsMfa() ? { ...params, TokenCode: await this.#mfaCode(signal) } : params;
    const parameters = [
      ...leadingParameters(withCode, this.#runtime.now()),
      ...sessionParameters(withCode),
      ...assumeRoleParameters(withCode),
    ];
    const call = { action: "AssumeRole", parameters, endpoint, signal } as const;
    try {
      return await sts.retrieveCredentials({ ...call, credentials: source });
    } catch (error) {
      const refreshed = isExpiredToken(error) && !this.#needsMfa() ? await this.#refreshSource(source) : source;
      if (refreshed.accessKeyId === source.accessKeyId) throw error; // the same credentials would be rejected again
      return await sts.retrieveCredentials({ ...call, credentials: refreshed });
    }
  }

  providerSources(): readonly string[] {
    const { source } = this.#settings;
    const sources = "providerSources" in source ? source.providerSources?.() : undefined;
    return ["AssumeRole", ...(sources ?? [])];
  }

  #needsMfa(): boolean {
    const { SerialNumber, TokenCode } = this.#settings.params;
    return SerialNumber !== undefined && TokenCode === undefined;
  }

  /** STS rejected the source credentials as expired: a cache in the source drops them. Returns new ones. */
  async #refreshSource(rejected: Credentials): Promise<Credentials> {
    const { invalidate } = this.#settings.source as { invalidate?: (rejected: Credentials) => void };
    invalidate?.(rejected);
    return validCredentials(await this.#retrieveSource());
  }

  async #mfaCode(callerSignal: AbortSignal | undefined): Promise<string> {
    const { params: { SerialNumber: serial = "" }, mfaCodeProvider, mfaRefresh, profile } = this.#settings;
    if (mfaCodeProvider === undefined) {
      throw this.#mfaError("it needs an MFA code, and there is no mfaCodeProvider", "Give the option mfaCodeProvider.");
    }
    if (this.#hasUsedMfa && !mfaRefresh) {
      throw this.#mfaError("it needs a new MFA code, and mfaRefresh is false", "Start the program again.");
    }
    const timeout = this.#runtime.timeout(MFA_TIMEOUT_MS);
    const signal = callerSignal === undefined ? timeout : AbortSignal.any([timeout, callerSignal]);
    const code = await untilAborted(callProvider(mfaCodeProvider, { serial, profile, signal }), signal).catch(
      (error: unknown) => {
        callerSignal?.throwIfAborted();
        // the error of mfaCodeProvider itself says why there is no code
        if (error instanceof CredentialsProviderError) throw error;
        const state = timeout.aborted
          ? "mfaCodeProvider returned no MFA code within 5 minutes"
          : "mfaCodeProvider failed";
        throw this.#mfaError(state, "Get the code from the device, and try again.");
      },
    );
    if (typeof code !== "string" || !MFA_CODE_REGEXP.test(code.trim())) {
      throw this.#mfaError(
        "mfaCodeProvider returned no code of six digits",
        "Return the digits that the device shows.",
      );
    }
    this.#hasUsedMfa = true;
    return code.trim();
  }

  #mfaError(state: string, hint: string): CredentialsProviderError {
    const { profile } = this.#settings;
    const subject = profile === undefined ? "the role" : `the role of profile ${printable(profile)}`;
    return new CredentialsProviderError("MfaCodeError", `Cannot assume ${subject}: ${state}`, { hint });
  }
}

async function callProvider(provider: MfaCodeProvider, request: Omit<MfaCodeRequest, "toString">): Promise<unknown> {
  return await provider({ ...request, toString: () => request.serial });
}

function sourceFunction(source: SourceCredentials): ForeignProvider {
  if (typeof source === "function") return source;
  if ("retrieve" in source) return (options) => source.retrieve(options);
  return () => Promise.resolve(source);
}
