// Retrieves from each kind of source once.
import { fromInstanceMetadata, fromProcess, fromProfile } from "@rolecreds/aws";
import { ImdsEmulator, serveEmulator } from "@rolecreds/aws/testing";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { print, resultOf } from "./result.js";

const [, , folder] = process.argv;
const files = { configFilepath: `${folder}/config`, filepath: `${folder}/credentials` };
const document = JSON.stringify({ Version: 1, AccessKeyId: "AKIAEXAMPLE", SecretAccessKey: "secret" });
const { endpoint, close } = await serveEmulator(new ImdsEmulator());
writeFileSync(files.configFilepath, `[default]\nec2_metadata_service_endpoint = ${endpoint}\n`);
writeFileSync(files.filepath, "[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = secret\n");

print({
  instance: await resultOf(fromInstanceMetadata({ endpoint, maxRetries: 0 })),
  endpointOfFile: await resultOf(fromInstanceMetadata({ ...files, maxRetries: 0 })),
  keysOfFile: await resultOf(fromProfile({ ...files, profile: "other" })),
  process: await resultOf(fromProcess({ command: ["/bin/echo", document] })),
  slowProcess: await resultOf(fromProcess({ command: ["/bin/sleep", "3600"], timeout: 200 })),
});
await close();
