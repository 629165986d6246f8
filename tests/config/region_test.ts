import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, type RegionOptions, resolveRegion } from "../../mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";

describe("resolveRegion()", () => {
  const config = "[default]\nregion = eu-north-1\n[profile dev]\nregion =  eu-west-1\n[profile blank]\nregion =\n";
  const cases: readonly (readonly [
    region: string | undefined,
    options: RegionOptions,
    variables: Record<string, string>,
  ])[] = [
    ["us-west-2", { region: "us-west-2" }, { AWS_REGION: "eu-central-1" }],
    ["eu-central-1", {}, { AWS_REGION: "eu-central-1", AWS_DEFAULT_REGION: "ap-south-1" }],
    ["ap-south-1", {}, { AWS_REGION: " ", AWS_DEFAULT_REGION: " ap-south-1 " }],
    ["eu-north-1", {}, {}],
    ["eu-west-1", {}, { AWS_PROFILE: "dev" }],
    ["eu-west-1", { profile: "dev" }, { AWS_PROFILE: "default" }],
    [undefined, { profile: "blank" }, {}],
    [undefined, { profile: "missing" }, {}],
    [undefined, { sharedConfig: {} }, {}],
  ];
  for (const [region, options, variables] of cases) {
    it(`returns ${region} for ${JSON.stringify({ ...options, ...variables })}`, async () => {
      const runtime = new FakeRuntime(variables);
      assertEquals(await resolveRegion({ sharedConfig: { config }, runtime, ...options }), region);
    });
  }

  it("fails where the config file is malformed, or an option is wrong", async () => {
    const runtime = new FakeRuntime();
    for (
      const [options, code] of [[{ sharedConfig: { config: "x" } }, "ConfigParseError"], [
        { region: "" },
        "ConfigurationError",
      ]] as const
    ) {
      const error = await assertRejects(() => resolveRegion({ runtime, ...options }), CredentialsProviderError);
      assertEquals(error.code, code);
    }
  });
});
