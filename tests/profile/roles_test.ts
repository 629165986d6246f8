import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, defaultProvider, fromProfile, type ProfileOptions } from "../../mod.ts";
import { ImdsEmulator } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";
import { wireLog } from "../support/wire_log.ts";

const CANARY = "canary";
const ARN = "arn:aws:iam::123456789012:role/";
const KEYS = `aws_access_key_id = AKIABASE\naws_secret_access_key = ${CANARY}-base\n`;

function role(name: string, source: string): string {
  return `[profile ${name}]\nrole_arn = ${ARN}${name}\n${source}\n`;
}

/** STS that gives each role credentials which live an hour; `issued` has their signers and roles. */
function setUp(config: string, options: ProfileOptions = {}) {
  const runtime = new FakeRuntime({ AWS_REGION: "eu-west-1" });
  const imds = new ImdsEmulator({ runtime });
  const issued: string[] = [];
  let fails: string | undefined;
  const sts = (_url: string, { body, headers }: RequestInit) => {
    const parameters = new URLSearchParams(`${body}`);
    const name = parameters.get("RoleArn")?.split("/").at(-1);
    const signer = /Credential=(\w+)\//.exec((headers as Record<string, string>)["authorization"] ?? "")?.[1];
    issued.push(`${signer} -> ${name}`);
    const error = `<ErrorResponse><Error><Code>${fails}</Code></Error></ErrorResponse>`;
    if (fails !== undefined) return Promise.resolve(new Response(error, { status: 500 }));
    const expiration = new Date(runtime.time + 3_600_000).toISOString();
    const credentials = `<AccessKeyId>ASIA${name}</AccessKeyId><SecretAccessKey>${CANARY}</SecretAccessKey>` +
      `<SessionToken>${CANARY}</SessionToken><Expiration>${expiration}</Expiration>`;
    const action = parameters.get("Action");
    const result = `<${action}Result><Credentials>${credentials}</Credentials></${action}Result>`;
    return Promise.resolve(new Response(`<${action}Response>${result}</${action}Response>`));
  };
  runtime.answer = (url, init) => url.startsWith("https://sts.") ? sts(url, init) : imds.fetch(url, init);
  const all = { sharedConfig: { config }, runtime, ...options };
  return { runtime, imds, issued, all, fail: (code: string | undefined) => fails = code };
}

