// The compiled package as a project has it: in node_modules, where Deno gives it Node's timers.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const ROOT = join(import.meta.dirname, "../../..");
const FLAGS = {
  node: [],
  bun: ["--no-env-file"],
  deno: ["run", "--quiet", "--no-prompt", "--no-lock", "--node-modules-dir=manual"],
};

/** A project with the package installed, and the programs of the matrix in it. */
export class Project {
  folder = mkdtempSync(join(tmpdir(), "rolecreds-"));

  constructor() {
    const installed = join(this.folder, "node_modules/@rolecreds/aws");
    cpSync(join(ROOT, "package.json"), join(installed, "package.json"));
    cpSync(join(ROOT, "dist"), join(installed, "dist"), { recursive: true });
    cpSync(join(import.meta.dirname, "../programs"), this.folder, { recursive: true });
    writeFileSync(this.path("package.json"), `{ "type": "module", "dependencies": { "@rolecreds/aws": "*" } }`);
  }

  path(name) {
    return join(this.folder, name);
  }

  /** Imports an entry of the package into the suite. */
  import(specifier) {
    const path = createRequire(this.path("package.json")).resolve(specifier);
    return import(pathToFileURL(path).href);
  }

  /** Runs a program; its result is what it prints: one line of JSON. There is no home, and PATH is all it inherits. */
  async run(runtime, program, { args = [], env = {}, flags = [] } = {}) {
    const permissions = runtime.kind === "deno" && flags.length === 0 ? ["--allow-all"] : [];
    const command = [...FLAGS[runtime.kind], ...flags, ...permissions, this.path(program), ...args];
    const child = spawn(runtime.path, command, {
      cwd: this.folder,
      env: { PATH: process.env.PATH, HOME: "/nonexistent", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 30_000,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => stdout += chunk);
    child.stderr.on("data", (chunk) => stderr += chunk);
    const exitCode = await new Promise((resolve) => child.once("close", resolve));
    if (exitCode !== 0) throw new Error(`${program} on ${runtime.name} ended with ${exitCode}: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  }

  remove() {
    rmSync(this.folder, { recursive: true });
  }
}
