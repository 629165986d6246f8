import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { capturingVariable } from "../../lib/runtime/proxy.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly url: string;
  readonly env: Record<string, string>;
  readonly variable?: string;
}

describe("capturingVariable()", () => {
  for (const { name, url, env, variable } of readTable<Row>("proxy_variables")) {
    it(name, () => assertEquals(capturingVariable(url, (variable) => env[variable]), variable));
  }
});
