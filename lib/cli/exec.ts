import type { Terminal } from "../runtime/terminal.ts";
import type { Arguments } from "./arguments.ts";
import { type Command, Failure } from "./command.ts";
import { report } from "./report.ts";
import { serveContainerEndpoint, warnings } from "./serve.ts";
import { retrieve, SOURCE_OPTIONS, sourceOf } from "./source.ts";
import { credentialsVariables, endpointVariables, hiddenFiles, regionVariables, type Variables } from "./variables.ts";

/** `rolecreds exec` */
export const EXEC: Command = {
  name: "exec",
  summary: "run a program with credentials in its environment",
  notes: [
    "",
    "The program gets the keys, the session token and the region; AWS_PROFILE and variables that belong to other keys",
    "are removed. No shell is used. Signals go to the program, and its exit code is that of rolecreds: 127 where there is",
    "no such program, 126 where it does not start.",
    "",
    "With --serve the program gets the address of an endpoint in place of keys, for as long as it runs: AWS SDKs then",
    "renew the credentials. The shared config files are hidden from it, as SDKs prefer their default profile.",
  ],
  options: {
    ...SOURCE_OPTIONS,
    serve: { text: "give it an endpoint that renews the credentials, not the keys" },
  },
  program: "required",
  examples: [
    ["rolecreds exec -- aws s3 ls", "run the AWS CLI with the credentials of this machine"],
    ["rolecreds exec --profile prod -- terraform apply", "with those of a profile"],
    ["rolecreds exec --serve --profile prod -- ./worker", "run for longer than one set of credentials lives"],
  ],
  run: (args, terminal) => args.switches.has("serve") ? runServed(args, terminal) : runWithKeys(args, terminal),
};

async function runWithKeys(args: Arguments, terminal: Terminal): Promise<number> {
  const source = sourceOf({ ...args, program: [] }, terminal);
  const credentials = await retrieve(source, args, terminal);
  return await run(args, credentialsVariables(credentials, await source.region()), terminal);
}

async function runServed(args: Arguments, terminal: Terminal): Promise<number> {
  const source = sourceOf({ ...args, program: [] }, terminal, { promptsAgain: false, warn: warnings(terminal) });
  await retrieve(source, args, terminal);
  const region = await source.region();
  const endpoint = await serveContainerEndpoint(source, terminal, 0);
  const files = hiddenFiles(terminal.runtime.platform);
  try {
    return await run(args, { ...endpointVariables(endpoint), ...files, ...regionVariables(region) }, terminal);
  } finally {
    await endpoint.close();
  }
}

async function run({ program }: Arguments, variables: Variables, terminal: Terminal): Promise<number> {
  const { exitCode, signal, failure } = await terminal.runInForeground(program, variables);
  if (failure !== undefined) {
    terminal.printError(report(new Failure(`Cannot run the program: ${failure.state}`, failure.hint)));
  }
  return signal === undefined ? exitCode : await terminal.endBySignal(signal);
}
