import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isExempt, proxyVariable } from "../../lib/runtime/proxy.ts";
import { readTable } from "../support/tables.ts";

interface VariableRow {
  readonly name: string;
  readonly url: string;
  readonly env: Record<string, string>;
  readonly variable?: string;
}

describe("proxyVariable()", () => {
  for (const { name, url, env, variable } of readTable<VariableRow>("proxy_variables")) {
    it(name, () => assertEquals(proxyVariable(url, (variable) => env[variable]), variable));
  }
});

interface ExemptionRow {
  readonly name: string;
  readonly variables: Record<string, string>;
  readonly exempt: boolean;
  readonly ipv6?: true;
}

describe("isExempt()", () => {
  for (const { name, variables, exempt, ipv6 } of readTable<ExemptionRow>("no_proxy")) {
    const host = ipv6 ? "[fd00:ec2::254]" : "169.254.169.254";
    const parts: Record<string, string> = {
      host,
      address: host.replaceAll(/[[\]]/g, ""),
      port: "80",
      range: "169.254.0.0/16",
      start: "169.254.",
    };
    it(name, () => {
      const env = (name: string) => variables[name]?.replaceAll(/\{(\w+)\}/g, (_, part) => parts[part] ?? "");
      assertEquals(isExempt(`http://${host}/latest/api/token`, env), exempt);
    });
  }
});
