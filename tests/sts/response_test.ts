import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../mod.ts";
import { parseStsCredentials } from "../../lib/sts/response.ts";
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
