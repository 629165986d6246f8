import { nonBlank } from "../non_blank.ts";
import { CredentialsProviderError } from "../errors.ts";

/** Where to get container credentials, and with which token. */
export interface ContainerTarget {
  readonly url: URL;
  /** What to call the URL in messages. */
  readonly name: string;
  readonly token: { readonly kind: "file" | "literal"; readonly name: string; readonly value: string } | undefined;
}

/** A setting that was found, with the name to call it by. */
interface Setting {
  readonly name: string;
  readonly value: string;
}

/** The options for the URI and the token; each replaces a variable. */
interface ContainerLocation {
  readonly awsContainerCredentialsRelativeUri?: string | undefined;
  readonly awsContainerCredentialsFullUri?: string | undefined;
  readonly awsContainerAuthorizationToken?: string | undefined;
  readonly awsContainerAuthorizationTokenFile?: string | undefined;
}

/** The origin of relative URIs: the ECS agent. */
const ECS_ORIGIN = "http://169.254.170.2";

/** Hosts that may be used without TLS: the agents of ECS and EKS, and this machine. */
const PLAIN_HOSTS_REGEXP =
  /^(169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\]|127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/;
const PLAIN_HOSTS = "169.254.170.2, 169.254.170.23, [fd00:ec2::23], 127.0.0.0/8, [::1] and localhost";

/**
 * Resolves the URL and the token: options first, then variables.
 *
 * @returns `undefined` where neither URI is set.
 * @throws {CredentialsProviderError} `ContainerConfigurationError` for a URI that is malformed or that must not be
 * requested.
 * @see {@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html}
 */
export function containerTarget(
  options: ContainerLocation,
  env: (name: string) => string | undefined,
  warn: (message: string) => void,
): ContainerTarget | undefined {
  const [relative, full] = pair(
    options,
    env,
    ["awsContainerCredentialsRelativeUri", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
    ["awsContainerCredentialsFullUri", "AWS_CONTAINER_CREDENTIALS_FULL_URI"],
  );
  const [file, literal] = pair(
    options,
    env,
    ["awsContainerAuthorizationTokenFile", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
    ["awsContainerAuthorizationToken", "AWS_CONTAINER_AUTHORIZATION_TOKEN"],
  );
  const uri = relative ?? full;
  if (uri === undefined) return undefined;
  if (relative !== undefined && full !== undefined) warn(`${full.name} is ignored because ${relative.name} is set`);
  if (file !== undefined && literal !== undefined) warn(`${literal.name} is ignored because ${file.name} is set`);
  return {
    url: relative === undefined ? fullUrl(uri) : relativeUrl(uri),
    name: uri.name,
    token: file !== undefined ? { kind: "file", ...file } : literal && { kind: "literal", ...literal },
  };
}

type Names = readonly [option: keyof ContainerLocation, variable: string];

/** Two alternative settings, read from the options, or from the variables if neither option is given. */
function pair(
  options: ContainerLocation,
  env: (name: string) => string | undefined,
  first: Names,
  second: Names,
): readonly [Setting | undefined, Setting | undefined] {
  const fromCode = [first, second].map(([option]) => setting(option, options[option]));
  if (fromCode.some((found) => found !== undefined)) return [fromCode[0], fromCode[1]];
  return [setting(first[1], env(first[1])), setting(second[1], env(second[1]))];
}

function setting(name: string, text: string | undefined): Setting | undefined {
  const value = nonBlank(text);
  return value === undefined ? undefined : { name, value };
}

function relativeUrl({ name, value }: Setting): URL {
  // Without the slash the value would continue the host name. A second slash, or a backslash that URLs treat as one, is
  // no path of the agent.
  if (!/^\/(?![/\\])/.test(value)) throw unusable(name, "it must begin with one slash");
  const url = new URL(ECS_ORIGIN + value);
  if (url.hash !== "") throw unusable(name, "it is not a path");
  return url;
}

/**
 * The host is compared after parsing, because `URL` writes decimal, octal and hexadecimal forms as one address. Host
 * names are not resolved.
 */
function fullUrl({ name, value }: Setting): URL {
  if (!URL.canParse(value)) throw unusable(name, "it is not an absolute URL");
  const url = new URL(value);
  if (url.username + url.password + url.hash !== "") throw unusable(name, "it has user info or a fragment");
  if (url.protocol === "https:") return url;
  if (url.protocol !== "http:") throw unusable(name, "its scheme is neither http nor https");
  if (PLAIN_HOSTS_REGEXP.test(url.hostname)) return url;
  throw unusable(name, "its host may not be used without TLS", `Use https, or one of ${PLAIN_HOSTS}.`);
}

function unusable(name: string, state: string, hint?: string): CredentialsProviderError {
  return new CredentialsProviderError(
    "ContainerConfigurationError",
    `Cannot get container credentials: ${name} is invalid: ${state}`,
    { hint: hint ?? `Correct ${name}; ECS, EKS and other AWS services set it themselves.` },
  );
}
