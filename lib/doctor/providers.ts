import { cached } from "../cache/cached_provider.ts";
import type { Credentials } from "../credentials.ts";
import type { ChainLink, DefaultProviderOptions } from "../default_provider.ts";
import { CredentialsProviderError } from "../errors.ts";
import { errorFinding, expiry, type Finding, shownKeyId } from "./finding.ts";
import { failedStep, finishedStep, succeededStep } from "./imds.ts";
import type { Exchange, Recorder } from "./recorder.ts";
import { PLAN_CHECKS } from "./plans.ts";

type LinkName = ChainLink["name"];

/** The result of trying the chain. */
export type Outcome =
  | { readonly kind: "chosen"; readonly by: LinkName; readonly credentials: Credentials }
  | { readonly kind: "failed"; readonly by: LinkName }
  | { readonly kind: "exhausted" };

/** The name of each provider of the chain in messages. */
export const LINK_NAMES: Readonly<Record<LinkName, string>> = {
  environment: "the environment",
  profile: "the profile",
  webIdentity: "the web identity",
  container: "the container",
  imds: "the instance role",
};

/**
 * Tries the providers of the chain in order, as the
 * chain does: until one returns credentials, or is configured but fails.
 */
export async function* checkProviders(
  links: readonly ChainLink[],
  options: DefaultProviderOptions,
  recorder: Recorder,
): AsyncGenerator<Finding, Outcome> {
  let outcome: Outcome = { kind: "exhausted" };
  if (options.profile !== undefined) {
    yield {
      check: "environment",
      status: "skipped",
      message: "The environment is not tried: the option profile is set",
    };
  }
  for (const link of links) {
    if (outcome.kind === "exhausted") outcome = yield* checkLink(link, options, recorder);
    else yield { check: link.name, status: "skipped", message: `Not tried: ${stateOf(outcome)}` };
  }
  return outcome;
}

function stateOf(outcome: Exclude<Outcome, { kind: "exhausted" }>): string {
  const name = LINK_NAMES[outcome.by];
  return outcome.kind === "chosen"
    ? `${name} comes first`
    : `${name} failed, and a chain never continues with another identity`;
}

async function* checkLink(
  { name, source }: ChainLink,
  options: DefaultProviderOptions,
  recorder: Recorder,
): AsyncGenerator<Finding, Outcome> {
  const { runtime } = recorder;
  yield* PLAN_CHECKS[name]?.(options, runtime) ?? [];
  // The cache decides whether expired credentials are used.
  const retrieval = settled(cached(source, { ...options, runtime })());
  const exchanges = yield* checkSteps(retrieval, recorder);
  yield* recorder.takeWarnings(name);
  const result = await retrieval;
  if ("error" in result) {
    const { error } = result;
    yield await failedStep(error, exchanges, runtime) ?? errorFinding(checkOf(name, error), error);
    const mayContinue = (error as { readonly tryNextLink?: unknown } | null)?.tryNextLink;
    return mayContinue ? { kind: "exhausted" } : { kind: "failed", by: name };
  }
  yield* succeededStep(exchanges.at(-1), runtime);
  yield chosen(name, result.credentials, runtime.now());
  return { kind: "chosen", by: name, credentials: result.credentials };
}

/**
 * Yields the findings of each request of a retrieval when the next one is sent. Returns all requests: the last one is
 * reported with the result.
 */
async function* checkSteps(
  retrieval: Promise<unknown>,
  recorder: Recorder,
): AsyncGenerator<Finding, readonly Exchange[]> {
  const { exchanges } = recorder;
  const start = exchanges.length;
  let index = start;
  for (let isDone = false; !isDone;) {
    isDone = await Promise.race([retrieval.then(() => true), recorder.nextRequest().then(() => false)]);
    for (; index + 1 < exchanges.length; index++) {
      const [exchange, next] = exchanges.slice(index) as [Exchange, Exchange];
      yield* finishedStep(exchange, next);
    }
  }
  return exchanges.slice(start);
}

type Result = { readonly credentials: Credentials } | { readonly error: unknown };

function settled(retrieval: Promise<Credentials>): Promise<Result> {
  return retrieval.then((credentials) => ({ credentials }), (error: unknown) => ({ error }));
}

function chosen(check: LinkName, credentials: Credentials, now: number): Finding {
  const { source, expiration, originalExpiration = expiration } = credentials;
  const found = `Chosen: ${shownKeyId(credentials)} from ${source}`;
  if (originalExpiration === undefined) return { check, status: "ok", message: `${found}, without expiration` };
  const message = `${found}, ${expiry(originalExpiration.getTime(), now)}`;
  if (originalExpiration.getTime() > now) return { check, status: "ok", message };
  return { check, status: "warning", message, hint: "Check the clock; during an outage AWS may still accept them." };
}

function checkOf(name: LinkName, error: unknown): string {
  const isTokenFile = error instanceof CredentialsProviderError && error.code === "TokenFileError";
  return isTokenFile ? `${name}.token` : name;
}
