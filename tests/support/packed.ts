import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What `npm pack` reads; all else in the tree is for development. */
const SOURCES = ["mod.ts", "lib", "README.md", "LICENSE", "package.json", "tsconfig.json", "tsconfig.build.json"];

/** What `npm pack` says of a package. */
export interface Packed {
  readonly filename: string;
  /** The hash of the tarball: two packages with the same hash are the same byte by byte. */
  readonly integrity: string;
  readonly files: readonly { readonly path: string }[];
}

/** Runs `npm pack` in a copy of the sources. `leftovers` lie in the copy before: path to text. */
export async function pack(folder: string, leftovers: Readonly<Record<string, string>> = {}): Promise<Packed> {
  for (const path of SOURCES) cpSync(path, join(folder, path), { recursive: true });
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"), "junction");
  for (const [path, text] of Object.entries(leftovers)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { stdout } = await run("npm", ["pack", "--json", "--silent"], { cwd: folder });
  const [packed] = JSON.parse(stdout);
  return { ...packed, filename: join(folder, packed.filename) };
}

/** An empty folder that `remove` deletes. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), "rolecreds-"));

  /** Makes it a project with the package in its `node_modules`. */
  async install({ filename }: Packed): Promise<void> {
    const folder = join(this.path, "node_modules/@rolecreds/aws");
    mkdirSync(folder, { recursive: true });
    await run("tar", ["-xzf", filename, "-C", folder, "--strip-components=1"]);
    this.write("package.json", `{ "type": "module", "dependencies": { "@rolecreds/aws": "*" } }`);
  }

  /** Runs a module there, and returns what it prints. */
  run(program: string, args: readonly string[], code: string): Promise<string> {
    return this.execute(program, [...args, this.write("program.js", code)]);
  }

  /** Runs a program there to its end, and returns what it prints, also when it fails. */
  async execute(program: string, args: readonly string[]): Promise<string> {
    const env = { PATH: process.env["PATH"], HOME: "/nonexistent" };
    const { stdout, stderr } = await run(program, args, { cwd: this.path, env })
      .catch((error: { readonly stdout: string; readonly stderr: string }) => error);
    return stdout + stderr;
  }

  /** Bundles a module there with esbuild, minified. */
  async bundle(code: string): Promise<string> {
    const args = ["--bundle", "--minify", "--format=esm", "--platform=neutral", "--log-level=warning"];
    const { stdout } = await run(resolve("node_modules/.bin/esbuild"), [...args, this.write("bundle.js", code)]);
    return stdout;
  }

  read(path: string): string {
    return readFileSync(join(this.path, path), "utf8");
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }

  /** Writes a file there, and returns its path. */
  write(name: string, text: string): string {
    writeFileSync(join(this.path, name), text);
    return join(this.path, name);
  }
}
