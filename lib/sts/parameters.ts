import { CredentialsProviderError } from "../errors.ts";

/** The parameters of `AssumeRole`, named as in the STS API. */
export interface RoleParameters {
  /** The ARN of the role; 20 to 2048 characters. */
  readonly RoleArn: string;
  /**
   * Names the session in logs; 2 to 64 characters `A-Z a-z 0-9 _ + = , . @ -`. Defaults to `rolecreds-` and the time.
   */
  readonly RoleSessionName?: string | undefined;
  /** Managed policies that limit the session. */
  readonly PolicyArns?: readonly { readonly arn?: string | undefined }[] | undefined;
  /** An inline policy that limits the session, as JSON. */
  readonly Policy?: string | undefined;
  /** Seconds from 900 to 43200. Defaults to 3600, the default of STS. */
  readonly DurationSeconds?: number | undefined;
  /** Session tags. */
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
  /** Keys of the tags that are also set in sessions of the next roles (role chaining). */
  readonly TransitiveTagKeys?: readonly string[] | undefined;
  /** The external id, which the trust policy of the role may require; 2 to 1224 characters. */
  readonly ExternalId?: string | undefined;
  /** The MFA device; 9 to 256 characters. */
  readonly SerialNumber?: string | undefined;
  /**
   * Six digits of the MFA device. A code can be used once, so for more than one retrieval set `mfaCodeProvider`
   * instead.
   */
  readonly TokenCode?: string | undefined;
  /** The identity that AWS logs for all that the session does. */
  readonly SourceIdentity?: string | undefined;
}

type Parameter = readonly [name: string, value: string];

/** How a parameter is checked, and how a message describes valid values. */
type Form = readonly [regexp: RegExp, range: string];

const FORMS: Readonly<Record<string, Form>> = {
  RoleArn: [/^arn:[^\s\p{Cc}]{16,2044}$/u, "an ARN of 20 to 2048 characters"],
  RoleSessionName: [/^[\w+=,.@-]{2,64}$/, "2 to 64 characters A-Z a-z 0-9 _ + = , . @ -"],
  ExternalId: [/^[\w+=,.@:/-]{2,1224}$/, "2 to 1224 characters A-Z a-z 0-9 _ + = , . @ : / -"],
  SerialNumber: [/^[\w+=/:,.@-]{9,256}$/, "9 to 256 characters A-Z a-z 0-9 _ + = / : , . @ -"],
  TokenCode: [/^\d{6}$/, "six digits"],
  SourceIdentity: [/^[\w+=,.@-]{2,64}$/, "2 to 64 characters A-Z a-z 0-9 _ + = , . @ -"],
};
const [MIN_DURATION_SECONDS, MAX_DURATION_SECONDS] = [900, 43_200];

/**
 * Checks what a role is assumed with.
 *
 * @param subject What to call it in messages, such as `profile dev`.
 * @param names What the parameters are called where they were given, for messages.
 * @throws {CredentialsProviderError} `AssumeRoleConfigurationError`, naming the parameter and its range; no value is
 * quoted.
 */
export function checkRole(
  subject: string,
  parameters: Partial<RoleParameters>,
  names: Readonly<Partial<Record<keyof RoleParameters, string>>> = {},
): asserts parameters is RoleParameters {
  const given = parameters as Readonly<Record<string, unknown>>;
  const fail = (name: string, range: string) => {
    throw roleError(subject, `${names[name as keyof RoleParameters] ?? name} must be ${range}`);
  };
  for (const [name, [regexp, range]] of Object.entries(FORMS)) {
    const value = given[name];
    if (value === undefined && name !== "RoleArn") continue;
    if (typeof value !== "string" || !regexp.test(value)) fail(name, range);
  }
  const { DurationSeconds: seconds } = parameters;
  if (seconds === undefined) return;
  const isInRange = Number.isInteger(seconds) && seconds >= MIN_DURATION_SECONDS && seconds <= MAX_DURATION_SECONDS;
  if (!isInRange) fail("DurationSeconds", `an integer from ${MIN_DURATION_SECONDS} to ${MAX_DURATION_SECONDS}`);
}

/** The error for settings with which a role cannot be assumed. */
export function roleError(subject: string, state: string, hint?: string): CredentialsProviderError {
  return new CredentialsProviderError(
    "AssumeRoleConfigurationError",
    `Cannot assume the role of ${subject}: ${state}`,
    {
      hint: hint ?? "Correct the setting; the API reference of STS says what it may be.",
    },
  );
}

/** The first parameters of both operations. */
export function leadingParameters(parameters: RoleParameters, now: number): readonly Parameter[] {
  return [
    ["RoleArn", parameters.RoleArn],
    ["RoleSessionName", parameters.RoleSessionName ?? `rolecreds-${now}`],
  ];
}

/** The parameters that limit the session. */
export function sessionParameters({ PolicyArns = [], Policy, DurationSeconds }: RoleParameters): readonly Parameter[] {
  return [
    ...PolicyArns.map(({ arn = "" }, index): Parameter => [`PolicyArns.member.${index + 1}.arn`, arn]),
    ...optional("Policy", Policy),
    ...optional("DurationSeconds", DurationSeconds),
  ];
}

/** The parameters that only `AssumeRole` has. */
export function assumeRoleParameters(parameters: RoleParameters): readonly Parameter[] {
  const { Tags = [], TransitiveTagKeys = [], ExternalId, SerialNumber, TokenCode, SourceIdentity } = parameters;
  return [
    ...Tags.flatMap(({ Key = "", Value = "" }, index): Parameter[] => [
      [`Tags.member.${index + 1}.Key`, Key],
      [`Tags.member.${index + 1}.Value`, Value],
    ]),
    ...TransitiveTagKeys.map((key, index): Parameter => [`TransitiveTagKeys.member.${index + 1}`, key]),
    ...optional("ExternalId", ExternalId),
    ...optional("SerialNumber", SerialNumber),
    ...optional("TokenCode", TokenCode),
    ...optional("SourceIdentity", SourceIdentity),
  ];
}

function optional(name: string, value: string | number | undefined): readonly Parameter[] {
  return value === undefined ? [] : [[name, `${value}`]];
}
