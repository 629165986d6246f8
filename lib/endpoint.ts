import { CredentialsProviderError } from "./errors.ts";
import { ENDPOINT, validated } from "./validate.ts";

/** A service that returns credentials, by its name in the API models of AWS. */
export type EndpointService = "sts" | "sso" | "sso-oidc" | "signin";

/** The settings that decide the endpoint of a service. */
export interface EndpointSettings {
  /** May be absent only if there is a custom URL. */
  readonly region?: string | undefined;
  readonly useFips?: boolean | undefined;
  readonly useDualStack?: boolean | undefined;
  readonly customUrl?: CustomUrl | undefined;
  /** STS only. `legacy` uses the global endpoint for the regions of {@linkcode LEGACY_STS_REGIONS}. */
  readonly stsRegionalEndpoints?: "regional" | "legacy" | undefined;
}

/** A URL that replaces the host of a service. */
export interface CustomUrl {
  readonly url: string;
  /** The option, variable or key that it comes from, for messages. */
  readonly setting: string;
}

/** Where to send a request, and for which region to sign it. */
export interface Endpoint {
  /** Without a slash at its end. */
  readonly url: string;
  /** For STS; requests to the other services are not signed. */
  readonly signingRegion: string;
}

/** An AWS partition: a group of regions with their own domain names. */
type Partition = readonly [
  id: string,
  regionPrefix: string,
  suffix: string,
  dualStackSuffix: string,
  signinSuffix: string,
  defaultRegion: string,
];

const DEFAULT_REGION = "us-east-1";

/** The first partition whose prefix matches is used. The last one matches every region. */
const PARTITIONS: readonly Partition[] = [
  ["aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "amazonaws.cn", "cn-north-1"],
  ["aws-us-gov", "us-gov-", "amazonaws.com", "api.aws", "amazonaws-us-gov.com", "us-gov-west-1"],
  ["aws-eusc", "eusc-de-", "amazonaws.eu", "api.amazonwebservices.eu", "amazonaws-eusc.eu", "eusc-de-east-1"],
  ["aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov", "c2shome.ic.gov", "us-iso-east-1"],
  ["aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud", "sc2shome.sgov.gov", "us-isob-east-1"],
  ["aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "csphome.adc-e.uk", "eu-isoe-west-1"],
  ["aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "csphome.hci.ic.gov", "us-isof-south-1"],
  ["aws", "", "amazonaws.com", "api.aws", "aws.amazon.com", DEFAULT_REGION],
];

const HOSTS: Readonly<Record<EndpointService, string>> = {
  "sts": "sts",
  "sso": "portal.sso",
  "sso-oidc": "oidc",
  "signin": "signin",
};

const GLOBAL_REGION = "aws-global";
const GLOBAL_STS: Endpoint = { url: "https://sts.amazonaws.com", signingRegion: DEFAULT_REGION };

/** The regions that use the global endpoint of STS with `sts_regional_endpoints = legacy`. */
const LEGACY_STS_REGIONS: readonly string[] = [
  "ap-northeast-1",
  "ap-south-1",
  "ap-southeast-1",
  "ap-southeast-2",
  "ca-central-1",
  "eu-central-1",
  "eu-north-1",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "sa-east-1",
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
];

/** One label of a host name, so that a region cannot lead to another host. */
const REGION_REGEXP = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * The endpoint of a service.
 *
 * @throws {CredentialsProviderError} `ConfigurationError`, if the region is missing or malformed, if the custom URL is
 * malformed, or if it is combined with FIPS or dual stack.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html}
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html}
 */
export function resolveEndpoint(service: EndpointService, settings: EndpointSettings): Endpoint {
  const { customUrl, useFips = false, useDualStack = false, stsRegionalEndpoints } = settings;
  const region = checkedRegion(service, settings);
  const signingRegion = region === GLOBAL_REGION ? DEFAULT_REGION : region;
  if (customUrl !== undefined) return { url: checkedUrl(service, customUrl, useFips, useDualStack), signingRegion };
  const isLegacy = stsRegionalEndpoints === "legacy" && LEGACY_STS_REGIONS.includes(region);
  const isGlobal = service === "sts" && (region === GLOBAL_REGION || isLegacy);
  if (isGlobal && !useFips && !useDualStack) return GLOBAL_STS;
  return { url: `https://${hostName(service, signingRegion, useFips, useDualStack)}`, signingRegion };
}

/** The default region of a role's partition, whose STS can be called for the role. */
export function regionOfRoleArn(roleArn: string): string {
  const [, partitionId] = roleArn.split(":");
  const [, , , , , defaultRegion = DEFAULT_REGION] = PARTITIONS.find(([id]) => id === partitionId) ?? [];
  return defaultRegion;
}

function hostName(service: EndpointService, region: string, useFips: boolean, useDualStack: boolean): string {
  const [id, , suffix, dualStackSuffix] = partitionOf(region);
  const fips = useFips ? "-fips" : "";
  if (useDualStack) return `${HOSTS[service]}${fips}.${region}.${dualStackSuffix}`;
  if (service === "signin") return signinHostName(region, useFips);
  // In GovCloud the plain names are FIPS endpoints.
  return `${HOSTS[service]}${id === "aws-us-gov" ? "" : fips}.${region}.${suffix}`;
}

/** The host name of sign-in. It does not have the form of the other services. */
function signinHostName(region: string, useFips: boolean): string {
  const [id, , suffix, , signinSuffix] = partitionOf(region);
  if (!useFips) return `${region}.signin.${signinSuffix}`;
  if (id !== "aws-us-gov") return `signin-fips.${region}.${suffix}`;
  return region === "us-gov-west-1" ? `signin-fips.${signinSuffix}` : `${region}.signin-fips.${signinSuffix}`;
}

function partitionOf(region: string): Partition {
  return PARTITIONS.find(([, prefix]) => region.startsWith(prefix)) as Partition;
}

function checkedRegion(service: EndpointService, { region, customUrl }: EndpointSettings): string {
  if (region === undefined && customUrl !== undefined) return DEFAULT_REGION;
  if (region === undefined) {
    throw endpointError(service, "no region is set", "Set AWS_REGION, or region in the profile.");
  }
  if (REGION_REGEXP.test(region)) return region;
  const state = 'the region must be 1 to 63 characters a-z, 0-9 or "-", with no "-" at the start or the end';
  throw endpointError(service, state, "Correct the region, for example to us-east-1.");
}

function checkedUrl(service: EndpointService, customUrl: CustomUrl, useFips: boolean, useDualStack: boolean): string {
  const { url, setting } = customUrl;
  if (useFips || useDualStack) {
    const other = useFips ? "FIPS" : "dual stack";
    const hint = `Remove ${setting}, or turn ${other} off.`;
    throw endpointError(service, `${setting} and ${other} exclude each other`, hint);
  }
  return validated(`find the endpoint of ${service}`, setting, ENDPOINT, url);
}

function endpointError(service: EndpointService, state: string, hint: string): CredentialsProviderError {
  return new CredentialsProviderError("ConfigurationError", `Cannot find the endpoint of ${service}: ${state}`, {
    hint,
  });
}
