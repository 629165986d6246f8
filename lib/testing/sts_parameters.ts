import type { ReceivedRequest } from "./emulator.ts";

/** The operations that are emulated. */
export type StsAction = "AssumeRole" | "AssumeRoleWithWebIdentity" | "GetCallerIdentity";

/**
 * The rule for a parameter: a string of `min` to `max` characters that matches a pattern, or an integer from `min` to
 * `max`.
 */
interface ParameterRule {
  readonly min: number;
  readonly max: number;
  readonly pattern?: RegExp;
  readonly isNumber?: boolean;
  readonly isRequired?: boolean;
  /** If set, errors do not repeat the value. */
  readonly isSecret?: boolean;
}

type Rules = Readonly<Record<string, ParameterRule>>;

const NAME_REGEXP = /^[\w+=,.@-]*$/;

const COMMON: Rules = {
  RoleArn: { min: 20, max: 2_048, isRequired: true },
  RoleSessionName: { min: 2, max: 64, pattern: NAME_REGEXP, isRequired: true },
  "PolicyArns.member.N.arn": { min: 20, max: 2_048 },
  Policy: { min: 1, max: 2_048, isSecret: true },
  DurationSeconds: { min: 900, max: 43_200, isNumber: true },
};

/**
 * The parameters of each operation; `N` stands for the number of a member.
 *
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html}
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html}
 */
const RULES: Readonly<Record<StsAction, Rules>> = {
  AssumeRole: {
    ...COMMON,
    "Tags.member.N.Key": { min: 1, max: 128 },
    "Tags.member.N.Value": { min: 0, max: 256 },
    "TransitiveTagKeys.member.N": { min: 1, max: 128 },
    ExternalId: { min: 2, max: 1_224, pattern: /^[\w+=,.@:/-]*$/, isSecret: true },
    SerialNumber: { min: 9, max: 256, pattern: /^[\w+=/:,.@-]*$/ },
    TokenCode: { min: 6, max: 6, pattern: /^\d*$/, isSecret: true },
    SourceIdentity: { min: 2, max: 64, pattern: NAME_REGEXP },
  },
  AssumeRoleWithWebIdentity: {
    ...COMMON,
    WebIdentityToken: { min: 4, max: 20_000, isRequired: true, isSecret: true },
    ProviderId: { min: 4, max: 2_048 },
  },
  GetCallerIdentity: {},
};

/** The operation of a request; `undefined` for one that is not emulated. */
export function actionOf(parameters: URLSearchParams): StsAction | undefined {
  const action = parameters.get("Action") ?? "";
  return Object.hasOwn(RULES, action) ? action as StsAction : undefined;
}

/** The parameters of a request, in order; empty if it is not a POST request with a form. */
export function formParameters({ method, headers, body }: ReceivedRequest): URLSearchParams {
  const isForm = /^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers["content-type"] ?? "");
  return new URLSearchParams(method === "POST" && isForm ? body : "");
}

/** What is wrong with the parameters of an operation, for a `ValidationError`. */
export function parameterError(action: StsAction, parameters: URLSearchParams): string | undefined {
  const rules = RULES[action];
  const seen = new Set<string>(["Action", "Version"]);
  for (const [name, value] of parameters) {
    if (name === "Action" || name === "Version") continue;
    const ruleName = name.replace(/\.member\.[1-9]\d*/, ".member.N");
    const rule = Object.hasOwn(rules, ruleName) ? rules[ruleName] : undefined;
    if (rule === undefined) return `${action} has no parameter ${name}`;
    if (seen.has(name)) return `The parameter ${name} is given twice`;
    seen.add(name);
    if (!isValid(value, rule)) return constraintError(name, value, rule);
  }
  const missing = Object.keys(rules).find((name) => rules[name]?.isRequired === true && !seen.has(name));
  return missing === undefined ? undefined : `The parameter ${missing} is missing`;
}

function isValid(value: string, { min, max, pattern, isNumber = false }: ParameterRule): boolean {
  if (isNumber) return /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max;
  return value.length >= min && value.length <= max && (pattern?.test(value) ?? true);
}

function constraintError(
  name: string,
  value: string,
  { min, max, isNumber, isSecret, pattern }: ParameterRule,
): string {
  const shown = isSecret === true ? "The value" : `The value '${value}'`;
  const range = isNumber === true ? `be an integer from ${min} to ${max}` : `have ${min} to ${max} characters`;
  return `${shown} of ${name} must ${range}${pattern === undefined ? "" : ` and match ${pattern.source}`}`;
}
