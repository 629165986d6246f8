// The compiled package runs where no more than `fetch` is sure to exist; before 2024-11-11 that throws on `cache`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Project } from "../support/package.js";

const WORKERD = `${import.meta.dirname}/../node_modules/workerd/bin/workerd`;

const project = new Project();
let server;
before(async () => {
  const { ImdsEmulator, serveEmulator } = await project.import("@rolecreds/aws/testing");
  server = await serveEmulator(new ImdsEmulator());
});
after(async () => {
  await server.close();
  project.remove();
});

/** The worker and each file of the package, under the names that the imports have. */
function modules() {
  const installed = "node_modules/@rolecreds/aws";
  const files = readdirSync(project.path(`${installed}/dist`), { recursive: true })
    .filter((path) => path.endsWith(".js"))
    .map((path) => [`@rolecreds/${path}`, `${installed}/dist/${path}`]);
  const entry = [["worker.js", "worker.js"], ["@rolecreds/aws", `${installed}/dist/mod.js`]];
  return [...entry, ...files].map(([name, path]) => `(name = "${name}", esModule = embed "${path}")`).join(",\n");
}

async function run(date, flags) {
  writeFileSync(
    project.path("worker.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [(name = "main", worker = .main), (name = "internet", network = (allow = ["private"]))],
      sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
    );
    const main :Workerd.Worker = (
      modules = [${modules()}],
      compatibilityDate = "${date}",
      compatibilityFlags = [${flags.map((flag) => `"${flag}"`)}],
      bindings = [(name = "ENDPOINT", text = "${server.endpoint}")],
    );`,
  );
  const command = ["serve", "--control-fd=3", project.path("worker.capnp")];
  const child = spawn(WORKERD, command, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  try {
    const listening = await new Promise((resolve, reject) => {
      child.stdio[3].once("data", resolve);
      child.once("close", () => reject(new Error("workerd ended")));
    });
    const response = await fetch(`http://127.0.0.1:${JSON.parse(listening).port}/`);
    return await response.text();
  } finally {
    child.kill();
    await ended;
  }
}

describe("the compiled package in workerd", () => {
  for (const [date, flags] of [["2024-11-10", []], ["2025-06-01", []], ["2025-06-01", ["nodejs_compat"]]]) {
    it(`retrieves with compatibility date ${date} ${flags}`, async () => {
      assert.equal(await run(date, flags), "EC2RoleProvider");
    });
  }
});
