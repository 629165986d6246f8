import type { Terminal } from "../runtime/terminal.ts";
import type { Arguments } from "./arguments.ts";
import { type Command, Failure } from "./command.ts";
import { report } from "./report.ts";
import { serveContainerEndpoint, warningLogger } from "./serve.ts";
import { retrieve, SOURCE_OPTIONS, sourceOf } from "./source_options.ts";
import { credentialsVariables, endpointVariables, hiddenFiles, regionVariables, type Variables } from "./variables.ts";

/** `rolecreds exec` */
export const EXEC: Command = {
  name: "exec",
  summary: "run a program with credentials in its environment",
  notes: [
    "",
    "The program gets the keys, the session token and the region; AWS_PROFILE and the variables that belong to other keys",
    "are removed. No shell is used. Signals are passed on to the program, and rolecreds exits with its exit code, or",
    "with 127 if there is no such program and 126 if it cannot be started.",
    "",
    "With --serve the program gets the address of a local endpoint, not keys. The endpoint runs as long as the",
    "program, and AWS SDKs get new credentials from it before the old ones expire. The program does not read",
    "the shared config files (AWS_CONFIG_FILE=/dev/null), because SDKs would use the default profile in them first.",
  ],
  options: {
    ...SOURCE_OPTIONS,
    serve: {
      summary: "give the program an endpoint, from which AWS SDKs refresh, in place of keys",
    },
  },
  program: "required",
  examples: [
    ["rolecreds exec -- aws s3 ls", "run the AWS CLI with the credentials of this machine"],
    ["rolecreds exec --profile prod -- terraform apply", "run a program with the credentials of a profile"],
    [
      "rolecreds exec --serve --profile prod -- ./worker",
      "run a program for longer than the lifetime of the credentials",
    ],
  ],
  run: (args, terminal) => args.switches.has("serve") ? runServed(args, terminal) : runWithKeys(args, terminal),
};

async function runWithKeys(args: Arguments, terminal: Terminal): Promise<number> {
  // without the program: for sourceOf() it would be the credential process
  const source = sourceOf({ ...args, program: [] }, terminal);
  const credentials = await retrieve(source, args, terminal);
  return await run(args, credentialsVariables(credentials, await source.region()), terminal);
}

async function runServed(args: Arguments, terminal: Terminal): Promise<number> {
  const source = sourceOf({ ...args, program: [] }, terminal, { mfaRefresh: false, warn: warningLogger(terminal) });
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
