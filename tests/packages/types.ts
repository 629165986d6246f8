// The packed declarations in an empty project: every supported TypeScript, way to resolve modules and strictness.
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { Folder, pack } from "../support/packed.ts";

const INSTALLED = resolve("tests/packages/node_modules");
/** The lowest supported, the last of each major version since, and the one that builds the package. */
const VERSIONS = ["5.4", "5.9", "6.0", "7.0"];
const RESOLUTIONS = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];
const STRICT = { target: "es2022", strict: true, noEmit: true, skipLibCheck: false };

/** Uses each entry point. */
const USE_ALL = `
import { fromInstanceMetadata, type CachedProvider, type Credentials } from "@rolecreds/aws";
import { ImdsEmulator } from "@rolecreds/aws/testing";
import { main } from "@rolecreds/aws/cli";

const emulator: ImdsEmulator = new ImdsEmulator({ role: "web-server" });
const provider: CachedProvider = fromInstanceMetadata({ timeout: 500, runtime: { fetch: emulator.fetch } });
export const credentials: Promise<Credentials> = provider({ forceRefresh: true });
export const run: typeof main = main;
`;

/** Options that come from variables which may be undefined. */
const USE_UNDEFINED = `
import { defaultProvider, fromInstanceMetadata, fromProcess } from "@rolecreds/aws";

const number = undefined as number | undefined;
const string = undefined as string | undefined;
export const instance = fromInstanceMetadata({ timeout: number, endpoint: string, maxRetries: number });
export const process = fromProcess({ command: "true", accountId: string, timeout: number });
export const chain = defaultProvider({ profile: string });
`;

/** Mixes our providers with those of AWS SDK v3, in its chain and in ours, without a cast. */
const USE_WITH_SDK = `
import { createCredentialChain, fromIni } from "@aws-sdk/credential-providers";
import { chain, defaultProvider, fromInstanceMetadata, fromProfile } from "@rolecreds/aws";

export const theirs = createCredentialChain(fromProfile(), fromIni(), defaultProvider());
export const ours = chain(fromIni(), fromInstanceMetadata());
export const own = chain(async () => ({ accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" }), ours);
`;

describe("the types of the npm package", () => {
  const [sources, project] = [new Folder(), new Folder()];

  beforeAll(async () => {
    await project.install(await pack(sources.path));
    for (const scope of ["@aws-sdk", "@types"]) {
      symlinkSync(join(INSTALLED, scope), join(project.path, "node_modules", scope), "junction");
    }
  });

  afterAll(() => {
    for (const folder of [sources, project]) folder.remove();
  });

  /** What the compiler prints for a program: nothing if it is right. */
  async function compile(version: string, options: object, program: string): Promise<string> {
    project.write("program.ts", program);
    const config = { compilerOptions: { ...STRICT, ...options }, files: ["program.ts"] };
    project.write("tsconfig.json", JSON.stringify(config));
    return await project.execute(process.execPath, [join(INSTALLED, `typescript-${version}/bin/tsc`), "-p", "."]);
  }

  for (const version of VERSIONS) {
    for (const resolution of RESOLUTIONS) {
      for (const exactOptionalPropertyTypes of [true, false]) {
        const options = { ...resolution, exactOptionalPropertyTypes };
        const how = `${resolution.moduleResolution}${exactOptionalPropertyTypes ? ", exact optional properties" : ""}`;

        it(`compile with TypeScript ${version}, ${how}`, async () => {
          assertEquals(await compile(version, { ...options, lib: ["es2022", "dom"], types: [] }, USE_ALL), "");
        });

        it(`take undefined with TypeScript ${version}, ${how}`, async () => {
          assertEquals(await compile(version, { ...options, lib: ["es2022", "dom"], types: [] }, USE_UNDEFINED), "");
        });

        it(`mix with AWS SDK v3 with TypeScript ${version}, ${how}`, async () => {
          const sdk = { lib: ["es2022"], types: ["node"], skipLibCheck: true };
          assertEquals(await compile(version, { ...options, ...sdk }, USE_WITH_SDK), "");
        });
      }
    }
  }
});
