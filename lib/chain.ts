import type { Credentials, CredentialsProvider, CredentialsSource, RetrieveOptions } from "./credentials.ts";
import { CredentialsProviderError } from "./errors.ts";
import { isRecoverable } from "./cache/refresh.ts";
import { validCredentials } from "./validate.ts";

/** A function that asks one provider after the other; as a source it has the static stability of the one that answered. */
export type ChainedProvider = CredentialsProvider & CredentialsSource;

/**
 * Asks each provider in turn until one has credentials. One that is not available here is passed over; the error of one
 * that is available but broken is thrown, so that it is never replaced by another identity.
 *
 * Nothing is cached: put the chain into a {@linkcode CredentialsCache}, or use {@linkcode defaultProvider}.
 *
 * @param providers Functions or objects that retrieve, also those of AWS SDK v3.
 * @returns A provider. It throws the first error whose `tryNextLink` is not true, or at the end `NoCredentials` with
 * every provider's error in `errors` and a line for each in its message.
 * @throws {CredentialsProviderError} `ConfigurationError` if no provider is given.
 * @since 0.1.0
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html}
 * @example Usage
 * ```ts
 * import { chain, CredentialsCache, fromEnv, fromInstanceMetadata } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const runtime = { env: () => undefined, fetch: new ImdsEmulator().fetch };
 * const provider = chain(fromEnv({ runtime }), fromInstanceMetadata({ runtime }));
 * assertEquals((await provider()).source, "EC2RoleProvider");
 * ```
 */
export function chain(...providers: readonly (CredentialsProvider | CredentialsSource)[]): ChainedProvider {
  if (providers.length === 0) {
    throw new CredentialsProviderError("ConfigurationError", "Cannot create a chain: no provider is given", {
      hint: "Give at least one, such as fromInstanceMetadata().",
    });
  }
  const links = new Links(providers.map((provider) => "retrieve" in provider ? provider : { retrieve: provider }));
  const provider: CredentialsProvider = (options) => links.retrieve(options);
  return Object.defineProperties(provider as ChainedProvider, {
    retrieve: { value: provider },
    providerSources: { value: () => links.providerSources() },
    staticStability: { get: () => links.staticStability },
  });
}

class Links implements CredentialsSource {
  readonly #links: readonly CredentialsSource[];
  #answered: CredentialsSource | undefined;

  constructor(links: readonly CredentialsSource[]) {
    this.#links = links;
  }

  get staticStability(): boolean {
    return this.#answered?.staticStability === true;
  }

  async retrieve(options?: RetrieveOptions): Promise<Credentials> {
    const errors: unknown[] = [];
    for (const link of this.#links) {
      try {
        const credentials = validCredentials(await link.retrieve(options));
        this.#answered = link;
        return credentials;
      } catch (error) {
        if (!(error as { tryNextLink?: unknown } | null)?.tryNextLink) throw error;
        errors.push(error);
      }
    }
    throw exhausted(errors);
  }

  providerSources(): readonly string[] {
    return this.#links.flatMap((link) => link.providerSources?.() ?? []);
  }
}

function exhausted(errors: readonly unknown[]): CredentialsProviderError {
  const lines = errors.map((error) => `\n  ${line(error)}`).join("");
  return new CredentialsProviderError("NoCredentials", `Cannot get credentials from any provider:${lines}`, {
    errors,
    recoverable: errors.some(isRecoverable),
    hint: "Read the lines from the top: the first provider that should have worked says why it did not.",
  });
}

/** Foreign errors are named, not quoted: their text is not ours to trust. */
function line(error: unknown): string {
  if (!(error instanceof CredentialsProviderError)) return (error as { name?: string } | null)?.name ?? "unknown error";
  return `${error.code}: ${error.message}`;
}
