import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  assumeRoleParameters,
  checkRole,
  leadingParameters,
  roleError,
  sessionParameters,
} from "../../lib/sts/parameters.ts";
import { CredentialsProviderError } from "../../mod.ts";

const ROLE = { RoleArn: "arn:aws:iam::123456789012:role/app" };

describe("checkRole()", () => {
  interface Range {
    readonly parameter: string;
    readonly range: string;
    readonly accepted: readonly unknown[];
    readonly refused: readonly unknown[];
  }
  const name = "2 to 64 characters A-Z a-z 0-9 _ + = , . @ -";
  const ranges: readonly Range[] = [
    {
      parameter: "RoleArn",
      range: "an ARN of 20 to 2048 characters",
      accepted: [`arn:${"x".repeat(16)}`, `arn:${"x".repeat(2_044)}`],
      refused: [
        undefined,
        5,
        `arn:${"x".repeat(15)}`,
        `arn:${"x".repeat(2_045)}`,
        ` ${ROLE.RoleArn}`,
        `${ROLE.RoleArn}\0`,
      ],
    },
    {
      parameter: "RoleSessionName",
      range: name,
      accepted: ["ab", "x".repeat(64), "A_z0+=,.@-"],
      refused: [5, "a", "x".repeat(65), " ab", "ab ", "a/b"],
    },
    {
      parameter: "ExternalId",
      range: "2 to 1224 characters A-Z a-z 0-9 _ + = , . @ : / -",
      accepted: ["ab", "x".repeat(1_224), "A_z0+=,.@:/-"],
      refused: [123_456, "a", "x".repeat(1_225), " ab", "ab "],
    },
    {
      parameter: "SerialNumber",
      range: "9 to 256 characters A-Z a-z 0-9 _ + = / : , . @ -",
      accepted: ["GAHT12345", "arn:aws:iam::123456789012:mfa/me", "x".repeat(256)],
      refused: [123_456_789, "x".repeat(8), "x".repeat(257), " GAHT12345", "GAHT12345 "],
    },
    {
      parameter: "TokenCode",
      range: "six digits",
      accepted: ["123456"],
      refused: [123_456, "12345", "1234567", "abcdef", " 123456"],
    },
    {
      parameter: "SourceIdentity",
      range: name,
      accepted: ["ab", "x".repeat(64)],
      refused: ["a", "x".repeat(65), " ab", "ab "],
    },
    {
      parameter: "DurationSeconds",
      range: "an integer from 900 to 43200",
      accepted: [900, 43_200, undefined],
      refused: [899, 43_201, 900.5, "900", NaN],
    },
  ];
  for (const { parameter, range, accepted, refused } of ranges) {
    it(`takes ${parameter} that is ${range}`, () => {
      for (const value of accepted) checkRole("profile dev", { ...ROLE, [parameter]: value });
    });

    it(`refuses any other ${parameter}, and does not quote it`, () => {
      for (const value of refused) {
        const check = () => checkRole("profile dev", { ...ROLE, [parameter]: value });
        const { code, message, hint } = assertThrows(check, CredentialsProviderError);
        assertEquals([code, message], [
          "AssumeRoleConfigurationError",
          `Cannot assume the role of profile dev: ${parameter} must be ${range}`,
        ]);
        assertEquals(hint, "Correct the setting; the API reference of STS says what it may be.");
      }
    });
  }

  it("names a parameter as the caller does", () => {
    const check = () => checkRole("profile dev", { RoleArn: "x" }, { RoleArn: "role_arn" });
    assertThrows(check, CredentialsProviderError, "profile dev: role_arn must be an ARN");
  });
});

describe("roleError()", () => {
  it("has the fix that is given", () => assertEquals(roleError("profile dev", "x", "Do it.").hint, "Do it."));
});

describe("the parameters of a request", () => {
  it("are those that are given, in the order of STS", () => {
    assertEquals(leadingParameters(ROLE, 5), [["RoleArn", ROLE.RoleArn], ["RoleSessionName", "rolecreds-5"]]);
    assertEquals(sessionParameters({ ...ROLE, PolicyArns: [{ arn: "a" }, {}], Policy: "{}", DurationSeconds: 900 }), [
      ["PolicyArns.member.1.arn", "a"],
      ["PolicyArns.member.2.arn", ""],
      ["Policy", "{}"],
      ["DurationSeconds", "900"],
    ]);
    assertEquals(assumeRoleParameters({ ...ROLE, Tags: [{ Key: "k", Value: "v" }, {}], TransitiveTagKeys: ["k"] }), [
      ["Tags.member.1.Key", "k"],
      ["Tags.member.1.Value", "v"],
      ["Tags.member.2.Key", ""],
      ["Tags.member.2.Value", ""],
      ["TransitiveTagKeys.member.1", "k"],
    ]);
  });

  it("are no more than the role where nothing else is given", () => {
    assertEquals([sessionParameters(ROLE), assumeRoleParameters(ROLE)], [[], []]);
  });
});
