import { createHash } from "node:crypto";
import { LoginEmulator, type LoginEmulatorOptions } from "../../lib/testing/login.ts";
import { SsoEmulator, type SsoEmulatorOptions } from "../../lib/testing/sso.ts";
import { FakeRuntime } from "./fake_runtime.ts";

export const LOGIN_SESSION = "arn:aws:iam::123456789012:user/Admin";

/** What the AWS CLI writes into `~/.aws/config`. */
export const CONFIG = `
[profile dev]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Developer
region = eu-west-1

[profile ops]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Operator

[sso-session corp]
sso_region = eu-central-1
sso_start_url = https://d-1234567890.awsapps.com/start
sso_registration_scopes = sso:account:access

[profile old]
sso_start_url = https://old.awsapps.com/start
sso_region = us-west-2
sso_account_id = 123456789012
sso_role_name = Developer

[profile tokens]
sso_session = corp

[profile signed-in]
login_session = ${LOGIN_SESSION}
region = eu-west-1
`;

/** The path of a session's file under a home directory. */
export function ssoTokenPath(session: string, home = "/home/me"): string {
  return `${home}/.aws/sso/cache/${createHash("sha1").update(session).digest("hex")}.json`;
}

/** The path of a login's file under a home directory. */
export function loginPath(session: string = LOGIN_SESSION, home = "/home/me"): string {
  return `${home}/.aws/login/cache/${createHash("sha256").update(session).digest("hex")}.json`;
}

/** A machine without a world, with the config of someone who signs in with SSO and with `aws login`. */
export class Laptop extends FakeRuntime {
  readonly sso: SsoEmulator;
  readonly login: LoginEmulator;
  readonly logged: string[] = [];
  readonly logger: { readonly warn: (message: string) => void } = { warn: (line) => void this.logged.push(line) };

  constructor(options: { readonly sso?: SsoEmulatorOptions; readonly login?: LoginEmulatorOptions } = {}) {
    super({ HOME: "/home/me" });
    this.files["/home/me/.aws/config"] = CONFIG;
    const roles = { "123456789012": ["Developer", "Operator"] };
    this.sso = new SsoEmulator({ roles, runtime: this, ...options.sso });
    this.login = new LoginEmulator({ runtime: this, ...options.login });
    this.answer = (url, init) => url.includes("signin") ? this.login.fetch(url, init) : this.sso.fetch(url, init);
  }

  /** The fields of the JSON in a file. */
  json(path: string): Record<string, unknown> {
    return JSON.parse(`${this.files[path]}`);
  }

  /** Changes fields of the JSON in a file; `undefined` removes one. */
  change(path: string, fields: Record<string, unknown>): void {
    this.files[path] = JSON.stringify({ ...this.json(path), ...fields });
  }
}
