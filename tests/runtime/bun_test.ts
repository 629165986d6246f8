import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import process from "node:process";
import { RequestNotSentError } from "../../lib/errors.ts";
import type { NodeProcess } from "../../lib/runtime/builtin.ts";
import { bunRuntime } from "../../lib/runtime/bun.ts";

const PROXY = { http_proxy: "http://user:canary@proxy.example:3128" };

describe("bunRuntime()", () => {
  for (const bun of ["1.4.4", "1.3.14", "1.2.6", "1.4.0-canary.1"]) {
    it(`refuses to send where a proxy applies, on Bun ${bun}`, async () => {
      const { getBuiltinModule } = process;
      const older = { versions: { bun }, env: PROXY, getBuiltinModule } as unknown as NodeProcess;
      const fetching = () => bunRuntime(older).fetchDirect("http://169.254.169.254/latest/api/token", {});
      const { reason, message, hint } = await assertRejects(fetching, RequestNotSentError);
      assertEquals([reason, message], ["proxy", "the variable http_proxy sets a proxy for this URL"]);
      assert(hint.includes("Add 169.254.169.254 to NO_PROXY") && hint.includes("1.4.5"), hint);
    });
  }
});
