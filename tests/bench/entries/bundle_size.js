import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export const title = "Bundled, minified and compressed with gzip";
export const unit = "KiB";
export const notes =
  "By esbuild, for Node, with everything they import. The second is what covers the same ground; the " +
  "third is the default chain.";
/** The subjects return the number themselves. */
export const isMeasured = true;
/** The same on every runtime: measured on Node. */
export const runtimes = ["Node"];

export function subjects({ path }) {
  return Promise.resolve({
    "@rolecreds/aws": () => sizeOf(path),
    "@smithy/credential-provider-imds and -process": () =>
      sizeOf("@smithy/credential-provider-imds", "@aws-sdk/credential-provider-process"),
    "@aws-sdk/credential-provider-node": () => sizeOf("@aws-sdk/credential-provider-node"),
  });
}

async function sizeOf(...specifiers) {
  const { build } = await import("esbuild");
  const contents = specifiers.map((specifier) => `export * from ${JSON.stringify(specifier)};`).join("\n");
  const { outputFiles: [file] } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    bundle: true,
    minify: true,
    write: false,
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  return gzipSync(file.contents, { level: 9 }).length / 1_024;
}
