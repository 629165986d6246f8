import { attempt, type Outcome } from "../http/request.ts";
import type { Runtime } from "../runtime.ts";
import type { Finding } from "./finding.ts";
import type { Exchange } from "./observer.ts";

const TOKEN_HEADER = "x-aws-ec2-metadata-token";
const TIME_LIMITS = { timeoutMs: 1_000 };
const WORD_REGEXP = /^[\w-]{1,100}$/;
/** The files in which the firmware of an instance names itself. */
const FIRMWARE: readonly (readonly [path: string, mark: RegExp])[] = [
  ["/sys/class/dmi/id/sys_vendor", /^Amazon EC2/],
  ["/sys/hypervisor/uuid", /^ec2/i],
];

/**
 * Whether this machine says without IMDS that it is an EC2 instance.
 *
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html}
 */
export async function isEc2({ readTextFile }: Runtime): Promise<boolean> {
  const texts = FIRMWARE.map(async ([path, mark]) => mark.test(await readTextFile(path).catch(() => "") ?? ""));
  return (await Promise.all(texts)).includes(true);
}

/** Says whether IMDSv1 is open, and the region. `known` is a request that IMDS responded to: its token is used. */
export async function* checkInstance(known: Exchange, runtime: Runtime): AsyncGenerator<Finding> {
  if (known.headers[TOKEN_HEADER] !== undefined) yield await version1Finding(known, runtime);
  const check = "imds.region";
  const region = await readWord("placement/region", known, runtime);
  yield region === undefined
    ? { check, status: "skipped", message: "IMDS does not tell the region" }
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
    return { check, status: "ok", message: "IMDSv1 is closed: a request without a token is rejected" };
  }
  if (status !== 200) return { check, status: "skipped", message: "It is not known whether IMDSv1 is open" };
  return {
    check,
    status: "warning",
    message: "IMDSv1 is open: a request without a token gets the credentials, too",
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

/** What an endpoint has before the paths of IMDS. */
function originOf({ url }: Exchange): string {
  return url.slice(0, url.lastIndexOf("/latest/"));
}

function get(url: string, headers: Readonly<Record<string, string>>, runtime: Runtime): Promise<Outcome> {
  return attempt({ method: "GET", url, headers }, TIME_LIMITS, { ...runtime, send: runtime.fetchDirect }, undefined);
}
