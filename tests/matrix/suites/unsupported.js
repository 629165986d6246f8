// A runtime below the supported version is named at the first call, and no other identity is used.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Project } from "../support/package.js";
import { UNSUPPORTED } from "../support/runtimes.js";

describe("a runtime below the supported version", { concurrency: 2 }, () => {
  const project = new Project();
  after(() => project.remove());

  for (const runtime of UNSUPPORTED) {
    it(`${runtime.name} fails every first call with the version needed`, async () => {
      const env = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
      const calls = await project.run(runtime, "first_calls.js", { env });
      for (const [name, { code, message, hint }] of Object.entries(calls)) {
        assert.equal(code, "ConfigurationError", `${name}: ${message}`);
        assert.match(`${message}. ${hint}`, new RegExp(runtime.needed), name);
      }
    });
  }
});
