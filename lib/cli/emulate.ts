import type { Terminal } from "../runtime/terminal.ts";
import type { Emulator, Fault } from "../testing/mod.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";
import { COMMON_FAULTS, type EmulatedService, SERVICES } from "./emulators.ts";
import { listen, PORT_OPTION } from "./listen.ts";
import { logger } from "./log.ts";
import { type Shell, SHELL_OPTION, shellCommands } from "./shells.ts";

/** `rolecreds emulate` */
export const EMULATE: Command = {
  name: "emulate",
  summary: "serve an emulator of an AWS service that issues credentials, for tests of other programs",
  notes: [
    "",
    "Prints the variables to set, logs each request to the standard error output, and runs until Ctrl-C.",
    "",
    "Services",
    ...Object.entries(SERVICES).map(([name, { summary }]) => `  ${name.padEnd(4)}  ${summary}`),
    "",
    "A fault is an HTTP status such as 503, or one of the names below. FAULT applies to all requests, STEP:FAULT",
    "only to those of that step.",
    "",
    `  any service  ${COMMON_FAULTS.join(" ")}`,
    ...Object.entries(SERVICES).flatMap(([name, { faults, steps }]) => [
      `  ${name.padEnd(4)}  ${faults.join(" ")}`,
      `        steps: ${steps.join(" ")}`,
    ]),
  ],
  operand: { name: "service", choices: Object.keys(SERVICES) },
  options: {
    fault: { placeholder: "[STEP:]FAULT", summary: "the fault of each request" },
    role: { placeholder: "NAME", summary: "the name of the role" },
    ttl: {
      placeholder: "SECONDS",
      range: [1, 43_200],
      summary: "the lifetime of new credentials in seconds; default: 21600",
    },
    rotate: {
      placeholder: "SECONDS",
      range: [1, 43_200],
      summary: "issue new credentials at this interval, in seconds",
    },
    port: PORT_OPTION,
    format: SHELL_OPTION,
  },
  examples: [
    ["rolecreds emulate imds", "an EC2 instance with a role"],
    ["rolecreds emulate ecs --ttl 900 --rotate 60", "a task whose credentials change every minute"],
    [
      "rolecreds emulate imds --fault token:hang",
      "a container on EC2 with a hop limit of 1: the token request gets no response",
    ],
    ["rolecreds emulate sts --fault AccessDenied", "a role that does not trust the caller"],
  ],
  async run(args, terminal) {
    const { operand, values, numbers } = args;
    const service = SERVICES[operand] as EmulatedService;
    checkOptions(args, service);
    const { emulator, rotate, variables } = service.create({ role: values["role"], ttlSeconds: numbers["ttl"] });
    if (values["fault"] !== undefined) injectFault(values["fault"], emulator, service);
    const { origin } = await listen(logged(emulator, terminal), numbers["port"] ?? 0);
    terminal.print(shellCommands((values["format"] ?? "env") as Shell, variables(origin), () => false));
    return await runForever(rotate, numbers["rotate"], terminal);
  },
};

function checkOptions({ operand, values, numbers }: Arguments, { supports }: EmulatedService): void {
  for (const name of ["role", "ttl", "rotate"] as const) {
    const isGiven = values[name] !== undefined || numbers[name] !== undefined;
    if (isGiven && !supports.includes(name)) throw new UsageError(`--${name} cannot be used with ${operand}`);
  }
}

/** Parses `[STEP:]FAULT`, and injects it for all requests. */
function injectFault(text: string, emulator: Emulator, { steps, faults }: EmulatedService): void {
  const [, step = "any", fault = ""] = /^(?:([^:]*):)?(.*)$/.exec(text) ?? [];
  const isStatus = /^[2-5]\d\d$/.test(fault);
  const names = [...COMMON_FAULTS, ...faults];
  if (!isStatus && !names.includes(fault)) {
    throw new UsageError(`--fault takes a status such as 503, or one of ${names.join(", ")}`);
  }
  if (step !== "any" && !steps.includes(step)) {
    throw new UsageError(`the step of --fault is one of ${steps.join(", ")}`);
  }
  emulator.inject(isStatus ? { status: Number(fault) } : fault as Fault, { on: step, times: Infinity });
}

function logged({ handle }: Emulator, terminal: Terminal): Emulator["handle"] {
  const log = logger(terminal);
  return async (request, connection) => {
    try {
      const response = await handle(request, connection);
      log({ request, status: response.status });
      return response;
    } catch (error) {
      log({ request, status: 0 });
      throw error;
    }
  };
}

/** Never resolves. Rotates the credentials at the interval, if there is one. */
async function runForever(
  rotate: (() => void) | undefined,
  seconds: number | undefined,
  terminal: Terminal,
): Promise<never> {
  const log = logger(terminal);
  while (rotate !== undefined && seconds !== undefined) {
    await terminal.runtime.sleep(seconds * 1_000);
    rotate();
    log({ message: "new credentials" });
  }
  return await new Promise<never>(() => {/* until a signal ends this program */});
}
