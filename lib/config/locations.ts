import type { Runtime } from "../runtime.ts";

/** Where the files that AWS tools share are, and which profile to take from them. */
export interface SharedConfigOptions {
  /** The profile. Defaults to `AWS_PROFILE`, then `AWS_DEFAULT_PROFILE`, then `default`. */
  readonly profile?: string;
  /** The config file. Defaults to `AWS_CONFIG_FILE`, then `~/.aws/config`. */
  readonly configFilepath?: string;
  /** The credentials file. Defaults to `AWS_SHARED_CREDENTIALS_FILE`, then `~/.aws/credentials`. */
  readonly filepath?: string;
  /** Reads the files again; else each is read once per process. @default {false} */
  readonly ignoreCache?: boolean;
  /** What `~` stands for. Defaults to `HOME`, `USERPROFILE`, `HOMEDRIVE` with `HOMEPATH`, then what the system says. */
  readonly homeDirectory?: string;
  /** The texts of the two files; none is read then. For runtimes without files. */
  readonly sharedConfig?: { readonly config?: string; readonly credentials?: string };
}

/** A file, and what named it: an option, a variable, or nothing but custom. */
export interface FileLocation {
  readonly path: string;
  readonly namedBy: { readonly kind: "option" | "variable"; readonly name: string } | { readonly kind: "default" };
}

/** The two files; one is missing where nothing names it and there is no home directory. */
interface FileLocations {
  readonly config: FileLocation | undefined;
  readonly credentials: FileLocation | undefined;
}

/** What {@linkcode fileLocations} needs to know of the world. */
export type LocationRuntime = Pick<Runtime, "env" | "platform" | "homeDirectory">;

/** @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html} */
export function fileLocations(options: SharedConfigOptions, runtime: LocationRuntime): FileLocations {
  const home = homeDirectory(options, runtime);
  return {
    config: locate(["configFilepath", options.configFilepath], "AWS_CONFIG_FILE", "config", home, runtime),
    credentials: locate(["filepath", options.filepath], "AWS_SHARED_CREDENTIALS_FILE", "credentials", home, runtime),
  };
}

/** A folder below `~/.aws`, unless the variable names another; `undefined` where there is no home directory. */
export function awsFolder(
  name: string,
  variable: string | undefined,
  options: SharedConfigOptions,
  runtime: LocationRuntime,
): string | undefined {
  const home = homeDirectory(options, runtime);
  const named = variable === undefined ? undefined : nonBlank(runtime.env(variable));
  if (named !== undefined) return withoutSlash(expand(named, home, runtime.platform));
  return home === undefined ? undefined : `${withoutSlash(home)}/.aws/${name}`;
}

/** The profile, and whether anybody named it. */
export function selectedProfile(
  { profile }: SharedConfigOptions,
  { env }: Pick<Runtime, "env">,
): { readonly name: string; readonly isNamed: boolean } {
  const named = profile ?? nonBlank(env("AWS_PROFILE"))?.trim() ?? nonBlank(env("AWS_DEFAULT_PROFILE"))?.trim();
  return { name: named ?? "default", isNamed: named !== undefined };
}

function homeDirectory(options: SharedConfigOptions, { env, homeDirectory }: LocationRuntime): string | undefined {
  const [drive, path] = [nonBlank(env("HOMEDRIVE")), nonBlank(env("HOMEPATH"))];
  return options.homeDirectory ?? nonBlank(env("HOME")) ?? nonBlank(env("USERPROFILE")) ??
    (drive !== undefined && path !== undefined ? drive + path : homeDirectory());
}

function locate(
  [option, given]: readonly [name: string, path: string | undefined],
  variable: string,
  basename: string,
  home: string | undefined,
  { env, platform }: LocationRuntime,
): FileLocation | undefined {
  const fromEnv = nonBlank(env(variable));
  if (given !== undefined) return { path: expand(given, home, platform), namedBy: { kind: "option", name: option } };
  if (fromEnv !== undefined) {
    return { path: expand(fromEnv, home, platform), namedBy: { kind: "variable", name: variable } };
  }
  if (home === undefined) return undefined;
  return { path: `${withoutSlash(home)}/.aws/${basename}`, namedBy: { kind: "default" } };
}

/** Only a leading `~` of one's own is expanded, not `~user` and no variable. */
function expand(path: string, home: string | undefined, platform: Runtime["platform"]): string {
  const leads = path === "~" || path.startsWith("~/") || (platform === "windows" && path.startsWith("~\\"));
  return leads && home !== undefined ? withoutSlash(home) + path.slice(1) : path;
}

function withoutSlash(path: string): string {
  return path.replace(/[/\\]$/, "");
}

function nonBlank(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : text;
}
