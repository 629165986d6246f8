import { loadSources } from "../config/settings.ts";
import type { Credentials } from "../credentials.ts";
import type { DefaultProviderOptions } from "../default_provider.ts";
import { CredentialsProviderError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { StsClient, stsEndpoint } from "../sts/client.ts";
import { parseCallerArn } from "../sts/response.ts";
import { errorFinding, type Finding } from "./finding.ts";

/**
 * Reports which identity the credentials belong to, from the response of `GetCallerIdentity`. Every identity may call
 * this operation, so a 403 is taken as a rejection of the credentials; after any other error it is not known whether
 * AWS accepts them.
 *
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html}
 */
export async function checkIdentity(
  credentials: Credentials,
  options: DefaultProviderOptions,
  runtime: Runtime,
): Promise<Finding> {
  const check = "sts";
  try {
    const sources = await loadSources(options, runtime);
    const endpoint = stsEndpoint({ ...options.sts, region: options.region }, sources, "");
    const client = new StsClient(options.sts ?? {}, runtime);
    const call = { action: "GetCallerIdentity", parameters: [], endpoint, credentials } as const;
    const arn = parseCallerArn(await client.send(call));
    const { host } = new URL(endpoint.url);
    return { check, status: "ok", message: `STS at ${host} reports that the credentials belong to ${arn}` };
  } catch (error) {
    const finding = errorFinding(check, error);
    const isRejected = error instanceof CredentialsProviderError && error.statusCode === 403;
    return isRejected ? finding : { ...finding, status: "warning" };
  }
}
