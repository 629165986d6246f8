import { hex } from "../hex.ts";
import type { Terminal } from "../runtime/terminal.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CONTAINER_PATH, containerEndpoint, type EndpointOptions, imdsEndpoint } from "./served_endpoints.ts";
import type { LoopbackServer } from "../runtime/loopback.ts";
import { listen, PORT_OPTION } from "./listen.ts";
import { logger } from "./log.ts";
import { type Shell, SHELL_OPTION, shellCommands } from "./shells.ts";
import { retrieve, type Source, SOURCE_OPTIONS, sourceOf } from "./source_options.ts";
import { endpointVariables } from "./variables.ts";

const TOKEN_BYTES = 32;

/** `rolecreds serve` */
export const SERVE: Command = {
  name: "serve",
  summary: "serve credentials to the AWS SDKs of other programs on this machine",
  notes: [
    "",
    "Prints the commands that set the variables for AWS SDKs and, without --imds, unset those that SDKs would use first.",
    "Runs until Ctrl-C. Each start has a new token and, without --port, a new port. AWS SDKs use the default profile of",
    "the shared config files before this endpoint: rename that profile if there is one.",
    "",
    "With --imds it serves as the instance metadata service (version 2). Any program of any user of this machine can",
    "then get the credentials, because that protocol does not authenticate its clients.",
  ],
  options: {
    ...SOURCE_OPTIONS,
    imds: { summary: "serve as the instance metadata service, not as a container endpoint" },
    port: PORT_OPTION,
    format: SHELL_OPTION,
  },
  examples: [
    ["rolecreds serve --profile dev", "serve the credentials of a profile"],
    ["rolecreds serve --role-arn arn:aws:iam::123456789012:role/deploy", "serve the credentials of a role"],
    ["rolecreds serve --imds --port 1338", "serve as the instance metadata service, on port 1338"],
  ],
  async run(args, terminal) {
    const source = sourceOf(args, terminal, { warn: warningLogger(terminal) });
    await retrieve(source, args, terminal); // so that an error is reported at the start, not at the first request
    const variables = await start(source, args, terminal);
    const { values, switches } = args;
    const isSet = (name: string) => !switches.has("imds") && terminal.runtime.env(name) !== undefined;
    terminal.print(shellCommands((values["format"] ?? "env") as Shell, variables, isSet));
    return await new Promise<never>(() => {/* until a signal ends this program */});
  },
};

/** Returns a function that logs warnings. */
export function warningLogger(terminal: Terminal): (message: string) => void {
  const log = logger(terminal);
  return (message) => log({ message });
}

async function start(
  source: Source,
  { switches, numbers: { port = 0 } }: Arguments,
  terminal: Terminal,
): Promise<Record<string, string | undefined>> {
  if (!switches.has("imds")) return endpointVariables(await serveContainerEndpoint(source, terminal, port));
  const { origin } = await listen(imdsEndpoint(await endpointOptions(source, terminal)), port);
  return { AWS_EC2_METADATA_SERVICE_ENDPOINT: origin };
}

/** Serves credentials as a container endpoint does, with a token that changes at each start. */
export async function serveContainerEndpoint(
  source: Source,
  terminal: Terminal,
  port: number,
): Promise<{ readonly uri: string; readonly token: string; readonly close: LoopbackServer["close"] }> {
  const options = await endpointOptions(source, terminal);
  const { origin, close } = await listen(containerEndpoint(options), port);
  return { uri: `${origin}${CONTAINER_PATH}`, token: options.token, close };
}

async function endpointOptions({ provider, region }: Source, terminal: Terminal): Promise<EndpointOptions> {
  const log = logger(terminal);
  return {
    credentials: () => provider(),
    token: hex(terminal.randomBytes(TOKEN_BYTES)),
    region: await region(),
    now: terminal.runtime.now,
    onFailure: (request, status, message) => log({ request, status, message }),
  };
}
