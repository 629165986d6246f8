import { fileLocation, type SharedConfigOptions } from "../config/files.ts";
import type { Runtime } from "../runtime.ts";
import { describeRuntime, isGranted } from "../runtime/runtime_kind.ts";
import { errorFinding, type Finding } from "./finding.ts";
import { VARIABLES } from "./variables.ts";

/** An action without permission, and the flag that grants it. */
type Refusal = readonly [what: string, flag: string];

const IMDS_HOST = "169.254.169.254:80";

/** Reports which runtime the program runs on, and whether this version is supported. */
export function checkRuntime(): Finding {
  const { name, unsupported } = describeRuntime();
  if (unsupported !== undefined) return errorFinding("runtime", unsupported);
  return { check: "runtime", status: "ok", message: `The runtime is ${name}` };
}

/**
 * Reports which permissions for variables, config files and IMDS Deno lacks. On other runtimes there is nothing to
 * report.
 */
export function checkPermissions(options: SharedConfigOptions, runtime: Runtime): readonly Finding[] {
  if (describeRuntime().kind !== "deno") return [];
  const check = "permissions";
  const refusals = [...variableRefusals(), ...fileRefusals(options, runtime), ...netRefusals()];
  if (refusals.length === 0) {
    return [{ check, status: "ok", message: "Deno grants access to the variables, the config files and IMDS" }];
  }
  return refusals.map(([what, flag]) => (
    { check, status: "warning", message: `Deno has no permission to ${what}`, hint: `Start Deno with ${flag}.` }
  ));
}

function variableRefusals(): readonly Refusal[] {
  const isHidden = (variable: string) => !isGranted({ name: "env", variable });
  const hidden = VARIABLES.filter(isHidden);
  const names = hidden.length === VARIABLES.length ? "the variables AWS_*" : hidden.join(", ");
  const isHomeHidden = isHidden("HOME") && !isGranted({ name: "sys", kind: "homedir" });
  return [
    ...(hidden.length === 0 ? [] : [[`read ${names}, which count as unset`, "--allow-env=AWS_*"] as const]),
    ...(isHomeHidden ? [["find the home directory", "--allow-env=HOME"] as const] : []),
  ];
}

function fileRefusals(options: SharedConfigOptions, runtime: Runtime): readonly Refusal[] {
  if (options.sharedConfig !== undefined) return [];
  return (["config file", "credentials file"] as const)
    .flatMap((kind) => fileLocation(kind, options, runtime)?.path ?? [])
    .filter((path) => !isGranted({ name: "read", path }))
    .map((path) => [`read ${path}, which counts as missing`, `--allow-read=${path}`]);
}

function netRefusals(): readonly Refusal[] {
  if (isGranted({ name: "net", host: IMDS_HOST })) return [];
  return [[`connect to ${IMDS_HOST}, the metadata service of EC2`, `--allow-net=${IMDS_HOST}`]];
}
