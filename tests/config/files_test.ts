import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileLocation, loadSharedConfig, selectedProfile, type SharedConfigOptions } from "../../lib/config/files.ts";
import { CredentialsProviderError, defaultProvider, fromInstanceMetadata, fromProfile } from "../../mod.ts";
import { ImdsEmulator } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { readTable } from "../support/tables.ts";

const CONFIG = "/home/me/.aws/config";
const CREDENTIALS = "/home/me/.aws/credentials";

function setUp(files: Record<string, string | Error> = {}, env: Record<string, string> = {}) {
  const runtime = new FakeRuntime({ HOME: "/home/me", ...env });
  Object.assign(runtime.files, files);
  runtime.answer = new ImdsEmulator({ runtime }).fetch;
  const lines: string[] = [];
  const log = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const logger = { debug: log("debug"), warn: log("warn") };
  const load = (options: SharedConfigOptions = {}) => loadSharedConfig({ logger, ...options }, runtime);
  return { runtime, lines, logger, load };
}

/** What `Runtime.readTextFile` rejects with. */
function fileError(code: string, details: object = {}): Error {
  return Object.assign(new Error("CANARY"), { code, ...details });
}

async function failure(promise: Promise<unknown>): Promise<CredentialsProviderError> {
  return await assertRejects(() => promise, CredentialsProviderError);
}

interface LocationRow {
  readonly name: string;
  readonly env?: Record<string, string>;
  readonly options?: SharedConfigOptions;
  readonly platform?: "posix" | "windows";
  readonly systemHome?: string;
  readonly config: string | null;
  readonly credentials: string | null;
}

describe("fileLocation()", () => {
  for (const row of readTable<LocationRow>("file_locations")) {
    it(row.name, () => {
      const { env = {}, options = {}, platform = "posix", systemHome } = row;
      const runtime = { env: (variable: string) => env[variable], platform, homeDirectory: () => systemHome };
      assertEquals(fileLocation("config file", options, runtime)?.path ?? null, row.config);
      assertEquals(fileLocation("credentials file", options, runtime)?.path ?? null, row.credentials);
    });
  }

  it("does not look for a home directory where paths are whole", () => {
    const env = (variable: string) => ({ AWS_CONFIG_FILE: "/a", AWS_SHARED_CREDENTIALS_FILE: "/b" })[variable];
    const homeDirectory = () => {
      throw new Error("not needed");
    };
    const runtime = { env, platform: "posix", homeDirectory } as const;
    assertEquals(fileLocation("config file", {}, runtime)?.path, "/a");
    assertEquals(fileLocation("credentials file", {}, runtime)?.path, "/b");
  });
});

describe("selectedProfile()", () => {
  const cases: readonly [string | undefined, Record<string, string>, string, boolean][] = [
    [undefined, {}, "default", false],
    [undefined, { AWS_DEFAULT_PROFILE: "b" }, "b", true],
    [undefined, { AWS_PROFILE: "a", AWS_DEFAULT_PROFILE: "b" }, "a", true],
    [undefined, { AWS_PROFILE: " ", AWS_DEFAULT_PROFILE: "b" }, "b", true],
    [undefined, { AWS_PROFILE: " in ner " }, "in ner", true],
    ["given", { AWS_PROFILE: "a" }, "given", true],
    ["default", {}, "default", true],
  ];
  for (const [profile, env, name, isNamed] of cases) {
    it(`is ${name}, with ${JSON.stringify({ profile, ...env })}`, () => {
      assertEquals(selectedProfile({ profile }, { env: (variable) => env[variable] }), { name, isNamed });
    });
  }
});

