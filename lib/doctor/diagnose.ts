import { type ChainLink, defaultLinks, type DefaultProviderOptions } from "../default_provider.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { checkConfig } from "./config.ts";
import { type Finding, printableFinding, shownKeyId } from "./finding.ts";
import { checkIdentity } from "./identity.ts";
import { Recorder } from "./recorder.ts";
import { checkProviders, LINK_NAMES, type Outcome } from "./providers.ts";
import { checkProxy } from "./proxy.ts";
import { checkPermissions, checkRuntime } from "./runtime.ts";
import { checkVariables } from "./variables.ts";

/** Options of {@linkcode diagnose}: those of the default chain. The `logger` is not used: warnings become findings. */
export interface DiagnoseOptions extends DefaultProviderOptions {
  /** Sends a signed request to STS, which says whose the credentials are. @default {false} */
  readonly online?: boolean | undefined;
}

const NOTHING_HINT =
  "Configure a source: `aws configure sso` or `aws login` for a person; a role for an EC2 instance, an " +
  "ECS task or an EKS service account.";

/**
 * Checks how {@linkcode defaultProvider} finds credentials on this machine, and reports each step: the runtime,
 * variables, proxies and config files, then each provider of the chain with the steps of its retrieval, until one has
 * credentials, or is configured but fails.
 *
 * Each finding is yielded as soon as it is known. The last one has the check `credentials`, and is `ok` or a `failure`.
 * No finding holds a secret. Providers are really tried: requests are sent, and a `credential_process` is run.
 *
 * @param options See {@linkcode DiagnoseOptions}.
 * @returns The findings, in the order of the checks that {@linkcode Finding} lists.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values. What goes wrong
 * later is a finding.
 * @since 0.1.0
 * @example Usage
 * ```ts
 * import { diagnose } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new ImdsEmulator({ role: null }); // on your machine call diagnose() without options
 * const runtime = { fetch: emulator.fetch, env: () => undefined };
 * const failures: string[] = [];
 * for await (const { check, status, message, hint } of diagnose({ sharedConfig: {}, runtime })) {
 *   if (status === "failure") failures.push(`${check}: ${message}. ${hint}`);
 * }
 * assertEquals(failures[0]?.startsWith("imds.role: ImdsNoRole"), true);
 * assertEquals(failures[0]?.includes("aws ec2 associate-iam-instance-profile"), true);
 * ```
 */
export function diagnose(options: DiagnoseOptions = {}): AsyncIterable<Finding> {
  const { online = false, ...others } = options;
  const recorder = new Recorder(detectRuntime(options.runtime));
  const recorded = { ...others, runtime: recorder.runtime, logger: recorder.logger };
  return report(examine(defaultLinks(recorded), recorded, recorder, online));
}

/** The result of all checks: the last finding reports it. */
type Verdict = Outcome | { readonly kind: "rejected" };

async function* examine(
  links: readonly ChainLink[],
  options: DefaultProviderOptions,
  recorder: Recorder,
  online: boolean,
): AsyncGenerator<Finding, Verdict> {
  const { runtime } = recorder;
  const first = checkRuntime();
  yield first;
  if (first.status === "failure") return { kind: "exhausted" };
  yield* checkPermissions(options, runtime);
  yield* recorder.takeWarnings("options");
  yield* checkVariables(runtime);
  yield* checkProxy(runtime);
  yield* checkConfig(options, recorder);
  const outcome = yield* checkProviders(links, options, recorder);
  if (!online || outcome.kind !== "chosen") return outcome;
  const identity = await checkIdentity(outcome.credentials, options, runtime);
  yield identity;
  return identity.status === "failure" ? { kind: "rejected" } : outcome;
}

/** Yields each finding, and at the end the one with the check `credentials`. */
async function* report(findings: AsyncGenerator<Finding, Verdict>): AsyncGenerator<Finding> {
  const problems: Finding[] = [];
  for (;;) {
    const { done, value } = await findings.next();
    if (done) { // its value is the result; `for await` would drop it
      yield printableFinding(conclusion(value, problems));
      return;
    }
    if (value.status === "failure" || value.status === "warning") problems.push(value);
    yield printableFinding(value);
  }
}

function conclusion(verdict: Verdict, problems: readonly Finding[]): Finding {
  const check = "credentials";
  if (verdict.kind === "chosen") {
    const found = `${shownKeyId(verdict.credentials)} from ${LINK_NAMES[verdict.by]}`;
    return { check, status: "ok", message: `Credentials can be retrieved: ${found}` };
  }
  const states = {
    rejected: "Credentials can be retrieved, but AWS rejects them",
    failed: `Credentials cannot be retrieved from ${"by" in verdict ? LINK_NAMES[verdict.by] : ""}`,
    exhausted: "Credentials cannot be retrieved: no provider of the chain has any",
  };
  const cause = problems.find(({ status }) => status === "failure") ?? problems[0];
  const hint = cause === undefined ? NOTHING_HINT : `Begin with the finding ${cause.check}. ${cause.hint ?? ""}`;
  return { check, status: "failure", message: states[verdict.kind], hint };
}
