import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  customEndpointUrl,
  endpointSettings,
  type EndpointSources,
  stsRegion,
} from "../../lib/config/endpoint_settings.ts";
import { parseSharedConfig } from "../../lib/config/profile.ts";
import type { CustomUrl, EndpointService } from "../../lib/endpoint.ts";
import { CredentialsProviderError } from "../../lib/errors.ts";
import { readTable } from "../support/tables.ts";

interface SettingRow {
  readonly name: string;
  readonly service: EndpointService;
  readonly option?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly profile?: Readonly<Record<string, string>>;
  readonly services?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly expect?: Partial<ReturnType<typeof endpointSettings>>;
  readonly error?: string;
}

function sourcesOf({ env = {}, profile = {}, services = {} }: Partial<SettingRow>): EndpointSources {
  return {
    env: (name) => env[name],
    profile: new Map(Object.entries(profile)),
    services: new Map(Object.entries(services).map(([name, section]) => [name, new Map(Object.entries(section))])),
  };
}

const DEFAULTS = { customUrl: undefined, useFips: false, useDualStack: false, stsRegionalEndpoints: undefined };

describe("endpointSettings()", () => {
  for (const row of readTable<SettingRow>("endpoint_settings")) {
    const { name, service, option, expect, error } = row;
    const read = () => endpointSettings(service, sourcesOf(row), option);
    if (expect !== undefined) it(`reads: ${name}`, () => assertEquals(read(), { ...DEFAULTS, ...expect }));
    else {
      it(`throws ConfigurationError: ${name}`, () => {
        const thrown = assertThrows(read, CredentialsProviderError, error);
        assertEquals(thrown.code, "ConfigurationError");
        assert(thrown.message.startsWith("Cannot find the endpoint"), thrown.message);
        assertFalse(/CANARY|\u202e/.test(thrown.message + thrown.hint));
      });
    }
  }
});

describe("customEndpointUrl()", () => {
  it("reads what the parser of the shared files gives", () => {
    const { profiles, services } = parseSharedConfig({
      config: [
        "[profile dev]",
        "services = local",
        "[services local]",
        "s3 =",
        "  endpoint_url = http://s3.local",
        "sts =",
        "  Endpoint_URL = http://sts.local",
      ].join("\n"),
    });
    const sources = { env: () => undefined, profile: profiles.get("dev") ?? new Map(), services };
    const expected: CustomUrl = { url: "http://sts.local", setting: "endpoint_url of sts in the services section" };
    assertEquals(customEndpointUrl("sts", sources), expected);
    assertEquals(customEndpointUrl("sso", sources), undefined);
  });
});

describe("stsRegion()", () => {
  const ALL = { env: { AWS_REGION: " eu-west-1 ", AWS_DEFAULT_REGION: "eu-west-2" }, profile: { region: "eu-west-3" } };
  const CHINA = "arn:aws-cn:iam::123456789012:role/a";
  const REGIONS: readonly (readonly [string, string | undefined, Partial<SettingRow>, string])[] = [
    ["the option", "ap-south-1", ALL, "ap-south-1"],
    ["AWS_REGION", undefined, ALL, "eu-west-1"],
    [
      "AWS_DEFAULT_REGION",
      undefined,
      { ...ALL, env: { AWS_REGION: " ", AWS_DEFAULT_REGION: "eu-west-2" } },
      "eu-west-2",
    ],
    ["the profile", undefined, { ...ALL, env: {} }, "eu-west-3"],
    ["the partition of the role", undefined, {}, "cn-north-1"],
  ];
  for (const [name, option, sources, region] of REGIONS) {
    it(`takes ${name}`, () => assertEquals(stsRegion(sourcesOf(sources), option, CHINA), region));
  }
});
