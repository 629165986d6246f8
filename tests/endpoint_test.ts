import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  type Endpoint,
  type EndpointService,
  type EndpointSettings,
  regionOfRoleArn,
  resolveEndpoint,
} from "../lib/endpoint.ts";
import { CredentialsProviderError } from "../lib/errors.ts";
import { readTable } from "./support/tables.ts";

interface HostRow {
  readonly name: string;
  readonly service: EndpointService;
  readonly region: string;
  readonly plain: string;
  readonly fips: string;
  readonly dualStack: string;
  readonly both: string;
}

interface CaseRow {
  readonly name: string;
  readonly service: EndpointService;
  readonly settings: Omit<EndpointSettings, "customUrl"> & { readonly customUrl?: string };
  readonly expect?: Endpoint;
  readonly error?: string;
}

const AWS_DOMAINS = [
  "amazonaws.com",
  "amazonaws.com.cn",
  "amazonaws.cn",
  "amazonaws.eu",
  "amazonaws-eusc.eu",
  "amazonaws-us-gov.com",
  "aws.amazon.com",
  "api.aws",
  "api.aws.scloud",
  "api.amazonwebservices.com.cn",
  "api.amazonwebservices.eu",
  "ic.gov",
  "sgov.gov",
  "adc-e.uk",
];

describe("resolveEndpoint()", () => {
  for (const { name, service, region, ...urls } of readTable<HostRow>("endpoints")) {
    it(`finds the four hosts of ${name}`, () => {
      const url = (useFips: boolean, useDualStack: boolean) => {
        const endpoint = resolveEndpoint(service, { region, useFips, useDualStack });
        assertEquals(endpoint.signingRegion, region);
        return endpoint.url;
      };
      assertEquals([url(false, false), url(true, false)], [urls.plain, urls.fips]);
      assertEquals([url(false, true), url(true, true)], [urls.dualStack, urls.both]);
    });
  }

  for (const { name, service, settings, expect, error } of readTable<CaseRow>("endpoint_cases")) {
    const customUrl = settings.customUrl === undefined
      ? undefined
      : { url: settings.customUrl, setting: "AWS_ENDPOINT_URL" };
    const resolve = () => resolveEndpoint(service, { ...settings, customUrl });
    if (expect !== undefined) it(`finds the endpoint: ${name}`, () => assertEquals(resolve(), expect));
    else {
      it(`throws ConfigurationError: ${name}`, () => {
        const thrown = assertThrows(resolve, CredentialsProviderError, error);
        assertEquals(thrown.code, "ConfigurationError");
        assert(thrown.message.startsWith(`Cannot find the endpoint of ${service}: `), thrown.message);
        assert(thrown.hint !== undefined);
        assertFalse((thrown.message + thrown.hint).includes("CANARY"));
      });
    }
  }

  it("never leaves the domains of AWS, whatever the region", () => {
    const services = fc.constantFrom<EndpointService>("sts", "sso", "sso-oidc", "signin");
    const regions = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[a-z0-9-]{1,70}$/));
    fc.assert(fc.property(services, regions, fc.boolean(), fc.boolean(), (service, region, useFips, useDualStack) => {
      try {
        const { host, pathname } = new URL(resolveEndpoint(service, { region, useFips, useDualStack }).url);
        assert(AWS_DOMAINS.some((domain) => host.endsWith(`.${domain}`)), host);
        assertEquals(pathname, "/");
      } catch (error) {
        assert(error instanceof CredentialsProviderError, String(error));
      }
    }));
  });
});

describe("regionOfRoleArn()", () => {
  const REGIONS = [
    ["arn:aws:iam::123456789012:role/a", "us-east-1"],
    ["arn:aws-cn:iam::123456789012:role/a", "cn-north-1"],
    ["arn:aws-us-gov:iam::123456789012:role/a", "us-gov-west-1"],
    ["arn:aws-eusc:iam::123456789012:role/a", "eusc-de-east-1"],
    ["arn:aws-iso:iam::123456789012:role/a", "us-iso-east-1"],
    ["arn:aws-iso-b:iam::123456789012:role/a", "us-isob-east-1"],
    ["arn:aws-iso-e:iam::123456789012:role/a", "eu-isoe-west-1"],
    ["arn:aws-iso-f:iam::123456789012:role/a", "us-isof-south-1"],
    ["arn:aws-moon:iam::123456789012:role/a", "us-east-1"],
    ["role-without-arn", "us-east-1"],
    ["", "us-east-1"],
  ] as const;
  for (const [roleArn, region] of REGIONS) {
    it(`is ${region} for "${roleArn}"`, () => assertEquals(regionOfRoleArn(roleArn), region));
  }
});
