import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { loadSharedConfig } from "../../lib/config/files.ts";
import type { SharedConfigOptions } from "../../lib/config/locations.ts";
import { CredentialsProviderError, fromInstanceMetadata, fromProfile } from "../../mod.ts";
import { ImdsEmulator } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";

const CONFIG = "/home/me/.aws/config";
const CREDENTIALS = "/home/me/.aws/credentials";

function setUp(files: Record<string, string | Error> = {}, env: Record<string, string> = {}) {
  const runtime = new FakeRuntime({ HOME: "/home/me", ...env });
  Object.assign(runtime.files, files);
  runtime.answer = new ImdsEmulator({ runtime }).fetch;
  const lines: string[] = [];
  const log = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const logger = { debug: log("debug"), warn: log("warn") };
  const load = (options: SharedConfigOptions = {}) => loadSharedConfig(options, runtime, logger);
  return { runtime, lines, logger, load };
}

async function failure(promise: Promise<unknown>): Promise<CredentialsProviderError> {
  return await assertRejects(() => promise, CredentialsProviderError);
}

describe("loadSharedConfig()", () => {
  it("merges the two files, and selects the profile that is named", async () => {
    const files = { [CONFIG]: "[profile dev]\nregion = r", [CREDENTIALS]: "[dev]\naws_access_key_id = A" };
    const { profiles, profileName, isProfileNamed } = await setUp(files, { AWS_PROFILE: "dev" }).load();
    assertEquals(Object.fromEntries(profiles.get("dev") ?? []), { region: "r", aws_access_key_id: "A" });
    assertEquals([profileName, isProfileNamed], ["dev", true]);
  });

  it("takes missing default files for empty ones, and says so at debug level", async () => {
    const { load, lines } = setUp();
    assertEquals((await load()).profiles.size, 0);
    assertEquals(lines.map((line) => line.split(" ")[0]), ["debug:", "debug:"]);
  });

  it("takes a missing file that the environment names for an empty one, with a warning", async () => {
    const { load, lines } = setUp({}, { AWS_CONFIG_FILE: "/gone" });
    assertEquals((await load()).profiles.size, 0);
    assert(lines.some((line) => line.startsWith("warn: Cannot read /gone")), lines.join());
  });

  it("takes an unreadable default file for an empty one, with a warning that does not quote the reason", async () => {
    const { load, lines } = setUp({ [CONFIG]: new Error("CANARY") });
    assertEquals((await load()).profiles.size, 0);
    assert(lines.some((line) => line.startsWith(`warn: Cannot read ${CONFIG}`)), lines.join());
    assertFalse(lines.join().includes("CANARY"));
  });

  for (const file of [undefined, new Error("CANARY")]) {
    it(`fails, when a file that code names is ${file === undefined ? "missing" : "unreadable"}`, async () => {
      const { load } = setUp(file === undefined ? {} : { "/mine": file });
      const error = await failure(load({ configFilepath: "/mine" }));
      assertEquals(error.code, "ConfigurationError");
      assert(error.message.includes("/mine") && error.hint?.includes("configFilepath"), error.message);
      assertEquals(error.cause, undefined);
    });
  }

  it("reads each file once, however many ask", async () => {
    const { load, runtime } = setUp();
    await Promise.all([load(), load()]);
    await load({ profile: "other" });
    runtime.files["/mine"] = "";
    await load({ filepath: "/mine" });
    assertEquals(runtime.reads, [CONFIG, CREDENTIALS, "/mine"]);
  });

  it("reads the files again, when asked to", async () => {
    const { load, runtime } = setUp({ [CONFIG]: "[default]\nregion = one" });
    await load();
    runtime.files[CONFIG] = "[default]\nregion = two";
    const region = async (options: SharedConfigOptions) => (await load(options)).profiles.get("default")?.get("region");
    assertEquals(await region({}), "one");
    assertEquals(await region({ ignoreCache: true }), "two");
    assertEquals(await region({}), "two");
  });

  it("reads a malformed file again, once it may be repaired", async () => {
    const { load, runtime } = setUp({ [CONFIG]: "[default\n" });
    const error = await failure(load());
    assertEquals([error.code, error.path, error.line], ["ConfigParseError", CONFIG, 1]);
    runtime.files[CONFIG] = "[default]\nregion = r";
    assertEquals((await load()).profiles.size, 1);
  });

  it("finds a file that code names, once it is there", async () => {
    const { load, runtime } = setUp();
    await failure(load({ configFilepath: "/mine" }));
    runtime.files["/mine"] = "[default]\nregion = r";
    assertEquals((await load({ configFilepath: "/mine" })).profiles.size, 1);
  });

  it("reads no file, when it is given the texts", async () => {
    const { load, runtime } = setUp({ [CONFIG]: "[default\n" });
    const { profiles } = await load({ sharedConfig: { config: "[default]\nregion = r" } });
    assertEquals(profiles.get("default")?.get("region"), "r");
    assertEquals(runtime.reads, []);
  });

  it("warns of what it ignores, without quoting it", async () => {
    const { load, lines } = setUp({ [CONFIG]: "[profile CANARY CANARY]\nregion = CANARY" });
    await load();
    assertEquals(lines.filter((line) => line.startsWith("warn")).length, 1);
    assertFalse(lines.join().includes("CANARY"));
  });
});

