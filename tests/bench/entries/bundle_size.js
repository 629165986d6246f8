import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const [OWN, SDK, SDK_PARTS] = ["@rolecreds/aws", "@aws-sdk/credential-providers", "the SDK's parts"];

export const title = "Bundled for Node, minified and compressed with gzip";
export const unit = "KiB";
export const notes =
  "By esbuild, each function alone with what it needs; the SDK from its ES modules, which esbuild takes for Node only when " +
  `it is told to. "${SDK_PARTS}" are its smallest packages for the same job, with its memoizer.`;
/** Each row is another job, so the packages are compared along it. */
export const isComparedByRow = true;
/** What each function needs, whatever its source. */
const WHY =
  "Option checks, the recognition of proxies, errors with a fix and the cache with static stability cost the rest.";

export const aims = [
  { column: OWN, row: "fromInstanceMetadata()", max: 11, why: WHY },
  { column: OWN, row: "fromProcess()", max: 10.5, why: WHY },
  { column: OWN, row: "fromEnv()", max: 6, why: WHY },
  {
    column: OWN,
    row: "everything",
    max: 16,
    why: "The aim is from when there were no containers, STS, SSO, login and doctor.",
  },
];

const RESOLVE_DIR = fileURLToPath(new URL("..", import.meta.url));
const MEMOIZER = "{ memoizeIdentityProvider, isIdentityExpired, doesIdentityRequireRefresh } from '@smithy/core'";
const IMDS = "{ fromInstanceMetadata } from '@smithy/credential-provider-imds'";
const PROCESS = "{ fromProcess } from '@aws-sdk/credential-provider-process'";
const ENV = "{ fromEnv } from '@aws-sdk/credential-provider-env'";
const CHAIN = "{ defaultProvider } from '@aws-sdk/credential-provider-node'";

/** What is exported, by row: from this library, from the SDK's package of all providers, from its smaller packages. */
const ROWS = {
  "fromInstanceMetadata()": ["{ fromInstanceMetadata }", "{ fromInstanceMetadata }", [MEMOIZER, IMDS]],
  "fromProcess()": ["{ fromProcess }", "{ fromProcess }", [MEMOIZER, PROCESS]],
  "both": ["{ fromInstanceMetadata, fromProcess }", "{ fromInstanceMetadata, fromProcess }", [MEMOIZER, IMDS, PROCESS]],
  "fromEnv()": ["{ fromEnv }", "{ fromEnv }", [MEMOIZER, ENV]],
  "the default chain": ["{ defaultProvider }", "{ fromNodeProviderChain }", [CHAIN]],
  "everything": ["*", "*", undefined],
};

export async function columns(path) {
  const results = { [OWN]: {}, [SDK]: {}, [SDK_PARTS]: {} };
  for (const [row, [own, sdk, parts]] of Object.entries(ROWS)) {
    results[OWN][row] = await sizeOf([`${own} from '${path}'`]);
    results[SDK][row] = await sizeOf([`${sdk} from '@aws-sdk/credential-providers'`]);
    if (parts !== undefined) results[SDK_PARTS][row] = await sizeOf(parts);
  }
  return results;
}

async function sizeOf(exported) {
  const { outputFiles: [file] } = await build({
    stdin: { contents: exported.map((what) => `export ${what};`).join("\n"), resolveDir: RESOLVE_DIR },
    bundle: true,
    minify: true,
    write: false,
    platform: "node",
    mainFields: ["module", "main"],
    format: "esm",
    logLevel: "error",
  });
  return gzipSync(file.contents, { level: 9 }).length / 1_024;
}
