import { CredentialsProviderError } from "../errors.ts";
import { refusesTokens } from "../imds/token.ts";
import type { Runtime } from "../runtime.ts";
import { failureFinding, type Finding } from "./finding.ts";
import { attachHint, checkInstance, isEc2 } from "./instance.ts";
import type { Exchange } from "./recorder.ts";

/** The requests of a retrieval from IMDS. */
type Step = "token" | "role" | "document";

const PATH_REGEXPS: readonly (readonly [Step, RegExp])[] = [
  ["token", /\/latest\/api\/token$/],
  ["role", /\/latest\/meta-data\/iam\/security-credentials(?:-extended)?\/$/],
  ["document", /\/latest\/meta-data\/iam\/security-credentials(?:-extended)?\/[^/]+$/],
];
const REQUESTS: Readonly<Record<Step, string>> = {
  token: "the token request",
  role: "the request for the role name",
  document: "the request for the credentials",
};
const IMDS_CODE_REGEXP = /^(?:Imds|InstanceMetadata)/;
/** For a machine that is known to be an instance. */
const HOP_LIMIT_HINT = "If this is a container, set the hop limit of responses to 2: aws ec2 " +
  "modify-instance-metadata-options --instance-id ID --http-endpoint enabled --http-put-response-hop-limit 2";
/** AWS accepts a signature for 5 minutes; the warning begins one minute earlier. */
const MAX_SKEW_MS = 240_000;

/**
 * The findings for a finished request. They depend on the next one: it repeats the request, or its URL has the role
 * name.
 */
export function finishedStep({ url, response, sentAt }: Exchange, next: Exchange): readonly Finding[] {
  const step = stepOf(url);
  const isRepeated = next.url === url;
  if (step === undefined) return [];
  if (response === undefined || (response.status === 200 && isRepeated)) {
    // After a closed keep-alive connection the same request is sent again: that one is reported.
    return isRepeated ? [] : [failedRequestFinding(step, "sent no response")];
  }
  const { status, date } = response;
  const check = `imds.${step}`;
  if (status !== 200) return findingsForStatus(step, status);
  if (step !== "token") {
    return [{ check, status: "ok", message: `The role of the instance is ${lastSegment(next.url)}` }];
  }
  return [
    { check, status: "ok", message: `IMDSv2 works at ${new URL(url).host}` },
    clockFinding(date, sentAt),
  ];
}

function findingsForStatus(step: Step, status: number): readonly Finding[] {
  if (status === 404 && step !== "token") return []; // the role has changed, or there are no extended paths
  if (step !== "token" || !refusesTokens(status)) return [failedRequestFinding(step, `returned ${status}`)];
  const message = `IMDS returned ${status} to the token request; IMDSv1 is used`;
  const hint = "Enable IMDSv2 for the instance, or remove the filter that blocks PUT requests.";
  return [{ check: "imds.token", status: "warning", message, hint }];
}

function failedRequestFinding(step: Step, state: string): Finding {
  const message = `IMDS ${state} to ${REQUESTS[step]}; another request followed`;
  return { check: `imds.${step}`, status: "warning", message };
}

/** The findings after a successful retrieval: the credentials document, whether IMDSv1 is enabled, and the region. */
export async function* succeededStep(last: Exchange | undefined, runtime: Runtime): AsyncGenerator<Finding> {
  if (last === undefined || stepOf(last.url) !== "document") return;
  yield { check: "imds.document", status: "ok", message: "IMDS returned the credentials of the role" };
  yield* checkInstance(last, runtime);
}

/**
 * The finding for an error that comes from IMDS; `undefined` for any other. The last exchange is the one that failed.
 */
export async function failedStep(
  error: unknown,
  exchanges: readonly Exchange[],
  runtime: Runtime,
): Promise<Finding | undefined> {
  const last = exchanges.at(-1);
  const step = last && stepOf(last.url);
  const isFromImds = error instanceof CredentialsProviderError && IMDS_CODE_REGEXP.test(error.code);
  if (last === undefined || step === undefined || !isFromImds) return undefined;
  const finding = failureFinding(`imds.${step}`, error);
  if (error.code === "ImdsNoRole") return { ...finding, hint: await attachHint(last, runtime) };
  if (!error.tryNextLink || exchanges.some(({ response }) => response !== undefined)) return finding;
  // outside EC2 there is no IMDS: that is not a failure
  if (!await isEc2(runtime)) return { ...finding, status: "skipped" };
  return error.code === "ImdsTokenTimeout" ? { ...finding, hint: HOP_LIMIT_HINT } : finding;
}

function clockFinding(date: string | null, sentAt: number): Finding {
  const check = "imds.clock";
  const skewMs = sentAt - Date.parse(date ?? "");
  if (Number.isNaN(skewMs)) {
    return { check, status: "skipped", message: "The response of IMDS has no valid Date header" };
  }
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return { check, status: "ok", message: "The clock agrees with that of EC2" };
  const state = `${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs < 0 ? "behind" : "ahead of"} that of EC2`;
  const hint = "Synchronize the clock, for example with chrony.";
  return { check, status: "warning", message: `The clock is ${state}: AWS rejects signatures after 5 minutes`, hint };
}

function stepOf(url: string): Step | undefined {
  const { pathname } = new URL(url);
  return PATH_REGEXPS.find(([, regexp]) => regexp.test(pathname))?.[0];
}

function lastSegment(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}
