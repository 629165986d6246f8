import type { Credentials, CredentialsSource, ForeignCredentials, ForeignProvider } from "./credentials.ts";
import { redacted } from "./redaction.ts";
import { CredentialsProviderError } from "./errors.ts";

type Values = Readonly<Record<string, unknown>>;

/** How a value is checked: which values are valid, and how a message describes them. */
export interface Rule<T> {
  /** Returns the value, normalized if needed; `undefined` if it is not valid. */
  readonly accept: (value: unknown) => T | undefined;
  /** Which values are valid, for messages. */
  readonly expected: string;
  /** For an object: the rules of its own options. */
  readonly fields?: Rules;
}

/** Rules by option name. */
export type Rules = Readonly<Record<string, Rule<unknown>>>;

/** The longest time that timers accept. */
const MAX_TIME_LIMIT_MS = 2 ** 31 - 1;

/** Accepts every value: the provider checks it. */
export const ANY: Rule<unknown> = rule("anything", () => true);
export const BOOLEAN: Rule<boolean> = rule("true or false", (value) => typeof value === "boolean");
export const OBJECT: Rule<object> = rule("an object", (value) => typeof value === "object" && value !== null);
export const FUNCTION: Rule<unknown> = rule("a function", (value) => typeof value === "function");
export const MILLISECONDS: Rule<number> = rule("a number of milliseconds > 0", (value) => isNumber(value) && value > 0);
export const MILLISECONDS_OR_INFINITY: Rule<number> = rule(
  "a number of milliseconds > 0 or Infinity",
  (value) => value === Infinity || (isNumber(value) && value > 0),
);
export const MILLISECONDS_OR_ZERO: Rule<number> = rule(
  "a number of milliseconds >= 0",
  (value) => isNumber(value) && value >= 0,
);
export const SECONDS_OR_ZERO: Rule<number> = rule("a number of seconds >= 0", (value) => isNumber(value) && value >= 0);
export const NUMBER: Rule<number> = rule("a number", isNumber);
export const FRACTION: Rule<number> = rule(
  "a number from 0 to 1",
  (value) => isNumber(value) && value >= 0 && value <= 1,
);
export const SECONDS: Rule<number> = rule("a number of seconds > 0", (value) => isNumber(value) && value > 0);
export const ENDPOINT: Rule<string> = {
  accept: (value) => typeof value === "string" ? normalEndpoint(value) : undefined,
  expected: "an absolute http: or https: URL without user info, query and fragment",
};
/** For functions: {@linkcode validSource} handles objects. */
const PROVIDER: Rule<ForeignProvider> = rule(
  "a function, or an object with a function retrieve()",
  (value) => typeof value === "function",
);
export const STRING: Rule<string> = rule(
  "a string that is not blank",
  (value) => typeof value === "string" && value.trim() !== "",
);
export const ANY_STRING: Rule<string> = rule("a string", (value) => typeof value === "string");
export const COMMAND: Rule<string | readonly string[]> = rule(
  "a string or an array of strings",
  (value) => typeof value === "string" || (Array.isArray(value) && value.every((word) => typeof word === "string")),
);
export const VARIABLES: Rule<Readonly<Record<string, string>>> = rule(
  "an object of strings",
  (value) =>
    OBJECT.accept(value) !== undefined && Object.values(value as object).every((text) => typeof text === "string"),
);

/** The options of every provider. */
export const COMMON_RULES: Rules = {
  logger: rule("an object or null", (value) => typeof value === "object"),
  // AWS SDK v3 passes the configuration of its client; `runtime` is a string there, such as "node", and is ignored.
  runtime: rule("an object", (value) => typeof value === "string" || (typeof value === "object" && value !== null)),
};

// @__NO_SIDE_EFFECTS__
export function integer(low: number, high: number = Number.MAX_SAFE_INTEGER): Rule<number> {
  const expected = high === Number.MAX_SAFE_INTEGER ? `an integer >= ${low}` : `an integer from ${low} to ${high}`;
  return rule(expected, (value) => Number.isSafeInteger(value) && Number(value) >= low && Number(value) <= high);
}

// @__NO_SIDE_EFFECTS__
export function oneOf<T extends string>(...values: readonly T[]): Rule<T> {
  return rule(values.map((value) => `"${value}"`).join(" or "), (value) => values.includes(value as T));
}

/** A rule for an object; `sets` are the rules of its options. */
// @__NO_SIDE_EFFECTS__
export function objectOf(...sets: readonly Rules[]): Rule<object> {
  return { ...OBJECT, fields: Object.assign({}, ...sets) };
}

/**
 * A rule that rejects every value, for an option of AWS SDK v3 that this library does not have: if the option were
 * ignored, other credentials could be used.
 */
// @__NO_SIDE_EFFECTS__
export function unsupported(reason: string): Rule<never> {
  return rule(`left out (${reason})`, () => false);
}

/** A time limit as timers accept it: whole milliseconds, rounded up, at most 2³¹ − 1. `Infinity` is not changed. */
export function timeLimitMs(ms: number): number {
  return ms === Infinity ? ms : Math.min(Math.ceil(ms), MAX_TIME_LIMIT_MS);
}

/**
 * Checks the options of the caller, before anything is read or sent.
 *
 * @param what The name of the object that the options are for, in messages.
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the option and its valid values.
 */
export function checkOptions(what: string, options: object, rules: Rules): void {
  validated(`create the ${what}`, "options", OBJECT, options);
  checkFields(`create the ${what}`, "", options as Values, rules);
}

function checkFields(action: string, prefix: string, values: Values, rules: Rules): void {
  for (const [name, rule] of Object.entries(rules)) {
    const value = values[name];
    if (value === undefined) continue;
    validated(action, prefix + name, rule, value);
    if (rule.fields !== undefined) checkFields(action, `${prefix}${name}.`, value as Values, rule.fields);
  }
}

