import { type Outcome, sendOnce } from "../http/request.ts";
import type { Runtime } from "../runtime.ts";
import type { Finding } from "./finding.ts";
import type { Exchange } from "./recorder.ts";

const TOKEN_HEADER = "x-aws-ec2-metadata-token";
const TIME_LIMITS = { timeoutMs: 1_000 };
const WORD_REGEXP = /^[\w-]{1,100}$/;
/** Files of the firmware, and what they begin with on an EC2 instance. */
const FIRMWARE: readonly (readonly [path: string, mark: RegExp])[] = [
  ["/sys/class/dmi/id/sys_vendor", /^Amazon EC2/],
  ["/sys/hypervisor/uuid", /^ec2/i],
];

/**
 * Whether the files of the firmware show that this machine is an EC2 instance. IMDS is not used.
 *
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html}
 */
export async function isEc2({ readTextFile }: Runtime): Promise<boolean> {
  const texts = FIRMWARE.map(async ([path, mark]) => mark.test(await readTextFile(path).catch(() => "") ?? ""));
  return (await Promise.all(texts)).includes(true);
}

/**
 * Reports whether IMDSv1 is enabled, and the region.
 */
export async function* checkInstance(known: Exchange, runtime: Runtime): AsyncGenerator<Finding> {
  if (known.headers[TOKEN_HEADER] !== undefined) yield await version1Finding(known, runtime);
  const check = "imds.region";
  const region = await readWord("placement/region", known, runtime);
  yield region === undefined
    ? { check, status: "skipped", message: "IMDS did not return the region" }
    : { check, status: "ok", message: `The region of the instance is ${region}` };
}

/** How to give the instance a role. */
export async function attachHint(known: Exchange, runtime: Runtime): Promise<string> {
  return "Attach an instance profile with a role: aws ec2 associate-iam-instance-profile " +
    `--instance-id ${await instanceId(known, runtime)} --iam-instance-profile Name=NAME`;
}

async function version1Finding(known: Exchange, runtime: Runtime): Promise<Finding> {
  const check = "imds.v1";
  const outcome = await get(`${originOf(known)}/latest/meta-data/iam/security-credentials/`, {}, runtime);
  const status = outcome.kind === "response" ? outcome.status : undefined;
  if (status === 401) {
    return { check, status: "ok", message: "IMDSv1 is disabled: a request without a token is rejected" };
  }
  if (status !== 200) return { check, status: "skipped", message: "It is not known whether IMDSv1 is enabled" };
  return {
    check,
    status: "warning",
    message: "IMDSv1 is enabled: the credentials can also be read without a token",
    hint: "Require tokens: aws ec2 modify-instance-metadata-options " +
      `--instance-id ${await instanceId(known, runtime)} --http-tokens required`,
  };
}

async function instanceId(known: Exchange, runtime: Runtime): Promise<string> {
  return await readWord("instance-id", known, runtime) ?? "ID";
}

/** An item that is one word; anything else did not come from EC2. */
async function readWord(item: string, known: Exchange, runtime: Runtime): Promise<string | undefined> {
  const token = known.headers[TOKEN_HEADER];
  const headers: Readonly<Record<string, string>> = token === undefined ? {} : { [TOKEN_HEADER]: token };
  const outcome = await get(`${originOf(known)}/latest/meta-data/${item}`, headers, runtime);
  const text = outcome.kind === "response" && outcome.status === 200 ? outcome.body.trim() : "";
  return WORD_REGEXP.test(text) ? text : undefined;
}

/** The endpoint of a request: its URL up to `/latest/`. */
function originOf({ url }: Exchange): string {
  return url.slice(0, url.lastIndexOf("/latest/"));
}

function get(url: string, headers: Readonly<Record<string, string>>, runtime: Runtime): Promise<Outcome> {
  return sendOnce({ method: "GET", url, headers }, TIME_LIMITS, { ...runtime, send: runtime.fetchDirect }, undefined);
}
