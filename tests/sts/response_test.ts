import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../mod.ts";
import { parseCallerArn, parseStsCredentials, parseStsFailure, type StsFailure } from "../../lib/sts/response.ts";
import { printed } from "../support/printed.ts";
import { readTable } from "../support/tables.ts";

const ROLE = "arn:aws:iam::123456789012:role/team/app";

interface Row {
  readonly name: string;
  readonly text: string;
  readonly accountId?: string;
  readonly error?: string;
}

describe("parseStsCredentials()", () => {
  for (const { name, text, accountId, error } of readTable<Row>("sts_responses")) {
    it(error === undefined ? `reads ${name}` : `refuses ${name}`, () => {
      const parse = () => parseStsCredentials(text, "AssumeRoleWithWebIdentity", ROLE);
      if (error === undefined) {
        assertEquals({ ...parse() }, {
          accessKeyId: "ASIAEXAMPLE",
          secretAccessKey: "canary-secret",
          sessionToken: "canary-token",
          expiration: new Date("2026-01-01T01:00:00Z"),
          ...(accountId === undefined ? {} : { accountId }),
          source: "WebIdentityProvider",
        });
        return;
      }
      const thrown = assertThrows(parse, CredentialsProviderError);
      assertEquals([thrown.code, thrown.recoverable, thrown.tryNextLink], ["StsInvalidResponse", true, false]);
      assert(thrown.message.includes(error), thrown.message);
      assert(thrown.hint?.includes("check AWS_ENDPOINT_URL_STS"), thrown.hint);
      assertFalse(printed(thrown).join().includes("canary"));
    });
  }
});

describe("parseStsCredentials() compares the role that STS names with the one requested", () => {
  const role = (path: string) => `arn:aws:iam::123456789012:role/${path}`;
  const cases: readonly (readonly [assumed: string, requested: string, accepted: boolean])[] = [
    ["arn:aws:sts::123456789012:assumed-role/app/s", role("app"), true],
    ["arn:aws:sts::123456789012:assumed-role/app/s", role("team/sub/app"), true],
    ["arn:aws:sts::123456789012:assumed-role/app/s", role("other"), false],
    ["arn:aws:sts::123456789012:assumed-role/app/s", role("app/other"), false],
    ["arn:aws:sts::999999999999:assumed-role/app/s", role("app"), false],
    ["x-arn:aws:sts::123456789012:assumed-role/app/s", role("other"), true],
    ["made up", role("other"), true],
    ["arn:aws:sts::123456789012:assumed-role/app/s", `x-${role("other")}`, true],
    ["arn:aws:sts::123456789012:assumed-role/app/s", role("other/"), true],
  ];
  for (const [assumed, requested, accepted] of cases) {
    it(`${accepted ? "takes" : "refuses"} ${assumed} for ${requested}`, () => {
      const text = documentOf(assumed);
      if (accepted) return void parseStsCredentials(text, "AssumeRole", requested);
      const parse = () => parseStsCredentials(text, "AssumeRole", requested);
      assertThrows(parse, CredentialsProviderError, "it is for another role");
    });
  }

  it("takes the account from it, where it has one", () => {
    const accounts = ["123456789012", "12a", "a12", ""].map((account) =>
      parseStsCredentials(documentOf(`arn:aws:sts::${account}:assumed-role/app/s`), "AssumeRole", ROLE)
        .accountId
    );
    assertEquals(accounts, ["123456789012", undefined, undefined, undefined]);
  });

  function documentOf(assumed: string): string {
    const credentials = `<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>` +
      `<SessionToken> t </SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration>`;
    return `<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>${assumed}</Arn></AssumedRoleUser>` +
      `<Credentials>${credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
  }
});

describe("parseCallerArn()", () => {
  const response = (arn: string) =>
    `<GetCallerIdentityResponse><GetCallerIdentityResult>${arn}</GetCallerIdentityResult></GetCallerIdentityResponse>`;

  it("reads the ARN without the white space around it", () => {
    assertEquals(parseCallerArn(response("<Arn>\n arn:aws:iam::1:user/me </Arn>")), "arn:aws:iam::1:user/me");
  });

  it("refuses a response without one", () => {
    for (const text of [response(""), response("<Arn> </Arn>"), "<html/>", ""]) {
      assertThrows(() => parseCallerArn(text), CredentialsProviderError, "it has no Arn");
    }
  });
});

describe("parseStsFailure()", () => {
  const NOTHING = { code: undefined, message: undefined, requestId: undefined };
  const xml = (error: string, rest = "") => `<ErrorResponse><Error>${error}</Error>${rest}</ErrorResponse>`;
  const metadata = "<ResponseMetadata><RequestId>inner</RequestId></ResponseMetadata>";
  const cases: readonly (readonly [name: string, text: string, expected: StsFailure])[] = [
    ["nothing", "", NOTHING],
    ["HTML", "<html>no</html>", NOTHING],
    ["an error without the element around it", "<Error><Code>A</Code></Error>", { ...NOTHING, code: "A" }],
    ["white space", xml("<Code> A </Code><Message> no </Message>"), { ...NOTHING, code: "A", message: "no" }],
    ["an empty message", xml("<Code>A</Code><Message></Message>"), { ...NOTHING, code: "A" }],
    ["the word Exception inside", xml("<Code>AnExceptionToo</Code>"), { ...NOTHING, code: "AnExceptionToo" }],
    ["the word Exception at the end", xml("<Code>AnException</Code>"), { ...NOTHING, code: "An" }],
    ["a code that is no name", xml("<Code>a b</Code>"), NOTHING],
    ["a request id", xml("<Code>A</Code>", "<RequestId>outer</RequestId>"), {
      ...NOTHING,
      code: "A",
      requestId: "outer",
    }],
    ["a request id inside", xml("<Code>A</Code>", metadata), { ...NOTHING, code: "A", requestId: "inner" }],
    ["JSON", '{"__type": "a#b#AnException", "message": "no"}', { ...NOTHING, code: "An", message: "no" }],
    ["JSON with another message", '{"message": 5, "Message": "no"}', { ...NOTHING, message: "no" }],
    ["JSON of other types", '{"__type": 5, "message": {}}', NOTHING],
  ];
  for (const [name, text, expected] of cases) it(`reads ${name}`, () => assertEquals(parseStsFailure(text), expected));
});
