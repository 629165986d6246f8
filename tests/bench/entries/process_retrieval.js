import { fromProcess as sdkFromProcess } from "@aws-sdk/credential-provider-process";
import { externalDataInterceptor } from "@smithy/shared-ini-file-loader";
import { spawn } from "node:child_process";

export const title = "One retrieval from a process";
export const unit = "ms";
export const notes =
  "The program is a shell that prints the document. The bare run is `Deno.Command`, `Bun.spawn` or `spawn` of Node; in " +
  "a session of its own it can be ended with all it started, which is what this library does and what Deno is slow " +
  "at. AWS SDK v3 takes its command from a profile, and leaves behind what the command started.";

const DOCUMENT = '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}';
const LINE = `echo '${DOCUMENT}'`;

const COMMAND = ["/bin/sh", "-c", LINE];

const bareRun = {
  async Deno(detached) {
    const [file, ...args] = COMMAND;
    const stdio = { stdin: "inherit", stdout: "piped", stderr: "inherit" };
    const child = new globalThis.Deno.Command(file, { args, ...stdio, detached }).spawn();
    const [text] = await Promise.all([new Response(child.stdout).text(), child.status]);
    return JSON.parse(text);
  },
  async Bun(detached) {
    const child = globalThis.Bun.spawn(COMMAND, { stdin: "inherit", stderr: "inherit", detached });
    const [text] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return JSON.parse(text);
  },
  Node(detached) {
    const [file, ...args] = COMMAND;
    const child = spawn(file, args, { stdio: ["inherit", "pipe", "inherit"], detached });
    let text = "";
    child.stdout.on("data", (chunk) => text += chunk);
    return new Promise((resolve) => child.once("close", () => resolve(JSON.parse(text))));
  },
}["Deno" in globalThis ? "Deno" : "Bun" in globalThis ? "Bun" : "Node"];

export async function subjects({ ProcessProvider }) {
  externalDataInterceptor.interceptFile("config", `[default]\ncredential_process = ${LINE}\n`);
  externalDataInterceptor.interceptFile("credentials", "");
  const provider = new ProcessProvider({ command: LINE });
  const sdk = sdkFromProcess({ configFilepath: "config", filepath: "credentials" });
  await Promise.all([provider.retrieve(), sdk()]);
  return {
    "bare run": () => bareRun(false),
    "bare run in a session of its own": () => bareRun(true),
    "ProcessProvider": () => provider.retrieve(),
    "@aws-sdk/credential-provider-process": () => sdk(),
  };
}
