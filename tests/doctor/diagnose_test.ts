import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { CredentialsProviderError, diagnose, type DiagnoseOptions } from "../../mod.ts";
import { RequestNotSentError } from "../../lib/errors.ts";
import {
  EcsEmulator,
  EksEmulator,
  ImdsEmulator,
  type ImdsEmulatorOptions,
  type ImdsFault,
  type ImdsStep,
  type RoleDocument,
  StsEmulator,
} from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { findingsOf } from "../support/findings.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly home?: null;
  /** The claims of the token in the file `/token`. */
  readonly jwt?: object;
  readonly options?: DiagnoseOptions;
  readonly imdsOptions?: ImdsEmulatorOptions;
  readonly document?: RoleDocument;
  /** What happens to requests to IMDS. */
  readonly imds?: ImdsFault;
  readonly on?: ImdsStep;
  readonly times?: number;
  /** Findings that are among others, in this order: the check, the status, and words. */
  readonly finds: readonly (readonly [check: string, status: string, ...says: readonly string[]])[];
  readonly lacks?: string;
  readonly credentials: "ok" | "failure";
}

/** A machine with all services of AWS. */
function setUp({ env, files, home, jwt, imdsOptions, document, imds: fault, on, times = Infinity }: Partial<Row>) {
  const runtime = new FakeRuntime({ ...env });
  runtime.home = home === null ? undefined : "/home/me";
  Object.assign(runtime.files, files);
  const token = jwtOf(jwt ?? {});
  if (jwt !== undefined) runtime.files["/token"] = token;
  const imds = new ImdsEmulator({ runtime, ...imdsOptions });
  if (document !== undefined) imds.document = document;
  if (fault !== undefined) imds.inject(fault, { times, ...(on === undefined ? {} : { on }) });
  const services = new Map<string, Pick<ImdsEmulator, "fetch">>([
    ["169.254.169.254", imds],
    ["169.254.170.2", new EcsEmulator({ runtime })],
    ["169.254.170.23", new EksEmulator({ runtime, tokens: [token] })],
  ]);
  const sts = new StsEmulator({ runtime, credentialsFrom: [imds], acceptToken: () => true });
  runtime.answer = (url, init) => (services.get(new URL(url).hostname) ?? sts).fetch(url, init);
  return { runtime, imds };
}