/** The options that have a rule and are not `undefined`, to pass them from one provider to another. */
export function knownOptions<T extends object>(options: T | undefined, ...sets: readonly Rules[]): Partial<T> {
  const rules: Rules = Object.assign({}, ...sets);
  const given = Object.entries(options ?? {}).flatMap(([name, value]) => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined || value === undefined) return [];
    return [[name, rule.fields === undefined ? value : knownOptions(value as object, rule.fields)]];
  });
  return Object.fromEntries(given) as Partial<T>;
}

/**
 * Returns the value, as the rule accepts it.
 *
 * @throws {CredentialsProviderError} `ConfigurationError`, naming the setting and its valid values.
 */
export function validated<T>(action: string, name: string, { accept, expected }: Rule<T>, value: unknown): T {
  const result = accept(value);
  if (result !== undefined) return result;
  throw new CredentialsProviderError(
    "ConfigurationError",
    `Cannot ${action}: ${name} must be ${expected}, received ${description(value)}`,
    { hint: `Correct ${name}, or remove it if it is optional.` },
  );
}

/** The annotation tells bundlers that a call only creates an object: they remove a rule that is not used. */
// @__NO_SIDE_EFFECTS__
function rule<T>(expected: string, isValid: (value: unknown) => boolean): Rule<T> {
  return { accept: (value) => isValid(value) ? value as T : undefined, expected };
}

/** The URL without a trailing slash, so that paths can be appended. */
function normalEndpoint(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, username, password, search, hash, origin, pathname } = new URL(text);
  if ((protocol !== "http:" && protocol !== "https:") || username + password + search + hash !== "") return undefined;
  return origin + pathname.replace(/\/$/, "");
}

/** Strings are described, not quoted: a URL may hold a password, and a secret may be in the wrong place. */
function description(value: unknown): string {
  if (typeof value === "string") {
    return value.trim() === "" ? "a blank string" : `a string of length ${value.length}`;
  }
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : `${value}`;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/**
 * Returns the provider if it is an object with `retrieve()`, or an object that calls it if it is a function.
 *
 * @throws {CredentialsProviderError} `ConfigurationError` if it is neither.
 */
export function validSource(what: string, provider: CredentialsSource | ForeignProvider): CredentialsSource {
  const isSource = typeof (provider as Partial<CredentialsSource> | null | undefined)?.retrieve === "function";
  if (isSource) return provider as CredentialsSource;
  return { retrieve: validated(`create the ${what}`, "provider", PROVIDER, provider) };
}

/**
 * A checked copy of credentials that may come from another library; without `source` it gets "custom". The fields are
 * read by name, because they may be getters, or not enumerable.
 *
 * @throws {CredentialsProviderError} `InvalidCredentials` if a key is missing or a field has the wrong type.
 */
export function validCredentials(credentials: ForeignCredentials): Credentials {
  const fields: Partial<ForeignCredentials> = credentials ?? {};
  const { accessKeyId, secretAccessKey, sessionToken, accountId, originalExpiration, source } = fields;
  const expiration = fields.expiration ?? fields.expireTime;
  if (!isNonEmptyString(accessKeyId) || !isNonEmptyString(secretAccessKey)) {
    throw invalid("accessKeyId or secretAccessKey is missing, empty or not a string");
  }
  return redacted({
    accessKeyId,
    secretAccessKey,
    sessionToken: optionalString("sessionToken", sessionToken),
    expiration: optionalDate("expiration", expiration),
    accountId: optionalString("accountId", accountId),
    originalExpiration: optionalDate("originalExpiration", originalExpiration),
    source: isNonEmptyString(source) ? source : "custom",
  });
}

/** The string; `undefined` if the field is absent or empty. */
function optionalString(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (!isNonEmptyString(value)) throw invalid(`${name} is not a string`);
  return value;
}

/**
 * Tests `getTime`, because `instanceof Date` is false for a `Date` of another realm, such as that of a `vm` context.
 */
function optionalDate(name: string, value: Date | null | undefined): Date | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value.getTime !== "function" || !isNumber(value.getTime())) throw invalid(`${name} is not a valid Date`);
  return value;
}

const ACCESS_KEY_ID_REGEXP = /^[A-Za-z0-9_]{4,128}$/;
const PRINTABLE_ASCII_REGEXP = /^[\x20-\x7e]*$/;

/**
 * Returns the credentials if their access key id and account id have no unexpected characters: both are shown in
 * terminals and logs.
 *
 * @param invalid Creates the error to throw, from the reason.
 */
export function withValidIds(
  credentials: Credentials,
  invalid: (state: string) => CredentialsProviderError,
): Credentials {
  const { accessKeyId, accountId = "" } = credentials;
  if (!ACCESS_KEY_ID_REGEXP.test(accessKeyId)) {
    throw invalid("its access key id is not 4 to 128 letters, digits and underscores");
  }
  if (!PRINTABLE_ASCII_REGEXP.test(accountId)) throw invalid("its account id is not printable ASCII");
  return credentials;
}

/** The error for credentials that were expired when they were retrieved. */
export function expiredError(): CredentialsProviderError {
  return new CredentialsProviderError(
    "ExpiredCredentialsError",
    "Cannot use the credentials: they were expired when they arrived",
    { hint: "Check the clock of this machine, then the program or service that the credentials are from." },
  );
}

function isNonEmptyString(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function invalid(state: string): CredentialsProviderError {
  return new CredentialsProviderError("InvalidCredentials", `Cannot use the credentials: ${state}`, {
    hint: "The provider must return accessKeyId and secretAccessKey, and a Date as expiration if there is one.",
  });
}
