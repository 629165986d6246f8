import { fromProcess as sdkFromProcess } from "@aws-sdk/credential-provider-process";
import { externalDataInterceptor } from "@smithy/shared-ini-file-loader";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export const title = "One retrieval from a process";
export const unit = "ms";
export const notes =
  "The program is a shell that prints the document. The bare run is what each runtime offers for it: `Deno.Command`, " +
  "`Bun.spawn`, `execFile` of Node. AWS SDK v3 takes its command from a profile.";

const DOCUMENT = '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}';
const LINE = `echo '${DOCUMENT}'`;

const bareRun = {
  Deno: async () => JSON.parse(new TextDecoder().decode((await command().output()).stdout)),
  Bun: async () => JSON.parse(await new Response(globalThis.Bun.spawn(["/bin/sh", "-c", LINE]).stdout).text()),
  Node: async () => JSON.parse((await promisify(execFile)("/bin/sh", ["-c", LINE])).stdout),
};

function command() {
  const options = { args: ["-c", LINE], stdin: "inherit", stdout: "piped", stderr: "inherit" };
  return new globalThis.Deno.Command("/bin/sh", options);
}

export async function subjects({ ProcessProvider }) {
  externalDataInterceptor.interceptFile("config", `[default]\ncredential_process = ${LINE}\n`);
  externalDataInterceptor.interceptFile("credentials", "");
  const provider = new ProcessProvider({ command: LINE });
  const sdk = sdkFromProcess({ configFilepath: "config", filepath: "credentials" });
  await Promise.all([provider.retrieve(), sdk()]);
  return {
    "bare run": bareRun["Deno" in globalThis ? "Deno" : "Bun" in globalThis ? "Bun" : "Node"],
    "ProcessProvider": () => provider.retrieve(),
    "@aws-sdk/credential-provider-process": () => sdk(),
  };
}
