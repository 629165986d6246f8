import { assertEquals, assertRejects } from "@std/assert";
import { CredentialsProviderError } from "../../lib/errors.ts";
import { SsoProvider } from "../../lib/sso/provider.ts";
import type { SsoProviderOptions } from "../../lib/sso/settings.ts";
import type { SsoEmulatorOptions } from "../../lib/testing/sso.ts";
import { assertNoSecrets } from "./errors.ts";
import { Laptop, ssoTokenPath } from "./laptop.ts";

/** The path of the token file of the profile dev. */
export const TOKEN: string = ssoTokenPath("corp");
export const COMMAND = "aws sso login --sso-session corp";

// What the wire shows.
export const ROLE = "GET /federation/credentials 200";
export const REFUSED = "GET /federation/credentials 401";
export const REFRESH = "POST /token 200";

/** A laptop on which a person has just signed in. */
export function signedIn(options: SsoEmulatorOptions = {}): Laptop {
  const laptop = new Laptop({ sso: options });
  laptop.files[TOKEN] = laptop.sso.login();
  return laptop;
}

/** A provider for the profile dev, unless the options say otherwise. */
export function ssoProvider(laptop: Laptop, options: SsoProviderOptions = {}): SsoProvider {
  return new SsoProvider({ profile: "dev", runtime: laptop, logger: laptop.logger, ...options });
}

/** The error of a retrieval. It stops a chain, and no secret is in it. */
export async function failure(laptop: Laptop, options?: SsoProviderOptions): Promise<CredentialsProviderError> {
  const error = await assertRejects(() => ssoProvider(laptop, options).retrieve(), CredentialsProviderError);
  assertEquals(error.tryNextLink, false);
  assertNoSecrets(error, laptop.logged, laptop.warnings);
  return error;
}

/** The requests so far, as short lines. */
export function wire({ sso }: Laptop): readonly string[] {
  return sso.requests.map(({ method, path, status }) => `${method} ${path} ${status}`);
}
