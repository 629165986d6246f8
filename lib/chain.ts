import { cached, type CachedProvider } from "./cache/cached_provider.ts";
import type { CredentialsSource, ForeignCredentials, ForeignProvider, RetrieveOptions } from "./credentials.ts";
import { CredentialsProviderError, isRecoverable } from "./errors.ts";
import { printable, printableMessage } from "./printable.ts";
import { validSource } from "./validate.ts";

/**
 * Calls the providers in order until one returns credentials. A provider that is not available here is skipped. The
 * error of a provider that is available but broken is thrown: credentials of another identity never replace its own.
 *
 * The `staticStability` of the provider that returned the credentials decides how they are cached; its
 * `handleFailToRefresh` and `adjustExpiresBy` are not called. Those of an instance role are refreshed ahead of time and
 * served during outages, those of a process are not. Each refresh starts with the first provider again. The chain's
 * cache is the only one: cache options of its providers are ignored. Pass cache options to {@linkcode cached}:
 * `cached(chain(a, b), options)`.
 *
 * @param providers Functions or objects that retrieve, also those of AWS SDK v3.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws the
 * first error whose `tryNextLink` is not true. If all providers are skipped, it throws `NoCredentials` with every
 * provider's error in `errors` and a line for each in its message.
 * @throws {CredentialsProviderError} `ConfigurationError` if no provider is given.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html}
 * @example Usage
 * ```ts
 * import { chain, fromEnv, fromInstanceMetadata } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const runtime = { env: () => undefined, fetch: new ImdsEmulator().fetch };
 * const provider = chain(fromEnv({ runtime }), fromInstanceMetadata({ runtime }));
 * assertEquals((await provider()).source, "EC2RoleProvider");
 * ```
 */
export function chain(...providers: readonly (CredentialsSource | ForeignProvider)[]): CachedProvider {
  if (providers.length === 0) {
    throw new CredentialsProviderError("ConfigurationError", "Cannot create the chain: no provider is given", {
      hint: "Give at least one, such as fromInstanceMetadata().",
    });
  }
  return cached(new ChainProvider(providers.map((provider) => validSource("chain", provider))));
}

/** The providers of a chain as one source, with the static stability of the provider that returned credentials last. */
export class ChainProvider implements CredentialsSource {
  readonly #sources: readonly CredentialsSource[];
  #lastSource: CredentialsSource | undefined;

  constructor(sources: readonly CredentialsSource[]) {
    this.#sources = sources;
  }

  get staticStability(): boolean {
    return this.#lastSource?.staticStability === true;
  }

  async retrieve(options?: RetrieveOptions): Promise<ForeignCredentials> {
    const errors: unknown[] = [];
    for (const source of this.#sources) {
      try {
        const credentials = await source.retrieve(options);
        this.#lastSource = source;
        return credentials;
      } catch (error) {
        if (!(error as { tryNextLink?: unknown } | null)?.tryNextLink) throw error;
        errors.push(error);
      }
    }
    throw noCredentials(errors);
  }

  providerSources(): readonly string[] {
    return this.#sources.flatMap((source) => source.providerSources?.() ?? []);
  }
}

function noCredentials(errors: readonly unknown[]): CredentialsProviderError {
  const lines = errors.map((error, index) => `\n  ${line(error, index)}`).join("");
  return new CredentialsProviderError("NoCredentials", `Cannot get credentials from any provider:${lines}`, {
    errors,
    recoverable: errors.some(isRecoverable),
    hint: "Read the lines from the top, and fix the first provider that you expect to work.",
  });
}

/**
 * An error as one line. Of an error that is not from this library only the name is used: its message may hold a secret.
 */
function line(error: unknown, index: number): string {
  if (error instanceof CredentialsProviderError) {
    const { code, message, hint = "" } = error;
    return printableMessage(`${code}: ${message}. ${hint}`);
  }
  const { name } = error as { readonly name?: unknown };
  return `${typeof name === "string" ? printable(name) : "an error"} from provider ${index + 1}, see errors[${index}]`;
}
