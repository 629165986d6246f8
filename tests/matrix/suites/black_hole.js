// Where packets to IMDS vanish, a program ends when it has its error. The `fetch` of Node does not allow that: its socket
// goes on connecting for ten seconds, and before Bun 1.4 for two minutes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { blackHole } from "../support/black_hole.js";
import { Project } from "../support/package.js";
import { BUNS, DENOS } from "../support/runtimes.js";

describe("a program whose packets vanish", () => {
  const project = new Project();
  let hole;
  before(async () => hole = await blackHole());
  after(() => {
    hole.close();
    project.remove();
  });

  for (const runtime of [...DENOS, ...BUNS.filter(({ version }) => version === undefined)]) {
    it(`ends by itself on ${runtime.name}`, { timeout: 8_000 }, async () => {
      const { code } = await project.run(runtime, "retrieve.js", { args: [hole.endpoint] });
      assert.equal(code, "ImdsTokenTimeout");
    });
  }
});
