// Retrieves from each kind of source once.
import { writeFileSync } from "node:fs";
import { fromInstanceMetadata, fromProcess, fromProfile } from "@rolecreds/aws";
import { ImdsEmulator, serveEmulator } from "@rolecreds/aws/testing";
import process from "node:process";
import { print, resultOf } from "./result.js";

const [, , files] = process.argv;
const document = JSON.stringify({
  Version: 1,
  AccessKeyId: "AKIAEXAMPLE",
  SecretAccessKey: "secret",
});
const server = await serveEmulator(new ImdsEmulator());
writeFileSync(
  `${files}/config`,
  `[default]\nec2_metadata_service_endpoint = ${server.endpoint}\n`,
);
writeFileSync(
  `${files}/credentials`,
  "[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = secret\n",
);
const sharedFiles = {
  configFilepath: `${files}/config`,
  filepath: `${files}/credentials`,
};

print({
  instance: await resultOf(
    fromInstanceMetadata({ endpoint: server.endpoint, maxRetries: 0 }),
  ),
  endpointOfFile: await resultOf(
    fromInstanceMetadata({ ...sharedFiles, maxRetries: 0 }),
  ),
  keysOfFile: await resultOf(fromProfile({ ...sharedFiles, profile: "other" })),
  process: await resultOf(fromProcess({ command: ["/bin/echo", document] })),
  slowProcess: await resultOf(
    fromProcess({ command: ["/bin/sleep", "3600"], timeout: 200 }),
  ),
});
await server.close();
