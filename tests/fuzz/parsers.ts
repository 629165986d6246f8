import fc from "fast-check";
import { parseIni } from "../../lib/config/ini.ts";
import { parseSharedConfig } from "../../lib/config/profile.ts";
import { parseContainerCredentials, parseContainerFailure } from "../../lib/container/document.ts";
import { parseImdsCredentials, parseRoleList } from "../../lib/imds/document.ts";
import { grantedToken } from "../../lib/imds/token.ts";
import { parseJsonObject } from "../../lib/json_object.ts";
import { parseNewLoginToken } from "../../lib/login/document.ts";
import { importEcKey } from "../../lib/login/ec_key.ts";
import { parseLoginToken, withNewLogin } from "../../lib/login/token_file.ts";
import { parseProcessCredentials } from "../../lib/process/document.ts";
import { parseNewSsoToken, parseRoleCredentials } from "../../lib/sso/document.ts";
import { parseSsoToken, withNewToken } from "../../lib/sso/token_file.ts";
import { parseStsCredentials, parseStsFailure } from "../../lib/sts/response.ts";
import { parseXml } from "../../lib/sts/xml.ts";
import { parseTimestamp } from "../../lib/timestamp.ts";
import { readTable } from "../support/tables.ts";
import { CANARY, damaged, replaced } from "./inputs.ts";

/** A parser, and texts that it accepts or nearly accepts. Secrets come first: a cut cannot turn one into an error code. */
export interface Parser {
  readonly inputs: fc.Arbitrary<string>;
  readonly parse: (text: string) => unknown;
}

const NOW = Date.parse("2026-01-01T00:00:00Z");
const EXPIRATION = "2026-01-01T06:00:00Z";
const ROLE_ARN = "arn:aws:iam::123456789012:role/app";
const SECRETS = { SecretAccessKey: `${CANARY}-key`, Token: `${CANARY}-token` };
const ROLE = { ...SECRETS, AccessKeyId: "ASIAEXAMPLE", Expiration: EXPIRATION, Type: "AWS-HMAC", Code: "Success" };
const PROCESS = {
  SecretAccessKey: `${CANARY}-key`,
  SessionToken: `${CANARY}-token`,
  AccessKeyId: "ASIAEXAMPLE",
  Expiration: EXPIRATION,
  Version: 1,
};
const SSO_TOKEN = {
  accessToken: `${CANARY}-token`,
  refreshToken: `${CANARY}-refresh`,
  clientSecret: `${CANARY}-client`,
  clientId: "client",
  expiresAt: EXPIRATION,
  registrationExpiresAt: EXPIRATION,
  expiresIn: 28_800,
};
const KEYS = { secretAccessKey: `${CANARY}-key`, sessionToken: `${CANARY}-token`, accessKeyId: "ASIAEXAMPLE" };
const LOGIN_TOKEN = {
  accessToken: { ...KEYS, accountId: "123456789012", expiresAt: EXPIRATION },
  refreshToken: `${CANARY}-refresh`,
  dpopKey: `${CANARY}-dpop`,
  clientId: "client",
  expiresIn: 900,
};
const INI =
  `[default]\naws_secret_access_key = ${CANARY}\n s3 =\n  a = b\n# comment\n[profile "a b"]\nregion = eu-west-1\n` +
  `[sso-session x]\nsso_region = eu-west-1 # note\n[services y]\nsts =\n  endpoint_url = http://localhost\n`;
const XML =
  `<?xml version="1.0"?><AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>` +
  `<Credentials><SecretAccessKey>${CANARY}-key</SecretAccessKey><SessionToken>${CANARY}&amp;&#x41;</SessionToken>` +
  `<AccessKeyId>ASIAEXAMPLE</AccessKeyId><Expiration>${EXPIRATION}</Expiration></Credentials><!-- a --><AssumedRoleUser>` +
  `<Arn>arn:aws:sts::123456789012:assumed-role/app/s</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>`;
const PEMS = readTable<{ readonly name: string; readonly pem: string }>("ec_private_keys").map(({ pem }) => pem);

/** Damage to the text of an object, and changes of its values. */
function json(document: Readonly<Record<string, unknown>>): fc.Arbitrary<string> {
  return fc.oneof(damaged(JSON.stringify(document), JSON.stringify(document, undefined, 2)), replaced(document));
}

export const PARSERS: Readonly<Record<string, Parser>> = {
  "sections of a shared config file": {
    inputs: damaged(INI),
    parse: (text) => parseIni({ text, kind: "config file", path: undefined }),
  },
  "shared config files": {
    inputs: damaged(INI),
    parse: (text) => parseSharedConfig({ config: text, credentials: text }),
  },
  "IMDS documents": { inputs: json(ROLE), parse: parseImdsCredentials },
  "IMDS role lists": { inputs: damaged("web-server\n"), parse: parseRoleList },
  "IMDS session tokens": { inputs: damaged(CANARY), parse: (text) => grantedToken(text, text, NOW) },
  "container documents": { inputs: json(ROLE), parse: parseContainerCredentials },
  "container failures": {
    inputs: damaged(`{"code":"X","message":"y"}`, "[id]: (Code): m"),
    parse: parseContainerFailure,
  },
  "process documents": { inputs: json(PROCESS), parse: parseProcessCredentials },
  "process documents with escaped quotes": {
    inputs: damaged(JSON.stringify(PROCESS).replaceAll('"', '\\"')),
    parse: (text) => parseProcessCredentials(text, { repairQuotes: true }),
  },
  "STS credentials": { inputs: damaged(XML), parse: (text) => parseStsCredentials(text, "AssumeRole", ROLE_ARN) },
  "STS failures": {
    inputs: damaged("<ErrorResponse><Error><Code>A</Code></Error></ErrorResponse>", `{"__type":"a#B","message":"c"}`),
    parse: parseStsFailure,
  },
  "XML": { inputs: damaged(XML), parse: parseXml },
  "JSON objects": { inputs: json(ROLE), parse: parseJsonObject },
  "timestamps": { inputs: damaged(EXPIRATION, "2026-02-28T23:59:59.999999+23:59"), parse: parseTimestamp },
  "SSO token files": { inputs: json(SSO_TOKEN), parse: parseSsoToken },
  "new SSO tokens": {
    inputs: json(SSO_TOKEN),
    parse: (text) => parseSsoToken(withNewToken(JSON.stringify(SSO_TOKEN), parseNewSsoToken(text), NOW)),
  },
  "SSO role credentials": {
    inputs: replaced({ ...KEYS, expiration: NOW }).map((text) => `{"roleCredentials":${text}}`),
    parse: (text) => parseRoleCredentials(text, "123456789012").expiration?.toISOString(),
  },
  "login files": { inputs: json(LOGIN_TOKEN), parse: parseLoginToken },
  "new logins": {
    inputs: json(LOGIN_TOKEN),
    parse: (text) => parseLoginToken(withNewLogin(JSON.stringify(LOGIN_TOKEN), parseNewLoginToken(text), NOW)),
  },
  "EC keys": { inputs: damaged(...PEMS), parse: importEcKey },
};
