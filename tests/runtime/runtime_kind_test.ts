import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  atLeast,
  describeRuntime,
  isGranted,
  runtimeKind,
  unsupportedVersion,
} from "../../lib/runtime/runtime_kind.ts";

const getBuiltinModule = () => undefined;

describe("runtimeKind()", () => {
  const cases = [
    ["Deno, which has a process, too", {
      Deno: { version: { deno: "2.9.5" } },
      process: { versions: { node: "24.0.0" }, getBuiltinModule },
    }, "deno"],
    ["Bun, which has Node's version, too", {
      process: { versions: { node: "24.0.0", bun: "1.4.5" }, getBuiltinModule },
    }, "bun"],
    ["Node", { process: { versions: { node: "24.0.0" }, getBuiltinModule } }, "node"],
    ["workerd with nodejs_compat", {
      process: { versions: { node: "22.0.0" }, getBuiltinModule },
      navigator: { userAgent: "Cloudflare-Workers" },
    }, "web"],
    ["the Edge runtime of Next.js, whose process has no versions", { process: { getBuiltinModule } }, "web"],
    ["a process of a bundler", { process: { versions: {} } }, "web"],
    ["nothing but the web", {}, "web"],
  ] as const;
  for (const [name, globals, kind] of cases) {
    it(`knows ${name}`, () => {
      assertEquals(runtimeKind(globals), kind);
      assertEquals(unsupportedVersion(globals), undefined);
    });
  }
});

describe("on Deno", () => {
  it("leaves `process` alone, because the first access loads the emulation of Node", () => {
    const globals = {
      Deno: { version: { deno: "2.9.5" } },
      get process(): never {
        throw new Error("process was read");
      },
    };
    assertEquals(runtimeKind(globals), "deno");
    assertEquals(unsupportedVersion(globals), undefined);
  });
});

describe("unsupportedVersion()", () => {
  const cases = [
    [
      "Node 20.15.1",
      { process: { versions: { node: "20.15.1" } } },
      "Upgrade to Node 20.16 or later in version 20, or to Node 22.3 or later.",
    ],
    ["Bun 1.2.5", { process: { versions: { node: "22.6.0", bun: "1.2.5" } } }, "Upgrade to Bun 1.2.6 or later."],
    ["Deno 2.5.0", { Deno: { version: { deno: "2.5.0" } } }, "Upgrade to Deno 2.5.1 or later."],
    ["Deno 1.46.3", { Deno: { version: { deno: "1.46.3" } } }, "Upgrade to Deno 2.5.1 or later."],
  ] as const;
  for (const [name, globals, hint] of cases) {
    it(`names the version needed in place of ${name}`, () => {
      const error = unsupportedVersion(globals);
      assertEquals(error?.code, "ConfigurationError");
      assertEquals(error?.message, `Cannot get credentials: ${name} is not supported`);
      assertEquals(error?.hint, hint);
    });
  }
});

describe("atLeast()", () => {
  const cases = [
    ["1.4.5", true],
    ["1.4.6", true],
    ["1.5.0", true],
    ["2.0.0", true],
    ["1.10.0", true],
    ["1.4.5-canary.1", true],
    ["1.4.4", false],
    ["1.3.14", false],
    ["0.9.9", false],
    ["", false],
    ["of unknown version", false],
  ] as const;
  for (const [version, expected] of cases) {
    it(`${version || "no version"} is ${expected ? "" : "not "}at least 1.4.5`, () => {
      assertEquals(atLeast(version, [1, 4, 5]), expected);
    });
  }
});

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