describe("fromProfile() with roles", () => {
  it("assumes a role with the keys of another profile", async () => {
    const { all, issued } = setUp(role("app", "source_profile = base") + `[profile base]\n${KEYS}`);
    const credentials = await fromProfile({ ...all, profile: "app" })();
    assertEquals([credentials.accessKeyId, issued], ["ASIAapp", ["AKIABASE -> app"]]);
  });

  it("walks three hops from IMDS, and refreshes through a rotation and an outage of STS", async () => {
    const config = role("a", "source_profile = b") + role("b", "source_profile = c") +
      role("c", "credential_source = Ec2InstanceMetadata");
    const { all, runtime, imds, issued, fail } = setUp(config, { profile: "a" });
    const provider = fromProfile(all);
    assertEquals((await provider()).accessKeyId, "ASIAa");
    assertEquals([issued, wireLog(imds).length], [["ASIAEMULATED00000002 -> c", "ASIAc -> b", "ASIAb -> a"], 3]);

    runtime.time += 50 * 60_000; // the last 15 minutes of a role, and nothing for the instance
    await provider();
    assertEquals([issued.length, wireLog(imds).length], [6, 3]);

    runtime.time += 5 * 3_600_000; // the instance rotated
    imds.rotate();
    await provider();
    assertEquals([issued.length, wireLog(imds).length], [9, 4]);

    fail("ServiceUnavailable");
    runtime.time += 50 * 60_000;
    assertEquals((await provider()).accessKeyId, "ASIAa");
  });

  it("assumes a role after a web identity", async () => {
    const config = role("app", "source_profile = web") + role("web", "web_identity_token_file = /token");
    const { all, runtime, issued } = setUp(config, { profile: "app" });
    runtime.files["/token"] = `${CANARY}.jwt`;
    assertEquals((await fromProfile(all)()).accessKeyId, "ASIAapp");
    assertEquals(issued, ["undefined -> web", "ASIAweb -> app"]);
  });

  it("uses the region of the selected profile for every hop", async () => {
    const config = role("a", "source_profile = b\nregion = ap-south-1") +
      role("b", "source_profile = c\nregion = us-west-2") + `[profile c]\n${KEYS}`;
    const { all, runtime } = setUp(config, { profile: "a" });
    delete runtime.variables["AWS_REGION"];
    const urls: string[] = [];
    const { answer } = runtime;
    runtime.answer = (url, init) => {
      urls.push(url);
      return answer(url, init);
    };
    await fromProfile(all)();
    assertEquals(urls, Array(2).fill("https://sts.ap-south-1.amazonaws.com/"));
  });

  it("asks for the MFA code of the profile that names a device, once per call", async () => {
    const config = role("app", "source_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me") +
      `[profile base]\n${KEYS}`;
    const requests: unknown[] = [];
    const { all } = setUp(config, {
      profile: "app",
      mfaCodeProvider: ({ serial, profile }) => {
        requests.push([serial, profile]);
        return "123456";
      },
    });
    await fromProfile(all)();
    assertEquals(requests, [["arn:aws:iam::123456789012:mfa/me", "app"]]);
  });

  it("never asks for a code before the credentials expire, also where an inner role needs it", async () => {
    const config = role("app", "source_profile = mfa") +
      role("mfa", "source_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me") + `[profile base]\n${KEYS}`;
    let codes = 0;
    const { all, runtime } = setUp(config, { profile: "app", mfaCodeProvider: () => `${100_000 + codes++}` });
    const provider = fromProfile(all);
    await provider();
    runtime.time += 3_599_999;
    await provider();
    assertEquals(codes, 1);
    runtime.time += 1;
    await provider();
    assertEquals(codes, 2);
  });

  it("fails without traffic, when a device is named and there is no mfaCodeProvider", async () => {
    const config = role("app", `source_profile = base\nmfa_serial = arn:aws:iam::1:mfa/me\nexternal_id = ${CANARY}`) +
      `[profile base]\n${KEYS}`;
    const { all, issued } = setUp(config, { profile: "app" });
    const error = await assertRejects(() => fromProfile(all)(), CredentialsProviderError);
    assertEquals([error.code, error.tryNextLink, issued.length], ["MfaCodeError", false, 0]);
    assert(error.message.includes("profile app"));
    assertFalse(printed(error).join().includes(CANARY));
  });

  it("stops a chain, when the source that a profile names is not available", async () => {
    for (const source of ["EcsContainer", "Environment"]) {
      const { all } = setUp(role("app", `credential_source = ${source}`), { profile: "app" });
      const error = await assertRejects(() => fromProfile(all)(), CredentialsProviderError);
      assertEquals([error.code, error.tryNextLink], ["NoCredentials", false]);
      assert(error.message.includes(`credential_source of profile app is ${source}`), error.message);
    }
  });

  it("signs with the new keys of the base profile after forceRefresh, which reads the files again", async () => {
    const { all, runtime, issued } = setUp("", { profile: "app" });
    runtime.home = "/home/me";
    const write = (key: string) =>
      runtime.files["/home/me/.aws/config"] = role("app", "source_profile = base") +
        `[profile base]\n${KEYS.replace("AKIABASE", key)}`;
    write("AKIAONE");
    const provider = fromProfile({ ...all, sharedConfig: undefined as never });
    await provider();
    write("AKIATWO");
    await provider({ forceRefresh: true });
    assertEquals(issued, ["AKIAONE -> app", "AKIATWO -> app"]);
  });
});

describe("defaultProvider() with a role profile", () => {
  it("assumes the role, and never returns the role of the host", async () => {
    const config = role("app", "credential_source = Ec2InstanceMetadata");
    const { all, runtime, fail } = setUp(config);
    runtime.variables["AWS_PROFILE"] = "app";
    assertEquals((await defaultProvider(all)()).accessKeyId, "ASIAapp");
    fail("AccessDenied");
    const error = await assertRejects(() => defaultProvider(all)(), CredentialsProviderError);
    assertEquals([error.code, error.stsCode], ["StsError", "AccessDenied"]);
  });
});