describe("fromInstanceMetadata() with a shared config file", () => {
  it("takes its settings from the profile", async () => {
    const files = { [CONFIG]: "[profile dev]\nec2_instance_profile_name = nobody" };
    const { runtime } = setUp(files, { AWS_PROFILE: "dev" });
    assertEquals((await failure(fromInstanceMetadata({ runtime })())).code, "ImdsInvalidProfile");
  });

  it("takes the endpoint from the profile", async () => {
    const { runtime } = setUp({ [CONFIG]: "[default]\nec2_metadata_service_endpoint = http://127.0.0.1:1/x" });
    const urls: string[] = [];
    runtime.answer = (url) => {
      urls.push(url);
      return Promise.resolve(new Response(null, { status: 400 }));
    };
    await failure(fromInstanceMetadata({ runtime })());
    assertEquals(urls, ["http://127.0.0.1:1/x/latest/api/token"]);
  });

  it("names the key that blocks IMDSv1", async () => {
    const { runtime } = setUp({ [CONFIG]: "[default]\nec2_metadata_v1_disabled = true" });
    runtime.answer = new ImdsEmulator({ runtime, tokens: 404 }).fetch;
    const error = await failure(fromInstanceMetadata({ runtime })());
    assertEquals(error.code, "InstanceMetadataV1FallbackError");
    assert(error.message.includes("ec2_metadata_v1_disabled"), error.message);
  });

  it("fails, when the file is malformed: it may forbid what would be done", async () => {
    const { runtime } = setUp({ [CONFIG]: "[default]\nec2_metadata_v1_disabled" });
    const error = await failure(fromInstanceMetadata({ runtime })());
    assertEquals([error.code, error.path, error.line], ["ConfigParseError", CONFIG, 2]);
  });

  it("says once what there is to say about a file", async () => {
    const { runtime, lines, logger } = setUp({}, { AWS_CONFIG_FILE: "/gone" });
    await fromInstanceMetadata({ runtime, logger })();
    assertEquals(lines.filter((line) => line.includes("/gone")).length, 1);
  });

  it("goes on without a profile that does not exist: these are settings", async () => {
    const { runtime } = setUp({}, { AWS_PROFILE: "gone" });
    assertEquals((await fromInstanceMetadata({ runtime })()).source, "EC2RoleProvider");
  });
});

describe("fromProfile() with an option out of range", () => {
  const options: readonly [string, object][] = [
    ["profile", { profile: "" }],
    ["configFilepath", { configFilepath: " " }],
    ["filepath", { filepath: 5 }],
    ["ignoreCache", { ignoreCache: "yes" }],
    ["homeDirectory", { homeDirectory: "" }],
    ["sharedConfig", { sharedConfig: "[default]" }],
  ];
  for (const [name, option] of options) {
    it(`throws at once, naming ${name}`, async () => {
      for (const make of [fromProfile, fromInstanceMetadata]) {
        const error = await failure(Promise.resolve().then(() => make(option)));
        assertEquals(error.code, "ConfigurationError");
        assert(error.message.includes(`${name} must be`), error.message);
      }
    });
  }
});
