import { cached, type CachedProvider } from "./cache/cached_provider.ts";
import type { CredentialsSource, ForeignCredentials, ForeignProvider, RetrieveOptions } from "./credentials.ts";
import { CredentialsProviderError, isRecoverable } from "./errors.ts";
import { printable, printableMessage } from "./printable.ts";
import { validSource } from "./validate.ts";

/**
 * Retrieves from one provider after the other until one has credentials. One that is not available here is skipped; the
 * error of one that is available but broken is thrown, so that it is never replaced by another identity.
 *
 * The credentials are cached as those of the provider that returned them: an instance role is refreshed ahead of time
 * and served through outages, a process is not. Each refresh starts with the first provider again. The chain's cache is
 * the only one: cache options of its providers do not apply. Give them to {@linkcode cached}: `cached(chain(a, b),
 * options)`.
 *
 * @param providers Functions or objects that retrieve, also those of AWS SDK v3.
 * @returns A function: pass it to an AWS SDK v3 client as `credentials`, or call it and await the result. It throws the
 * first error whose `tryNextLink` is not true, or at the end `NoCredentials` with every provider's error in `errors`
 * and a line for each in its message.
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
    throw new CredentialsProviderError("ConfigurationError", "Cannot create chain: no provider is given", {
      hint: "Give at least one, such as fromInstanceMetadata().",
    });
  }
  return cached(new ChainProvider(providers.map((provider) => validSource("chain", provider))));
}

/** The sources of a chain as one source, with the static stability of the one that responded last. */
export class ChainProvider implements CredentialsSource {
  readonly #links: readonly CredentialsSource[];
  #responded: CredentialsSource | undefined;

  constructor(links: readonly CredentialsSource[]) {
    this.#links = links;
  }

  get staticStability(): boolean {
    return this.#responded?.staticStability === true;
  }

  async retrieve(options?: RetrieveOptions): Promise<ForeignCredentials> {
    const errors: unknown[] = [];
    for (const link of this.#links) {
      try {
        const credentials = await link.retrieve(options);
        this.#responded = link;
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
  const lines = errors.map((error, index) => `\n  ${line(error, index)}`).join("");
  return new CredentialsProviderError("NoCredentials", `Cannot get credentials from any provider:${lines}`, {
    errors,
    recoverable: errors.some(isRecoverable),
    hint: "Read the lines from the top: the first provider that should have worked says why it did not.",
  });
}

/** An error as one line. One of other code is named and not quoted: it may hold a secret. */
function line(error: unknown, index: number): string {
  if (error instanceof CredentialsProviderError) {
    const { code, message, hint = "" } = error;
    return printableMessage(`${code}: ${message}. ${hint}`);
  }
  const { name } = error as { readonly name?: unknown };
  return `${typeof name === "string" ? printable(name) : "an error"} from provider ${index + 1}, see errors[${index}]`;
}
