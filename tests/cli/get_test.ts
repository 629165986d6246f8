import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { execFileSync } from "node:child_process";
import process from "node:process";
import fc from "fast-check";
import { shellCommands } from "../../lib/cli/shells.ts";
import { ImdsEmulator } from "../../lib/testing/mod.ts";
import { itWith } from "../support/cli.ts";
import { FakeTerminal } from "../support/fake_terminal.ts";
import { describeOnPosix } from "../support/processes.ts";

function onInstance(emulator: ImdsEmulator, variables: Record<string, string> = {}): FakeTerminal {
  const terminal = new FakeTerminal(variables);
  terminal.runtime.answer = emulator.fetch;
  return terminal;
}

function withProfiles(config: string, variables: Record<string, string> = {}): FakeTerminal {
  const terminal = new FakeTerminal({ AWS_CONFIG_FILE: "/config", AWS_EC2_METADATA_DISABLED: "true", ...variables });
  terminal.runtime.files["/config"] = config;
  return terminal;
}

const KEYS = "aws_access_key_id = AKIADEV\naws_secret_access_key = CANARY-secret\n";

describe("rolecreds get", () => {
  it("prints a credential_process document, when the output is not a terminal", async () => {
    const terminal = new FakeTerminal();
    terminal.runtime.answer = new ImdsEmulator({ runtime: terminal.runtime }).fetch;
    assertEquals([await terminal.run("get"), terminal.stderr], [0, ""]);
    assertEquals(JSON.parse(terminal.stdout), {
      Version: 1,
      AccessKeyId: "ASIAEMULATED00000002",
      SecretAccessKey: "emulated-secret-access-key-2",
      SessionToken: "emulated-session-token-2",
      Expiration: "2026-01-01T06:00:00.000Z",
    });
  });

  it("prints a summary without secrets, on a terminal", async () => {
    const terminal = onInstance(new ImdsEmulator());
    terminal.stdoutIsTerminal = true;
    assertEquals([await terminal.run("get"), terminal.stderr], [0, ""]);
    const rows = terminal.stdout.split("\n").map((line) => line.split(/\s{2,}/));
    assertEquals(rows.map(([name]) => name), ["source", "access key id", "secret access key", "expiration", "account"]);
    assertEquals(rows[0], ["source", "EC2RoleProvider"]);
    assertFalse(/emulated-secret|emulated-session/.test(terminal.stdout));
  });

  it("prints secrets on a terminal when a format is named", async () => {
    const terminal = withProfiles(`[profile dev]\n${KEYS}`);
    terminal.stdoutIsTerminal = true;
    await terminal.run("get", "--profile", "dev", "--format", "json");
    const { accessKeyId, secretAccessKey, source } = JSON.parse(terminal.stdout);
    assertEquals([accessKeyId, secretAccessKey, source], ["AKIADEV", "CANARY-secret", "ProfileProvider"]);
  });

  it("uses the default chain, and only the source that is named", async () => {
    const terminal = onInstance(new ImdsEmulator(), { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "s" });
    for (const args of [[], ["--source=default"], ["--source=env"], ["--source=imds"]]) {
      assertEquals(await terminal.run("get", ...args), 0);
    }
    const ids = terminal.printed.map((document) => JSON.parse(document).AccessKeyId);
    assertEquals(ids, ["AKIAENV", "AKIAENV", "AKIAENV", "ASIAEMULATED00000002"]);
  });

  it("requests from a container endpoint, with --source container", async () => {
    const terminal = new FakeTerminal({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/id" });
    const document = { AccessKeyId: "ASIATASK", SecretAccessKey: "s", Token: "t", Expiration: "2030-01-01T00:00:00Z" };
    terminal.runtime.answer = (url) => {
      assertEquals(url, "http://169.254.170.2/v2/credentials/id");
      return Promise.resolve(Response.json(document));
    };
    assertEquals(await terminal.run("get", "--source", "container"), 0);
    assertEquals(JSON.parse(terminal.stdout).AccessKeyId, "ASIATASK");
  });

  it("runs the program after --, with --source process", async () => {
    const terminal = new FakeTerminal();
    const commands: (readonly string[])[] = [];
    terminal.runtime.spawn = (command) => {
      commands.push(command);
      const stdout = new TextEncoder().encode('{"Version":1,"AccessKeyId":"AKIAPROC","SecretAccessKey":"s"}');
      return Promise.resolve({ kind: "exited", exitCode: 0, stdout });
    };
    assertEquals(await terminal.run("get", "--source", "process", "--", "helper", "--help"), 0);
    assertEquals([JSON.parse(terminal.stdout).AccessKeyId, commands], ["AKIAPROC", [["helper", "--help"]]]);
  });

  it("assumes --role-arn with the credentials of the source, in the region", async () => {
    const terminal = withProfiles(`[profile dev]\nregion = eu-central-1\n${KEYS}`);
    const requests: string[] = [];
    terminal.runtime.answer = (url, init) => {
      requests.push(`${url} ${new Headers(init.headers).get("authorization")?.split(",")[0]}`);
      return Promise.resolve(new Response(assumeRoleResponse("ASIAROLE")));
    };
    const role = "arn:aws:iam::123456789012:role/deploy";
    for (const region of [[], ["--region", "us-west-2"]]) {
      assertEquals(await terminal.run("get", "--profile", "dev", "--role-arn", role, ...region), 0);
    }
    assertEquals(JSON.parse(terminal.printed[0] ?? "").AccessKeyId, "ASIAROLE");
    const scope = (region: string) => `AWS4-HMAC-SHA256 Credential=AKIADEV/20260101/${region}/sts/aws4_request`;
    assertEquals(requests, [
      `https://sts.eu-central-1.amazonaws.com/ ${scope("eu-central-1")}`,
      `https://sts.us-west-2.amazonaws.com/ ${scope("us-west-2")}`,
    ]);
  });

  it("fails where the credentials expire before --min-lifetime", async () => {
    for (const [seconds, exitCode] of [[3_600, 0], [3_601, 1]] as const) {
      const terminal = new FakeTerminal();
      const { runtime } = terminal;
      runtime.answer = new ImdsEmulator({ runtime, lifetimeSeconds: 3_600 }).fetch;
      assertEquals(await terminal.run("get", "--min-lifetime", `${seconds}`), exitCode);
      if (exitCode === 0) continue;
      assertEquals(terminal.stdout, "");
      assert(terminal.stderr.includes("they expire in 3600 seconds, and --min-lifetime is 3601"), terminal.stderr);
    }
  });

  it("fails with --min-lifetime where the source has only expired credentials", async () => {
    const terminal = new FakeTerminal();
    const { runtime } = terminal;
    const emulator = new ImdsEmulator({
      runtime: { ...runtime, now: () => runtime.time - 7_200_000 },
      lifetimeSeconds: 3_600,
    });
    runtime.answer = emulator.fetch;
    assertEquals([await terminal.run("get"), terminal.stdout === ""], [0, false]);
    assertEquals(await terminal.run("get", "--min-lifetime", "1"), 1);
    assert(terminal.stderr.includes("they are expired, and --min-lifetime is 1"), terminal.stderr);
  });

  it("says first that it emulates, and keeps the document clean", async () => {
    const text = new FakeTerminal({ AWS_EC2_METADATA_DISABLED: "true" });
    Object.assign(text.runtime, realNetwork());
    assertEquals(await text.run("get", "--emulate", "--format", "text"), 0);
    assert(text.stdout.startsWith("Emulated: ") && text.stderr === "", text.stdout + text.stderr);
    const json = new FakeTerminal();
    Object.assign(json.runtime, realNetwork());
    assertEquals(await json.run("get", "--emulate"), 0);
    assertEquals(JSON.parse(json.stdout).Version, 1);
    assert(json.stderr.startsWith("Emulated: "), json.stderr);
  });

  it("asks for an MFA code on a terminal, without showing it", async () => {
    const config = `[profile mfa]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = dev\n` +
      `mfa_serial = arn:aws:iam::1:mfa/me\nregion = eu-west-1\n[profile dev]\n${KEYS}`;
    const terminal = withProfiles(config);
    terminal.stdinIsTerminal = terminal.stderrIsTerminal = true;
    let body = "";
    terminal.runtime.answer = (_url, init) => {
      body = `${init.body}`;
      return Promise.resolve(new Response(assumeRoleResponse("ASIAMFA")));
    };
    assertEquals([await terminal.run("get", "--profile", "mfa"), terminal.stderr], [0, ""]);
    assertEquals(terminal.questions, ["MFA code of arn:aws:iam::1:mfa/me: "]);
    assert(body.includes("TokenCode=123456"), body);
    assertFalse(terminal.stdout.includes("123456"));
  });

  it("fails with MfaCodeError and the remedy, where no terminal can ask", async () => {
    const config = `[profile mfa]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = dev\n` +
      `mfa_serial = arn:aws:iam::1:mfa/me\nregion = eu-west-1\n[profile dev]\n${KEYS}`;
    for (const [stdin, stderr] of [[false, false], [true, false], [false, true]] as const) {
      const terminal = withProfiles(config);
      Object.assign(terminal, { stdinIsTerminal: stdin, stderrIsTerminal: stderr });
      assertEquals([await terminal.run("get", "--profile", "mfa"), terminal.stdout, terminal.questions], [1, "", []]);
      assert(terminal.stderr.startsWith("error  MfaCodeError\n"), terminal.stderr);
      assert(terminal.stderr.includes("\nhint   Run this command on a terminal"), terminal.stderr);
    }
  });

  it("prints code, what was tried, a line for each provider and the hint, when there are no credentials", async () => {
    const terminal = withProfiles("");
    assertEquals([await terminal.run("get"), terminal.stdout], [1, ""]);
    const labels = terminal.stderr.split("\n").map((line) => line.slice(0, 7).trim());
    assertEquals(labels, ["error", "state", "-", "-", "-", "-", "-", "hint"]);
    assert(terminal.stderr.includes("\n-      ImdsDisabled: "), terminal.stderr);
  });

  it("prints the code of one source, without a secret of the options", async () => {
    const terminal = onInstance(new ImdsEmulator({ role: null }));
    await terminal.run("get", "--source", "imds");
    assertEquals(terminal.stderr.split("\n"), [
      "error  ImdsNoRole",
      "state  Cannot get credentials: IMDS returned 404, no EC2 IMDS role found",
      "hint   Attach an IAM role to the instance (an instance profile): its credentials are available within seconds.",
    ]);
    const wrong = new FakeTerminal();
    assertEquals(await wrong.run("get", "--endpoint", "http://user:CANARY@host"), 1);
    assert(wrong.stderr.includes("ConfigurationError") && !wrong.stderr.includes("CANARY"), wrong.stderr);
  });

  it("prints no secret and no control character of a source that fails", async () => {
    const terminal = withProfiles("[profile dev]\ncredential_process = helper CANARY\n");
    const stdout = new TextEncoder().encode('{"Version":1,"AccessKeyId":"CANARY\x1b[2J');
    terminal.runtime.spawn = () => Promise.resolve({ kind: "exited", exitCode: 0, stdout });
    assertEquals(await terminal.run("get", "--profile", "dev"), 1);
    const missing = withProfiles("");
    assertEquals(await missing.run("get", "--profile", "\x1b[2J\u2028\u202ename"), 1);
    for (const { stderr } of [terminal, missing]) {
      assert(/^error {2}\w+\n/.test(stderr), stderr);
      assertFalse(/CANARY/.test(stderr) || hasControls(stderr), stderr);
    }
  });
});

describe("rolecreds get --format env", () => {
  const DEV = `[profile dev]\nregion = eu-west-1\n${KEYS}`;

  it("sets keys and region, and removes what names other credentials, where it is set", async () => {
    const terminal = withProfiles(DEV, { AWS_PROFILE: "dev", AWS_SESSION_TOKEN: "old" });
    assertEquals(await terminal.run("get", "--source", "profile", "--format", "env"), 0);
    assertEquals(terminal.stdout.split("\n"), [
      "export AWS_ACCESS_KEY_ID='AKIADEV'",
      "export AWS_SECRET_ACCESS_KEY='CANARY-secret'",
      "unset AWS_SESSION_TOKEN",
      "export AWS_REGION='eu-west-1'",
      "export AWS_DEFAULT_REGION='eu-west-1'",
      "unset AWS_PROFILE",
    ]);
  });

  it("speaks the language of each shell", async () => {
    const first = [];
    for (const shell of ["env", "fish", "powershell"]) {
      const terminal = withProfiles(DEV.replace("AKIADEV", "AKIA'\\$(x)"));
      await terminal.run("get", "--profile", "dev", "--format", shell);
      first.push(terminal.stdout.split("\n")[0]);
    }
    assertEquals(first, [
      String.raw`export AWS_ACCESS_KEY_ID='AKIA'\''\$(x)'`,
      String.raw`set -gx AWS_ACCESS_KEY_ID 'AKIA\'\\$(x)'`,
      String.raw`$Env:AWS_ACCESS_KEY_ID = 'AKIA''\$(x)'`,
    ]);
  });

  it("prints no control characters on a terminal, and says why", async () => {
    for (const [stdoutIsTerminal, exitCode] of [[true, 1], [false, 0]] as const) {
      const terminal = withProfiles(DEV.replace("CANARY", "CANARY\x1b[2J\x9b"));
      terminal.stdoutIsTerminal = stdoutIsTerminal;
      assertEquals(await terminal.run("get", "--profile", "dev", "--format", "env"), exitCode);
      assertEquals(hasControls(terminal.stdout), !stdoutIsTerminal);
      assertFalse(terminal.stderr.includes("CANARY"), terminal.stderr);
    }
  });

  it("escapes control characters in JSON", async () => {
    for (const format of ["json", "process"]) {
      const terminal = withProfiles(DEV.replace("CANARY", "CANARY\x1b\x9b\u2028\u202e\u{1f511}"));
      assertEquals(await terminal.run("get", "--profile", "dev", "--format", format), 0);
      assertFalse(hasControls(terminal.stdout), terminal.stdout);
      const { SecretAccessKey, secretAccessKey = SecretAccessKey } = JSON.parse(terminal.stdout);
      assertEquals(secretAccessKey, "CANARY\x1b\x9b\u2028\u202e\u{1f511}-secret");
    }
  });
});

describeOnPosix("shellCommands()", () => {
  const hostile = fc.constantFrom(..."'\"\\$`!*?~#&;|<>(){}[] \t\n\r=-%\x01\x1b\x7fé\u2019\u{1f511}ab");
  const shells = [["env", "sh"], ["env", "bash"], ["env", "zsh"], ["fish", "fish"]] as const;
  for (const [format, program] of shells) {
    itWith(program)(`keeps every value, when a real ${program} evaluates it`, () => {
      fc.assert(
        fc.property(fc.array(fc.oneof(fc.string({ unit: hostile }), fc.string()), { minLength: 1 }), (values) => {
          const variables = Object.fromEntries(values.map((value, index) => [`V${index}`, value]));
          const names = Object.keys(variables).map((name) => `"$${name}"`).join(" ");
          const script = `${shellCommands(format, variables, () => false)}\nprintf '%s\\0' ${names}`;
          const env = { HOME: "/nonexistent", PATH: process.env["PATH"], LC_ALL: "C.UTF-8" };
          const printed = execFileSync(program, ["-c", script], { env, encoding: "utf8" });
          assertEquals(printed.split("\0").slice(0, -1), values);
        }),
        { numRuns: 40 },
      );
    });
  }

  it("removes variables, when a real sh evaluates it", () => {
    const script = `${shellCommands("env", { GONE: undefined, KEPT: undefined }, (name) => name === "GONE")}\nenv`;
    const printed = execFileSync("sh", ["-c", script], { env: { PATH: "/usr/bin:/bin", GONE: "1", KEPT: "1" } });
    assertEquals([...`${printed}`.matchAll(/^(GONE|KEPT)=/gm)].map(([, name]) => name), ["KEPT"]);
  });
});

it("shellCommands() doubles each quote that PowerShell knows", () => {
  const value = "a'b\u2018c\u2019d\u201ae\u201bf\"g";
  const expected = "$Env:V = 'a''b\u2018\u2018c\u2019\u2019d\u201a\u201ae\u201b\u201bf\"g'";
  assertEquals(shellCommands("powershell", { V: value }, () => true), expected);
});

function hasControls(text: string): boolean {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text.replaceAll("\n", ""));
}

function realNetwork(): { readonly answer: (url: string, init: RequestInit) => Promise<Response> } {
  return { answer: (url, init) => fetch(url, init) };
}

function assumeRoleResponse(accessKeyId: string): string {
  return `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId>
    <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>
    </Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}