describe("loadSharedConfig()", () => {
  it("merges the two files, and selects the profile that is named", async () => {
    const files = { [CONFIG]: "[profile dev]\nregion = r", [CREDENTIALS]: "[dev]\naws_access_key_id = A" };
    const { profiles, profileName, isProfileNamed } = await setUp(files, { AWS_PROFILE: "dev" }).load();
    assertEquals(Object.fromEntries(profiles.get("dev") ?? []), { region: "r", aws_access_key_id: "A" });
    assertEquals([profileName, isProfileNamed], ["dev", true]);
  });

  it("has the sso-session and services sections", async () => {
    const { load } = setUp({ [CONFIG]: "[sso-session a]\nb = c\n[services d]\ne = f" });
    const { ssoSessions, services } = await load();
    assertEquals([ssoSessions.get("a")?.get("b"), services.get("d")?.get("e")], ["c", "f"]);
  });

  it("ignores missing default files, with a line at debug level", async () => {
    const { load, lines, runtime } = setUp();
    assertEquals((await load()).profiles.size, 0);
    assertEquals(lines, [
      `debug: Ignored the config file ${CONFIG}: there is no such file`,
      `debug: Ignored the credentials file ${CREDENTIALS}: there is no such file`,
    ]);
    await load({ logger: undefined } as object);
    assertEquals(runtime.warnings, []);
  });

  it("ignores a missing file that the environment names, with a warning for the logger", async () => {
    const { load, lines, runtime } = setUp({}, { AWS_CONFIG_FILE: "/gone" });
    assertEquals((await load()).profiles.size, 0);
    assertEquals(lines[0], "warn: Ignored the config file /gone: there is no such file");
    await load({ logger: undefined } as object);
    assertEquals(runtime.warnings, []);
  });

  const problems = [["NotPermitted", "there is no permission to read it"], [
    "NotAFile",
    "it is not a regular file",
  ]] as const;
  for (const [code, state] of problems) {
    for (const env of [{}, { AWS_CONFIG_FILE: CONFIG }] as Record<string, string>[]) {
      const namer = Object.keys(env)[0] ?? "nothing";
      it(`ignores a file that is ${code} and that ${namer} names, with a warning that is never silent`, async () => {
        const { load, lines, runtime } = setUp({ [CONFIG]: fileError(code), [CREDENTIALS]: "[a]" }, env);
        const warning = `Ignored the config file ${CONFIG}: ${state}`;
        assertEquals((await load()).profiles.size, 1);
        assertEquals([lines, runtime.warnings], [[`warn: ${warning}`], []]);
        await load({ logger: undefined } as object);
        await load({ logger: undefined } as object);
        assertEquals(runtime.warnings, [warning]);
        await load({ logger: null } as object);
        assertEquals(runtime.warnings, [warning]);
      });
    }
  }

  for (const code of [undefined, "NotPermitted", "NotAFile"]) {
    it(`fails for a file that code names and that is ${code ?? "missing"}, and reads it again`, async () => {
      const { load, runtime } = setUp(code === undefined ? {} : { "/mine": fileError(code) });
      const error = await failure(load({ configFilepath: "/mine" }));
      assertEquals([error.code, error.path, error.cause], ["ConfigurationError", "/mine", undefined]);
      assert(error.message.startsWith("Cannot read the config file /mine: "), error.message);
      assert(error.hint?.includes("configFilepath"), error.hint);
      runtime.files["/mine"] = "[default]\nregion = r";
      assertEquals((await load({ configFilepath: "/mine" })).profiles.size, 1);
    });
  }

  it("says how to use no file, depending on what names it", async () => {
    const malformed = { [CONFIG]: "[", "/mine": "[" };
    const hint = async (options: SharedConfigOptions, env?: Record<string, string>) =>
      (await failure(setUp(malformed, env).load(options))).hint;
    const fix = 'Close the section header with "]"';
    const withVariable = `${fix}; to use no file, set AWS_CONFIG_FILE=/dev/null or pass sharedConfig: {}.`;
    assertEquals(await hint({}), withVariable);
    assertEquals(await hint({}, { AWS_CONFIG_FILE: "/mine" }), withVariable);
    assertEquals(
      await hint({}, { AWS_SHARED_CREDENTIALS_FILE: "/mine", AWS_CONFIG_FILE: "/none" }),
      withVariable.replace("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
    );
    assertEquals(await hint({ configFilepath: "/mine" }), `${fix}; to use no file, pass sharedConfig: {}.`);
    assertEquals(await hint({ sharedConfig: { config: "[" } }), `${fix}.`);
  });

  const unparsable: readonly (readonly [Error, string, number | undefined])[] = [
    [fileError("NotUtf8", { line: 3 }), "line 3 is not UTF-8", 3],
    [fileError("TooLarge"), "it is larger than 16 MiB", undefined],
  ];
  for (const [file, state, line] of unparsable) {
    it(`fails, when ${state}, and reads the file again`, async () => {
      const { load, runtime } = setUp({ [CREDENTIALS]: file });
      const error = await failure(load());
      assertEquals(error.message, `Cannot parse the credentials file ${CREDENTIALS}: ${state}`);
      assertEquals([error.code, error.path, error.line], ["ConfigParseError", CREDENTIALS, line]);
      assertEquals([error.recoverable, error.tryNextLink], [false, false]);
      runtime.files[CREDENTIALS] = "[a]";
      assertEquals((await load()).profiles.size, 1);
    });
  }

  const faults: readonly (readonly [Error, string])[] = [
    [fileError("Unreadable", { systemCode: "EMFILE" }), "EMFILE"],
    [fileError("EIO"), "EIO"],
    [new Error("CANARY"), "an unknown error"],
  ];
  for (const [file, state] of faults) {
    it(`fails with an error that is not remembered, when the system fails with ${state}`, async () => {
      const { load, runtime } = setUp({ [CONFIG]: file });
      const error = await failure(load());
      assertEquals(error.message, `Cannot read the config file ${CONFIG}: reading failed with ${state}`);
      assertEquals([error.code, error.recoverable, error.tryNextLink], ["ConfigReadError", true, false]);
      assertEquals([error.path, error.cause], [CONFIG, undefined]);
      runtime.files[CONFIG] = "[default]\nregion = r";
      assertEquals((await load()).profiles.size, 1);
    });
  }

  it("passes on the error of an unsupported runtime", async () => {
    const unsupported = new CredentialsProviderError("ConfigurationError", "Cannot get credentials: Node 18");
    assertEquals(await failure(setUp({ [CONFIG]: unsupported }).load()), unsupported);
  });

  it("makes paths printable", async () => {
    const path = "/a\u001b[31m\u2028b";
    const { load, lines } = setUp({}, { AWS_CONFIG_FILE: path });
    await load();
    assertEquals(lines[0], "warn: Ignored the config file /a [31m b: there is no such file");
    const error = await failure(load({ configFilepath: path }));
    assertFalse(/[\p{Cc}\p{Zl}]/u.test(error.message + error.hint));
    assertEquals(error.path, path);
  });

  it("reads each file once, however many providers load it", async () => {
    const { load, runtime } = setUp();
    await Promise.all([load(), load()]);
    await load({ profile: "other" });
    runtime.files["/mine"] = "";
    await load({ filepath: "/mine" });
    assertEquals(runtime.reads, [CONFIG, CREDENTIALS, "/mine"]);
  });

  it("parses each file once, however many providers load it", async () => {
    const { load } = setUp({ [CONFIG]: "[profile a]\nb = c" });
    const [first, second] = [await load(), await load({ profile: "a" })];
    assert(first.profiles.get("a") === second.profiles.get("a"));
    const sharedConfig = { config: "[profile a]\nb = c" };
    const [third, fourth] = [await load({ sharedConfig }), await load({ sharedConfig })];
    assert(third.profiles.get("a") === fourth.profiles.get("a"));
  });

  it("logs once what it found, for each logger", async () => {
    const { load, lines } = setUp({ [CONFIG]: "[nowhere]" });
    await load();
    await load({ profile: "x" });
    assertEquals(lines.map((line) => line.split(" ")[0]), ["debug:", "warn:"]);
    const other: string[] = [];
    await load({ logger: { warn: (message: string) => other.push(message) } } as object);
    assertEquals(other.length, 1);
  });

  it("reads the files again, with ignoreCache", async () => {
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

  it("keeps what a later call read, when an earlier one fails after it", async () => {
    const { load, runtime } = setUp({ [CONFIG]: "[default]" });
    let fail = (_: Error) => {};
    const { readTextFile } = runtime;
    let calls = 0;
    const slow = (path: string) =>
      path === CONFIG && ++calls === 1 ? new Promise<string>((_, reject) => fail = reject) : readTextFile(path);
    Object.assign(runtime, { readTextFile: slow });
    const first = failure(load());
    await load({ ignoreCache: true });
    fail(fileError("EIO"));
    assertEquals((await first).code, "ConfigReadError");
    await load();
    assertEquals(calls, 2);
  });

  it("reads one file as both, where both names lead to it", async () => {
    const { load } = setUp({ "/both": "[a]\nb = c\n[profile d]\ne = f" });
    const { profiles } = await load({ configFilepath: "/both", filepath: "/both" });
    assertEquals([...profiles.keys()].sort(), ["a", "d"]);
  });

  it("reads no file, where nothing names one and there is no home directory", async () => {
    const { load, runtime, lines } = setUp({}, { HOME: "" });
    assertEquals((await load()).profiles.size, 0);
    assertEquals([runtime.reads, lines], [[], []]);
  });

  it("does not merge the files of one load into those of the next", async () => {
    const { load, runtime } = setUp({ [CONFIG]: "[profile a]\nb = c", [CREDENTIALS]: "[a]\nd = e" });
    await load();
    runtime.files["/mine"] = "[a]\nf = g";
    const { profiles } = await load({ filepath: "/mine" });
    assertEquals(Object.fromEntries(profiles.get("a") ?? []), { b: "c", f: "g" });
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

describe("defaultProvider()", () => {
  it("stops where a file exists and the system cannot read it: the instance role would be another identity", async () => {
    const { runtime } = setUp({ [CREDENTIALS]: fileError("Unreadable", { systemCode: "EMFILE" }) });
    const provider = defaultProvider({ runtime });
    assertEquals((await failure(provider())).code, "ConfigReadError");
    runtime.files[CREDENTIALS] = "[default]\naws_access_key_id = A\naws_secret_access_key = s";
    assertEquals((await provider()).accessKeyId, "A");
  });

  it("reads each file once for all its sources", async () => {
    const { runtime } = setUp();
    await defaultProvider({ runtime })();
    assertEquals(runtime.reads, [CONFIG, CREDENTIALS]);
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

  const decided = {
    disabled: false,
    ec2MetadataV1Disabled: false,
    endpoint: "http://169.254.169.254",
    timeout: 1_000,
    maxRetries: 0,
    ec2InstanceProfileName: "emulated-role",
  };
  const variables = {
    AWS_EC2_METADATA_DISABLED: "false",
    AWS_EC2_METADATA_V1_DISABLED: "true",
    AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://169.254.169.254",
    AWS_METADATA_SERVICE_TIMEOUT: "1",
    AWS_METADATA_SERVICE_NUM_ATTEMPTS: "1",
    AWS_EC2_INSTANCE_PROFILE_NAME: "emulated-role",
  };

  it("reads no file, where code or the environment decide every setting", async () => {
    for (const [options, env] of [[decided, {}], [{}, variables]] as const) {
      const { runtime } = setUp({ [CONFIG]: "[default\n" }, env);
      assertEquals((await fromInstanceMetadata({ runtime, ...options })()).source, "EC2RoleProvider");
      assertEquals(runtime.reads, []);
    }
  });

  it("reads no file, where the time limit has its older name", async () => {
    const { runtime } = setUp();
    await fromInstanceMetadata({ runtime, ...decided, timeout: undefined, httpOptions: { timeout: 1_000 } })();
    assertEquals(runtime.reads, []);
  });

  it("sends nothing, where the profile disables IMDS", async () => {
    const { runtime } = setUp({ [CONFIG]: "[default]\ndisable_ec2_metadata = true" });
    const urls: string[] = [];
    runtime.answer = (url) => {
      urls.push(url);
      return Promise.reject(new TypeError("not expected"));
    };
    const error = await failure(fromInstanceMetadata({ runtime, endpoint: "http://127.0.0.1" })());
    assertEquals([error.code, urls], ["ImdsDisabled", []]);
  });

  for (const name of Object.keys(decided)) {
    it(`reads the files, where only ${name} is open`, async () => {
      const { runtime } = setUp();
      await fromInstanceMetadata({ runtime, ...decided, [name]: undefined })();
      assertEquals(runtime.reads, [CONFIG, CREDENTIALS]);
    });
  }

  for (const name of Object.keys(variables)) {
    it(`reads the files, where only ${name} is open`, async () => {
      const { runtime } = setUp({}, { ...variables, [name]: "" });
      if (name === "AWS_EC2_INSTANCE_PROFILE_NAME") delete runtime.variables[name]; // a blank one is an error
      await fromInstanceMetadata({ runtime })();
      assertEquals(runtime.reads, [CONFIG, CREDENTIALS]);
    });
  }

  it("reads no file, where the environment disables IMDS with an odd word, and warns of that word", async () => {
    const { runtime, lines, logger } = setUp({ [CONFIG]: "[default\n" }, { AWS_EC2_METADATA_DISABLED: "yes" });
    assertEquals((await failure(fromInstanceMetadata({ runtime, logger })())).code, "ImdsDisabled");
    assertEquals([runtime.reads, lines.length], [[], 1]);
    assert(lines[0]?.includes("AWS_EC2_METADATA_DISABLED is neither true nor false"), lines[0]);
  });

  it("warns of an odd word in the profile, too", async () => {
    const { runtime, lines, logger } = setUp({ [CONFIG]: "[default]\ndisable_ec2_metadata = yes" });
    assertEquals((await failure(fromInstanceMetadata({ runtime, logger })())).code, "ImdsDisabled");
    assertEquals(lines.at(-1), "warn: disable_ec2_metadata is neither true nor false: it counts as true");
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
