import { nonBlank } from "../non_blank.ts";
import { type CustomUrl, type EndpointService, type EndpointSettings, regionOfRoleArn } from "../endpoint.ts";
import { CredentialsProviderError } from "../errors.ts";
import { printable } from "../printable.ts";
import { oneOf, validated } from "../validate.ts";
import { configuredRegion } from "./region.ts";
import { findSetting, type SettingSources } from "./settings.ts";

/** Where the settings of an endpoint come from if no option gives them. */
export type EndpointSources = Pick<SettingSources, "env" | "profile" | "services">;

/** The names of services in `AWS_ENDPOINT_URL_…`. In lower case they are the keys in a `services` section. */
const SERVICE_IDS: Readonly<Record<EndpointService, string>> = {
  "sts": "STS",
  "sso": "SSO",
  "sso-oidc": "SSO_OIDC",
  "signin": "SIGNIN",
};

/**
 * Reads the settings of an endpoint, except the region.
 *
 * @throws {CredentialsProviderError} `ConfigurationError` if a value is not valid, or if the `services` section that
 * the profile names is missing.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html}
 */
export function endpointSettings(
  service: EndpointService,
  sources: EndpointSources,
  endpointOption?: string,
): Omit<EndpointSettings, "region"> {
  return {
    customUrl: customEndpointUrl(service, sources, endpointOption),
    useFips: isTrue(sources, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
    useDualStack: isTrue(sources, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
    stsRegionalEndpoints: findOneOf(
      sources,
      "AWS_STS_REGIONAL_ENDPOINTS",
      "sts_regional_endpoints",
      "regional",
      "legacy",
    ),
  };
}

/**
 * The URL that replaces the host of a service, if one is set.
 *
 * @throws {CredentialsProviderError} `ConfigurationError`, as {@linkcode endpointSettings}.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html}
 */
export function customEndpointUrl(
  service: EndpointService,
  sources: EndpointSources,
  endpointOption?: string,
): CustomUrl | undefined {
  if (endpointOption !== undefined) return { url: endpointOption, setting: "the option endpoint" };
  if (isTrue(sources, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")) return undefined;
  const { env, profile } = sources;
  const variable = `AWS_ENDPOINT_URL_${SERVICE_IDS[service]}`;
  return customUrl(variable, env(variable)) ??
    customUrl("AWS_ENDPOINT_URL", env("AWS_ENDPOINT_URL")) ??
    urlOfServicesSection(service, sources) ??
    customUrl("endpoint_url", profile.get("endpoint_url"));
}

/**
 * The region of STS: the option, the environment, the selected profile, or else the default of the role's partition.
 */
export function stsRegion(
  sources: EndpointSources,
  regionOption: string | undefined,
  roleArn: string,
): string {
  return configuredRegion(sources, regionOption) ?? regionOfRoleArn(roleArn);
}

function urlOfServicesSection(service: EndpointService, { profile, services }: EndpointSources): CustomUrl | undefined {
  const name = nonBlank(profile.get("services"));
  if (name === undefined) return undefined;
  const section = services.get(name);
  if (section === undefined) {
    const state = `the services section that the profile names is missing: ${printable(name)}`;
    throw new CredentialsProviderError("ConfigurationError", `Cannot find the endpoint of ${service}: ${state}`, {
      hint: "Add that section to the config file, or correct services in the profile.",
    });
  }
  const key = SERVICE_IDS[service].toLowerCase();
  const url = subProperties(section.get(key) ?? "").get("endpoint_url");
  return customUrl(`endpoint_url of ${key} in the services section`, url);
}

/**
 * Reads the properties below a property with an empty value. The parser returns them as text: `"\nname = value"` each.
 */
function subProperties(text: string): ReadonlyMap<string, string> {
  const [value, ...lines] = text.split("\n");
  if (value !== "") return new Map();
  return new Map(lines.map((line) => {
    const [name = "", ...values] = line.split("=");
    return [name.trim().toLowerCase(), values.join("=")];
  }));
}

function customUrl(setting: string, text: string | undefined): CustomUrl | undefined {
  const url = nonBlank(text);
  return url === undefined ? undefined : { url, setting };
}

function isTrue(sources: EndpointSources, variable: string, key: string): boolean {
  return findOneOf(sources, variable, key, "true", "false") === "true";
}

function findOneOf<T extends string>(
  sources: EndpointSources,
  variable: string,
  key: string,
  ...values: readonly T[]
): T | undefined {
  const found = findSetting(sources, [variable, key]);
  return found && validated("find the endpoint", found.name, oneOf(...values), found.text.toLowerCase());
}
