// The compiled package works on each supported runtime.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { mkdirSync } from "node:fs";
import { Project } from "../support/package.js";
import { SUPPORTED } from "../support/runtimes.js";

describe("the compiled package", { concurrency: 2 }, () => {
  const project = new Project();
  after(() => project.remove());

  for (const runtime of SUPPORTED) {
    it(`retrieves from every kind of source on ${runtime.name}`, async () => {
      const files = project.path(`files of ${runtime.name}`);
      mkdirSync(files);
      const { slowProcess, ...retrieved } = await project.run(runtime, "sources.js", { args: [files] });
      const sources = Object.entries(retrieved).map(([name, { source, message }]) => [name, source ?? message]);
      assert.deepEqual(Object.fromEntries(sources), {
        instance: "EC2RoleProvider",
        endpointOfFile: "EC2RoleProvider",
        keysOfFile: "ProfileProvider",
        process: "ProcessProvider",
      });
      assert.equal(slowProcess.code, "ProcessProviderExecutionError");
      assert.match(slowProcess.message, /200 ms/);
    });
  }
});
