import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError } from "../../lib/errors.ts";
import { ssoPlan } from "../../lib/sso/plan.ts";
import { readTable } from "../support/tables.ts";

type Text = Readonly<Record<string, string>>;

interface Row {
  readonly name: string;
  readonly profile: Text;
  readonly sessions: Readonly<Record<string, Text>>;
  readonly plan?: object;
  readonly message?: string;
  readonly hint?: string;
}

describe("ssoPlan()", () => {
  for (const { name, profile, sessions, plan, message, hint } of readTable<Row>("sso_plan")) {
    it(`${plan === undefined ? "refuses" : "settles"} ${name}`, () => {
      const ssoSessions = new Map(Object.entries(sessions).map(([key, text]) => [key, new Map(Object.entries(text))]));
      const settle = () => ssoPlan({ name: "profile dev", properties: new Map(Object.entries(profile)) }, ssoSessions);
      if (plan !== undefined) return assertEquals(JSON.parse(JSON.stringify(settle())), plan);
      const error = assertThrows(settle, CredentialsProviderError);
      assertEquals(
        { ...error, message: error.message },
        {
          name: "SsoConfigurationError",
          code: "SsoConfigurationError",
          recoverable: false,
          tryNextLink: false,
          message: `Cannot use SSO for profile dev: ${message}`,
          hint,
        } as typeof error,
      );
    });
  }
});
