import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { describeRuntime, isGranted } from "../../lib/runtime/describe.ts";

const getBuiltinModule = () => undefined;

describe("describeRuntime()", () => {
  const runtimes = [
    [{ Deno: { version: { deno: "2.9.5" } } }, "Deno 2.9.5", undefined],
    [{ Deno: { version: { deno: "2.4.0" } } }, "Deno 2.4.0", "Upgrade to Deno 2.5.1 or later."],
    [{ process: { versions: { node: "24.1.0", bun: "1.4.5" }, getBuiltinModule } }, "Bun 1.4.5", undefined],
    [{ process: { versions: { node: "24.1.0" }, getBuiltinModule } }, "Node 24.1.0", undefined],
    [
      { process: { versions: { node: "18.0.0" } } },
      "Node 18.0.0",
      "Upgrade to Node 20.16 or later in version 20, or to Node 22.3 or later.",
    ],
  ] as const;
  for (const [globals, name, hint] of runtimes) {
    it(`says ${name}${hint === undefined ? "" : ", and that it is not supported"}`, () => {
      const description = describeRuntime(globals);
      assertEquals([description.name, description.unsupported?.hint], [name, hint]);
    });
  }

  it("says what a runtime without a name lacks", () => {
    assertEquals(describeRuntime({}), {
      kind: "web",
      name: "a runtime with `fetch` only: no environment variables, no files and no processes",
      unsupported: undefined,
    });
  });
});

describe("isGranted()", () => {
  it("queries Deno, without a prompt", () => {
    const queries: unknown[] = [];
    const Deno = {
      permissions: {
        querySync(descriptor: unknown) {
          queries.push(descriptor);
          return { state: queries.length === 1 ? "granted" : "prompt" };
        },
      },
    };
    const descriptor = { name: "env", variable: "HOME" };
    assertEquals([isGranted(descriptor, { Deno }), isGranted(descriptor, { Deno })], [true, false]);
    assertEquals(queries, [descriptor, descriptor]);
  });

  it("is true where there are no permissions", () => {
    assertEquals(isGranted({ name: "env", variable: "HOME" }, {}), true);
  });
});
