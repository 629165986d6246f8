import {
  type CachedProvider,
  type Credentials,
  CredentialsProviderError,
  defaultProvider,
  fromContainerMetadata,
  fromEnv,
  fromInstanceMetadata,
  fromProcess,
  fromProfile,
  fromTemporaryCredentials,
  type MfaCodeProvider,
  resolveRegion,
} from "../../mod.ts";
import { printable, printableMessage } from "../printable.ts";
import type { Terminal } from "../runtime/terminal.ts";
import { type Arguments, type Options, UsageError } from "./arguments.ts";
import { Failure } from "./command.ts";

const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_SECONDS = 604_800;

/** The options that say where credentials come from. */
export const SOURCE_OPTIONS: Options = {
  "source": {
    placeholder: "SOURCE",
    choices: ["default", "env", "profile", "process", "container", "imds"],
    summary: "the source; by default the default chain; profile includes SSO, aws login and roles",
  },
  "profile": { placeholder: "NAME", summary: "the profile of the shared config files" },
  "role-arn": { placeholder: "ARN", summary: "assume this role with the credentials of the source" },
  "region": {
    placeholder: "REGION",
    summary: "the region for STS, and for AWS_REGION in the output or the program",
  },
  "endpoint": { placeholder: "URL", summary: "the URL of the instance metadata service" },
  "timeout": {
    placeholder: "MS",
    range: [1, MAX_TIMER_MS],
    summary: "the time limit in ms; default: 1000 for IMDS, 5000 for a container, 60000 for a process",
  },
  "min-lifetime": {
    placeholder: "SECONDS",
    range: [1, MAX_SECONDS],
    summary: "fail if the credentials expire sooner than this",
  },
};

/** Where credentials come from, and the region for them. */
export interface Source {
  readonly provider: CachedProvider;
  /** Resolves to the region, for which it reads the shared config files; `undefined` if nothing names one. */
  readonly region: () => Promise<string | undefined>;
}

/** How a command uses its source. */
interface SourceUse {
  /** Whether a person may be asked for an MFA code again when the credentials expire. @default {true} */
  readonly mfaRefresh?: boolean;
  /** Where the warnings of providers go. Defaults to lines on the standard error output. */
  readonly warn?: (message: string) => void;
}

/**
 * Makes the source that the arguments name.
 *
 * @throws {UsageError} If two of the arguments cannot be used together.
 */
export function sourceOf(args: Arguments, terminal: Terminal, use: SourceUse = {}): Source {
  const { mfaRefresh = true, warn = (message) => terminal.printError(`warning  ${printableMessage(message)}`) } = use;
  const { profile, region, "role-arn": roleArn } = args.values;
  const common = {
    ...(profile === undefined ? {} : { profile }),
    runtime: terminal.runtime,
    logger: { warn },
  };
  const roles = { region, mfaCodeProvider: mfaCodeProvider(terminal), mfaRefresh };
  const base = baseProvider(args, common, roles);
  const provider = roleArn === undefined
    ? base
    : fromTemporaryCredentials({ params: { RoleArn: roleArn }, masterCredentials: base, ...common, ...roles });
  return { provider, region: () => resolveRegion({ ...common, region }) };
}

function baseProvider(
  { values, numbers, program }: Arguments,
  common: { readonly profile?: string; readonly runtime: Terminal["runtime"] },
  roles: {
    readonly region: string | undefined;
    readonly mfaCodeProvider: MfaCodeProvider;
    readonly mfaRefresh: boolean;
  },
): CachedProvider {
  const { source = "default", profile, endpoint } = values;
  const limits = numbers["timeout"] === undefined ? {} : { timeout: numbers["timeout"] };
  const imds = { ...limits, ...(endpoint === undefined ? {} : { endpoint }) };
  const nested = { imds, container: limits, process: limits };
  if (endpoint !== undefined && !["default", "profile", "imds"].includes(source)) {
    failIncompatible("--endpoint", source);
  }
  if (profile !== undefined && ["env", "container"].includes(source)) failIncompatible("--profile", source);
  if (program.length > 0 && source !== "process") failIncompatible("a program", source);
  if (program.length > 0 && profile !== undefined) throw new UsageError("--profile cannot be used with a program");
  switch (source) {
    case "env":
      return fromEnv(common);
    case "profile":
      return fromProfile({ ...common, ...roles, ...nested });
    case "process":
      return fromProcess({ ...common, ...limits, ...(program.length === 0 ? {} : { command: program }) });
    case "container":
      return fromContainerMetadata({ ...common, ...limits });
    case "imds":
      return fromInstanceMetadata({ ...common, ...imds });
    default:
      return defaultProvider({ ...common, ...roles, ...nested });
  }
}

function failIncompatible(what: string, source: string): never {
  throw new UsageError(`${what} cannot be used with --source ${source}`);
}

/** Returns a function that gets the code from the person at the terminal. */
export function mfaCodeProvider({ stdinIsTerminal, stderrIsTerminal, readHiddenLine }: Terminal): MfaCodeProvider {
  return async ({ serial, signal }) => {
    if (stdinIsTerminal && stderrIsTerminal) return await readHiddenLine(`MFA code of ${printable(serial)}: `, signal);
    throw new CredentialsProviderError(
      "MfaCodeError",
      `Cannot assume the role: it needs the MFA code of ${printable(serial)}, and there is no terminal to type it on`,
      { hint: "Run this command on a terminal, with stdin and stderr connected to it." },
    );
  };
}

/**
 * Retrieves credentials with at least the lifetime of `--min-lifetime`, if that is given.
 *
 * @throws {Failure} If they expire sooner.
 */
export async function retrieve({ provider }: Source, { numbers }: Arguments, terminal: Terminal): Promise<Credentials> {
  const credentials = await provider();
  const { source, expiration, originalExpiration = expiration } = credentials;
  const minimum = numbers["min-lifetime"];
  if (originalExpiration === undefined || minimum === undefined) return credentials;
  const seconds = Math.floor((originalExpiration.getTime() - terminal.runtime.now()) / 1_000);
  if (seconds >= minimum) return credentials;
  const state = seconds > 0 ? `they expire in ${seconds} seconds` : "they are expired";
  throw new Failure(
    `Cannot use the credentials from ${source}: ${state}, and --min-lifetime is ${minimum}`,
    "Wait until the source has new credentials, or set a longer lifetime there.",
  );
}