function jwtOf(claims: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}.canary`;
}

describe("diagnose()", () => {
  for (const { finds, credentials, options = {}, lacks, ...row } of readTable<Row>("doctor_situations")) {
    it(`explains ${row.name}`, async () => {
      const { runtime } = setUp(row);
      const findings = await findingsOf({ ...options, runtime });
      const shown = findings.map(({ check, status, message, hint }) => `${check} ${status}: ${message} -> ${hint}`);
      let from = 0;
      for (const [check, status, ...says] of finds) {
        const index = shown.findIndex((text, index) =>
          index >= from && text.startsWith(`${check} ${status}: `) && says.every((part) => text.includes(part))
        );
        assert(index >= 0, `there is no ${check} ${status} ${says.join(" … ")} in\n${shown.slice(from).join("\n")}`);
        from = index + 1;
      }
      assertEquals(findings.at(-1)?.status, credentials);
      if (lacks !== undefined) assertFalse(shown.join().includes(lacks), shown.join("\n"));
      assertEquals(runtime.warnings, []);
    });
  }
});

describe("diagnose(): the way", () => {
  it("has the checks in the order of a retrieval", async () => {
    const checks = (await findingsOf({ runtime: setUp({}).runtime })).map(({ check }) => check);
    assertEquals(checks.filter((check) => check !== "permissions"), [
      ...["runtime", "variables", "proxy", "config", "config", "config.profile"],
      ...["environment", "profile", "webIdentity", "container"],
      ...["imds.token", "imds.clock", "imds.role", "imds.document", "imds.v1", "imds.region", "imds", "credentials"],
    ]);
  });

  it("yields a step before the next one has its response", async () => {
    const { runtime, imds } = setUp({});
    let sendDocument = () => {};
    const isSent = new Promise<void>((resolve) => sendDocument = resolve);
    runtime.answer = async (url, init) => {
      if (url.endsWith("/emulated-role")) await isSent;
      return await imds.fetch(url, init);
    };
    const checks: string[] = [];
    for await (const { check } of diagnose({ runtime })) {
      checks.push(check);
      if (check === "imds.role") sendDocument();
    }
    assertEquals(checks.slice(-5), ["imds.document", "imds.v1", "imds.region", "imds", "credentials"]);
  });

  it("sends what a retrieval sends, and then two requests more", async () => {
    const { runtime, imds } = setUp({});
    await findingsOf({ runtime });
    assertEquals(imds.requests.map(({ step, status }) => `${step} ${status}`), [
      ...["token 200", "list 200", "document 200", "list 401", "item 200"],
    ]);
  });

  it("sends nothing where the environment has keys", async () => {
    const { runtime, imds } = setUp({ env: { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "canary" } });
    await findingsOf({ runtime });
    assertEquals(imds.requests, []);
  });

  it("ends where the caller stops", async () => {
    const { runtime, imds } = setUp({});
    for await (const { check } of diagnose({ runtime })) if (check === "config") break;
    assertEquals(imds.requests, []);
  });

  it("reads files again that were repaired", async () => {
    const path = "/home/me/.aws/config";
    const { runtime } = setUp({ files: { [path]: "[default\n" } });
    assertEquals((await findingsOf({ runtime })).at(-1)?.status, "failure");
    runtime.files[path] = "[default]\n";
    assertEquals((await findingsOf({ runtime })).at(-1)?.status, "ok");
  });

  it("throws at once for a wrong option", () => {
    const error = assertThrows(() => diagnose({ region: "" }), CredentialsProviderError);
    assertEquals(error.code, "ConfigurationError");
  });
});

describe("diagnose(): what fails beneath", () => {
  const find = async (options: DiagnoseOptions, wanted: string) =>
    (await findingsOf(options)).find(({ check, status }) => `${check} ${status}` === wanted);

  it("a runtime that cannot keep a proxy out", async () => {
    const { runtime } = setUp({});
    const refusal = new RequestNotSentError(
      "proxy",
      "the variable HTTP_PROXY sets a proxy for this URL",
      "Add it to NO_PROXY.",
    );
    const fetchDirect = () => Promise.reject(refusal);
    const found = await find({ runtime: { ...runtime, fetchDirect } }, "imds.token failure");
    assert(found?.message.startsWith("ImdsProxyError: "), found?.message);
    assertEquals(found?.hint, "Add it to NO_PROXY.");
  });

  const unreadable = [
    [{ code: "NotPermitted" }, "warning", "there is no permission to read it"],
    [{ code: "NotAFile" }, "warning", "it is not a regular file"],
    [{ code: "NotUtf8", line: 3 }, "failure", "line 3 is not UTF-8"],
    [{ code: "Unreadable", systemCode: "EMFILE" }, "failure", "EMFILE"],
  ] as const;
  for (const [details, status, says] of unreadable) {
    it(`a credentials file that cannot be read: ${says}`, async () => {
      const { runtime } = setUp({});
      runtime.files["/home/me/.aws/credentials"] = Object.assign(new Error("canary"), details);
      const found = await find({ runtime }, `config ${status}`);
      assert(found?.message.includes("the credentials file /home/me/.aws/credentials: "), found?.message);
      assert(found?.message.includes(says), found?.message);
    });
  }

  it("a probe of IMDSv1 without a response", async () => {
    const { runtime, imds } = setUp({});
    const { answer } = runtime;
    const hasToken = (init: RequestInit) => new Headers(init.headers).has("x-aws-ec2-metadata-token");
    runtime.answer = (url, init) =>
      init.method === "GET" && !hasToken(init) ? Promise.reject(new TypeError("canary")) : answer(url, init);
    const found = await find({ runtime }, "imds.v1 skipped");
    assertEquals(found?.message, "It is not known whether IMDSv1 is enabled");
    assertEquals(imds.requests.map(({ step }) => step), ["token", "list", "document", "item"]);
  });

  it("a token whose expiration is beyond all numbers", async () => {
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE: "/token", AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/emulated-role" };
    const claims = Buffer.from('{"exp":1e999}').toString("base64url");
    const { runtime } = setUp({ env, files: { "/token": `x.${claims}.canary` } });
    const found = await find({ runtime }, "webIdentity.token ok");
    assert(found?.message.endsWith("has no expiration"), found?.message);
  });

  it("an option that is not known", async () => {
    const options = { runtime: setUp({}).runtime, pofile: "dev" } as DiagnoseOptions;
    const found = await find(options, "options warning");
    assert(found?.message.includes("pofile"), found?.message);
  });

  it("a function of the caller that throws a secret", async () => {
    const role = "role_arn = arn:aws:iam::123456789012:role/emulated-role\nmfa_serial = GAHT12345678";
    const config = `[profile app]\n${role}\nsource_profile = base\n[profile base]\n` +
      "aws_access_key_id = AKIAEMULATED00000001\naws_secret_access_key = emulated-secret-access-key";
    const mfaCodeProvider = () => Promise.reject(new Error("canary"));
    const { runtime } = setUp({});
    const found = await find({ sharedConfig: { config }, profile: "app", mfaCodeProvider, runtime }, "profile failure");
    assert(found?.message.startsWith("MfaCodeError: "), found?.message);
  });

  it("an error that is not of this library", async () => {
    const { runtime } = setUp({});
    const client = { get: () => Promise.reject(new RangeError("canary")) };
    const found = await find({ imds: { client }, runtime }, "imds failure");
    assert(found?.message.includes("RangeError"), found?.message);
  });
});
