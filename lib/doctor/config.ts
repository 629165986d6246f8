import { fileLocation, loadSharedConfig, type SharedConfigOptions } from "../config/files.ts";
import { errorFinding, type Finding } from "./finding.ts";
import type { Recorder } from "./recorder.ts";

const KINDS = ["config file", "credentials file"] as const;
const MAX_NAMES = 20;

/** Says where the shared files are, whether they can be read and parsed, and whether they have the profile. */
export async function* checkConfig(options: SharedConfigOptions, recorder: Recorder): AsyncGenerator<Finding> {
  const check = "config";
  const { runtime, logger } = recorder;
  if (options.sharedConfig === undefined) {
    for (const kind of KINDS) yield* await checkFile(kind, options, recorder);
  } else {
    yield {
      check,
      status: "ok",
      message: "No file is read: the option sharedConfig replaces the config file and the credentials file",
    };
  }
  try {
    const loaded = await loadSharedConfig({ ...options, logger, ignoreCache: true }, runtime);
    yield* recorder.takeWarnings(check);
    yield profileFinding(loaded);
  } catch (error) {
    yield errorFinding(check, error);
  }
}

/** A file that exists but cannot be read is not reported here: `loadSharedConfig` warns about it. */
async function checkFile(
  kind: typeof KINDS[number],
  options: SharedConfigOptions,
  { runtime }: Recorder,
): Promise<readonly Finding[]> {
  const check = "config";
  const location = fileLocation(kind, options, runtime);
  if (location === undefined) {
    const hint = "Set HOME, or name the file with a variable or an option.";
    return [{ check, status: "warning", message: `No ${kind} is read: the home directory is not known`, hint }];
  }
  const { path, namedBy } = location;
  const named = namedBy === "default" ? "" : `, named by ${namedBy === "option" ? "an option" : "a variable"}`;
  try {
    return await runtime.readTextFile(path) === undefined
      ? [{ check, status: "skipped", message: `The ${kind} does not exist: ${path}${named}` }]
      : [{ check, status: "ok", message: `The ${kind} is ${path}${named}` }];
  } catch {
    return []; // loadSharedConfig reports it
  }
}

function profileFinding(
  { profiles, profileName, isProfileNamed }: Awaited<ReturnType<typeof loadSharedConfig>>,
): Finding {
  const check = "config.profile";
  const name = isProfileNamed ? profileName : "default, because no option and no variable names a profile";
  if (profiles.has(profileName)) return { check, status: "ok", message: `The selected profile is ${name}` };
  const message = `The selected profile is ${name}; the files do not have it`;
  if (!isProfileNamed) return { check, status: "skipped", message };
  const names = [...profiles.keys()].slice(0, MAX_NAMES).join(", ");
  const hint = names === ""
    ? "Add it to the config file as a section [profile name]."
    : `Correct the name, or add the profile; the files have ${names}.`;
  return { check, status: "failure", message, hint };
}
