import { assertEquals, assertRejects } from "@std/assert";
import { CredentialsProviderError } from "../../lib/errors.ts";
import { LoginProvider } from "../../lib/login/provider.ts";
import type { LoginProviderOptions } from "../../lib/login/settings.ts";
import type { LoginEmulatorOptions, LoginKeyForm } from "../../lib/testing/login.ts";
import { assertNoSecrets } from "./errors.ts";
import { Laptop, loginPath } from "./laptop.ts";

/** The path of the file of the session that the profile signed-in names. */
export const PATH: string = loginPath();
export const COMMAND = "aws login --profile signed-in";

/** A laptop on which a person has just signed in. */
export async function signedIn(options: LoginEmulatorOptions = {}, keyForm?: LoginKeyForm): Promise<Laptop> {
  const laptop = new Laptop({ login: options });
  laptop.files[PATH] = await laptop.login.login(keyForm);
  return laptop;
}

/** A provider for the profile signed-in, unless the options say otherwise. */
export function loginProvider(laptop: Laptop, options: LoginProviderOptions = {}): LoginProvider {
  return new LoginProvider({ profile: "signed-in", runtime: laptop, logger: laptop.logger, ...options });
}

/** The error of a retrieval. It stops a chain, and no secret is in it. */
export async function failure(laptop: Laptop, options?: LoginProviderOptions): Promise<CredentialsProviderError> {
  const error = await assertRejects(() => loginProvider(laptop, options).retrieve(), CredentialsProviderError);
  assertEquals(error.tryNextLink, false);
  assertNoSecrets(error, laptop.logged, laptop.warnings);
  return error;
}

/** The statuses of the responses so far. */
export function statuses({ login }: Laptop): readonly number[] {
  return login.requests.map(({ status }) => status);
}
