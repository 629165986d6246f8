import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  CredentialsProviderError,
  defaultProvider,
  fromContainerMetadata,
  fromEnv,
  fromInstanceMetadata,
  fromLoginCredentials,
  fromProcess,
  fromProfile,
  fromSSO,
  fromTemporaryCredentials,
  fromTokenFile,
  fromWebToken,
  ImdsClient,
} from "../mod.ts";
import { editDistance } from "../lib/config/options.ts";
import { FakeRuntime } from "./support/fake_runtime.ts";

type Make = (options: never) => unknown;

const MAKERS: Readonly<Record<string, Make>> = {
  fromInstanceMetadata: fromInstanceMetadata as Make,
  fromProcess: fromProcess as Make,
  fromProfile: fromProfile as Make,
  fromEnv: fromEnv as Make,
  fromContainerMetadata: fromContainerMetadata as Make,
  fromTokenFile: fromTokenFile as Make,
  fromWebToken: fromWebToken as Make,
  fromTemporaryCredentials: fromTemporaryCredentials as Make,
  fromSSO: fromSSO as Make,
  fromLoginCredentials: fromLoginCredentials as Make,
  defaultProvider: defaultProvider as Make,
  "new ImdsClient": ((options: never) => new ImdsClient(options)) as Make,
};

/** Options that one of the functions above reads, with a valid value. */
const SHARED = { profile: "p", configFilepath: "/c", filepath: "/f", ignoreCache: true, homeDirectory: "/h" };
const IMDS = {
  disabled: false,
  ec2MetadataV1Disabled: false,
  ec2MetadataV1Fallback: "always",
  endpoint: "http://127.0.0.1",
  endpointMode: "IPv4",
  timeout: 1,
  connectTimeout: 1,
  httpOptions: { timeout: 1, connectTimeout: 1 },
  maxRetries: 0,
  retryDelayOptions: { base: 0, customBackoff: () => 0 },
  tokenTtlSeconds: 60,
  failFast: true,
};
const IMDS_PROVIDER = {
  ...IMDS,
  ec2InstanceProfileName: "r",
  imdsPaths: "auto",
  capExpirySeconds: 1,
  providerSources: ["x"],
};
const PROCESS = {
  timeout: 1,
  maxBufferSize: 1,
  stdin: "ignore",
  stderr: "pipe",
  env: { A: "b" },
  inheritEnv: false,
  cwd: "/",
  accountId: "1",
};
const CONTAINER = {
  awsContainerCredentialsRelativeUri: "/x",
  awsContainerCredentialsFullUri: "http://127.0.0.1",
  awsContainerAuthorizationToken: "t",
  awsContainerAuthorizationTokenFile: "/t",
  timeout: 1,
  connectTimeout: 1,
  maxRetries: 0,
};
const STS = { endpoint: "https://sts.example", timeout: 1, maxRetries: 0 };
const ROLE = "arn:aws:iam::123456789012:role/x";
const SESSION = { roleArn: ROLE, roleSessionName: "name", durationSeconds: 900, policy: "{}", policyArns: [] };
const MFA = { mfaCodeProvider: () => "000000", mfaRefresh: true };
const CACHE = { advisoryWindow: 1, advisoryWindowJitter: 0, expiryWindowSeconds: 0, onEvent: () => {} };
const SERVICE = { endpoint: "https://service.example", maxRetries: 0 };
const SSO_ROLE = { ssoSession: "s", ssoStartUrl: "u", ssoRegion: "r", ssoAccountId: "1", ssoRoleName: "n" };
const LOGIN = { onLoginRequired: () => {} };
const PROFILE = {
  ...SHARED,
  sharedConfig: { config: "", credentials: "" },
  imds: IMDS_PROVIDER,
  container: CONTAINER,
  process: PROCESS,
  sts: STS,
  sso: SERVICE,
  login: SERVICE,
  region: "r",
  ...MFA,
  ...LOGIN,
};
const KNOWN: Readonly<Record<string, object>> = {
  fromInstanceMetadata: { ...SHARED, ...IMDS_PROVIDER, ...CACHE, client: { get: () => {} } },
  fromProcess: { ...SHARED, ...PROCESS, ...CACHE, signal: new AbortController().signal },
  fromProfile: { ...PROFILE, ...CACHE },
  fromEnv: CACHE,
  fromContainerMetadata: { ...CONTAINER, ...CACHE },
  fromTokenFile: { ...SHARED, ...STS, ...SESSION, ...CACHE, region: "r", webIdentityTokenFile: "/t" },
  fromWebToken: { ...SHARED, ...STS, ...SESSION, ...CACHE, region: "r", webIdentityToken: "token" },
  fromSSO: { ...SHARED, ...SSO_ROLE, ...SERVICE, ...LOGIN, ...CACHE },
  fromLoginCredentials: { ...SHARED, ...SERVICE, ...LOGIN, ...CACHE, region: "r", clientConfig: { region: "r" } },
  fromTemporaryCredentials: {
    ...SHARED,
    ...STS,
    ...MFA,
    ...CACHE,
    region: "r",
    params: { RoleArn: ROLE },
    clientConfig: {},
  },
  defaultProvider: { ...PROFILE, ...CACHE },
  "new ImdsClient": { ...SHARED, ...IMDS },
};

/** Without these a role provider cannot be created. */
const REQUIRED: Readonly<Record<string, object>> = { fromTemporaryCredentials: { params: { RoleArn: ROLE } } };

function make(name: string, options: object | null): unknown {
  return MAKERS[name]?.((options && { ...REQUIRED[name], ...options }) as never);
}

function warningsOf(name: string, options: object): readonly string[] {
  const warnings: string[] = [];
  make(name, { runtime: new FakeRuntime(), logger: { warn: (line: string) => warnings.push(line) }, ...options });
  return warnings;
}

for (const name of Object.keys(MAKERS)) {
  describe(`${name}()`, () => {
    it("throws ConfigurationError, for null in place of options", () => {
      const error = assertThrows(() => make(name, null), CredentialsProviderError);
      assertEquals(error.code, "ConfigurationError");
      assert(error.message.endsWith("options must be an object, received null"), error.message);
    });

    it("takes every option that it documents without a warning", () => {
      assertEquals(warningsOf(name, KNOWN[name] ?? {}), []);
    });

    it("takes undefined for an option that is not given", () => {
      const undefineds = Object.fromEntries(Object.keys(KNOWN[name] ?? {}).map((option) => [option, undefined]));
      make(name, { ...undefineds, ...REQUIRED[name], runtime: undefined, logger: undefined });
    });

    it("warns of an option that it does not know", () => {
      const [warning = "", ...others] = warningsOf(name, { lager: "CANARY" });
      assertEquals(others, []);
      assert(warning.startsWith("Ignored the unknown option lager of the "), warning);
      assert(warning.endsWith("; the most similar option is logger"), warning);
    });

    it("throws ConfigurationError, for a logger or a runtime that is none", () => {
      for (const [option, value] of [["logger", 5], ["runtime", 5], ["runtime", null]]) {
        const error = assertThrows(() => make(name, { [`${option}`]: value }), CredentialsProviderError);
        assertEquals(error.code, "ConfigurationError");
        assert(error.message.includes(`${option} must be an object`), error.message);
      }
    });
  });
}

describe("editDistance()", () => {
  const cases: readonly (readonly [from: string, to: string, distance: number])[] = [
    ["profile", "profile", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["\u{1f600}", "\u{1f600}", 0],
    ["a\u{1f600}", "a", 1],
    ["a", "\u{1f600}a", 1],
  ];
  for (const [from, to, distance] of cases) {
    it(`is ${distance} between "${from}" and "${to}"`, () => assertEquals(editDistance(from, to), distance));
  }
});

describe("unknown options", () => {
  const cases: readonly [string, object, string][] = [
    [
      "fromProfile",
      { PROFILE: "x" },
      "Ignored the unknown option PROFILE of the profile provider; the most similar option is profile",
    ],
    [
      "fromEnv",
      { constructor: 1 },
      "Ignored the unknown option constructor of the environment provider; the most similar option is onEvent",
    ],
    [
      "fromInstanceMetadata",
      { timeOut: 5 },
      "Ignored the unknown option timeOut of the instance metadata provider; the most similar option is timeout",
    ],
    [
      "fromInstanceMetadata",
      { httpOptions: { connectTimeOut: 5 } },
      "Ignored the unknown option httpOptions.connectTimeOut of the instance metadata provider; the most similar option is httpOptions.connectTimeout",
    ],
    [
      "fromProcess",
      { comand: "x" },
      "Ignored the unknown option comand of the process provider; the most similar option is command",
    ],
    [
      "fromProfile",
      { imds: { maxRetrys: 1 } },
      "Ignored the unknown option imds.maxRetrys of the profile provider; the most similar option is imds.maxRetries",
    ],
    [
      "fromProfile",
      { process: { command: "x" } },
      "Ignored the unknown option process.command of the profile provider; the most similar option is process.cwd",
    ],
    [
      "defaultProvider",
      { sharedConfig: { credential: "" } },
      "Ignored the unknown option sharedConfig.credential of the default provider; the most similar option is sharedConfig.credentials",
    ],
    [
      "fromEnv",
      { "a\u001b[0m\u2028b": 1 },
      "Ignored the unknown option a [0m b of the environment provider; the most similar option is logger",
    ],
  ];
  for (const [name, options, warning] of cases) {
    it(`are named with the most similar option: ${JSON.stringify(options)}`, () => {
      assertEquals(warningsOf(name, options), [warning]);
    });
  }

  it("are printed once without a logger, however many providers are created", () => {
    const runtime = new FakeRuntime();
    for (let count = 0; count < 3; count++) fromProfile({ runtime, ...{ profil: "x" } });
    assertEquals(runtime.warnings, [
      "Ignored the unknown option profil of the profile provider; the most similar option is profile",
    ]);
  });

  it("are given to each logger once", () => {
    const runtime = new FakeRuntime();
    const lines: string[] = [];
    for (let count = 0; count < 2; count++) {
      const logger = { warn: (line: string) => lines.push(line) };
      for (let count = 0; count < 2; count++) fromEnv({ runtime, logger, ...{ logga: 1 } });
    }
    assertEquals([lines.length, runtime.warnings], [2, []]);
  });

  it("are not reported, when the logger is null", () => {
    const runtime = new FakeRuntime();
    fromEnv({ runtime, logger: null, ...{ logga: 1 } });
    assertEquals(runtime.warnings, []);
  });
});

describe("options are checked when the provider is created", () => {
  interface Range {
    readonly create: string;
    readonly option: string;
    readonly range: string;
    readonly accepted: readonly unknown[];
    readonly refused: readonly (readonly [value: unknown, description: string])[];
  }
  const ranges: readonly Range[] = [
    {
      create: "fromInstanceMetadata",
      option: "disabled",
      range: "true or false",
      accepted: [true, false],
      refused: [[0, "0"], ["true", "a string of length 4"], [null, "null"]],
    },
    {
      create: "fromInstanceMetadata",
      option: "timeout",
      range: "a number of milliseconds > 0",
      accepted: [0.5, 1],
      refused: [[0, "0"], [-1, "-1"], [NaN, "NaN"], [Infinity, "Infinity"], ["1", "a string of length 1"]],
    },
    {
      create: "fromInstanceMetadata",
      option: "maxRetries",
      range: "an integer >= 0",
      accepted: [0, Number.MAX_SAFE_INTEGER],
      refused: [[-1, "-1"], [0.5, "0.5"], [2 ** 53, `${2 ** 53}`], ["1", "a string of length 1"]],
    },
    {
      create: "fromInstanceMetadata",
      option: "tokenTtlSeconds",
      range: "an integer from 1 to 21600",
      accepted: [1, 21_600],
      refused: [[0, "0"], [21_601, "21601"], [1n, "1"]],
    },
    {
      create: "fromInstanceMetadata",
      option: "retryDelayOptions.base",
      range: "a number of milliseconds >= 0",
      accepted: [0, 0.5],
      refused: [[-1, "-1"], [Infinity, "Infinity"], ["0", "a string of length 1"]],
    },
    {
      create: "fromInstanceMetadata",
      option: "retryDelayOptions.customBackoff",
      range: "a function",
      accepted: [() => 1],
      refused: [[1, "1"], [{}, "an object"], [Symbol("x"), "a symbol"]],
    },
    {
      create: "fromInstanceMetadata",
      option: "endpoint",
      range: "an absolute http: or https: URL without user info, query and fragment",
      accepted: ["http://169.254.169.254", "https://localhost:1/base/"],
      refused: [
        ["", "a blank string"],
        [" ", "a blank string"],
        ["localhost", "a string of length 9"],
        ["ftp://h", "a string of length 7"],
        ["http://user@h", "a string of length 13"],
        ["http://:password@h", "a string of length 18"],
        ["https://h?q", "a string of length 11"],
        ["https://h#f", "a string of length 11"],
        [new URL("http://h"), "an object"],
      ],
    },
    {
      create: "fromInstanceMetadata",
      option: "client",
      range: "an object",
      accepted: [{ get: () => {} }],
      refused: [[null, "null"], [() => {}, "a function"]],
    },
    {
      create: "fromProcess",
      option: "timeout",
      range: "a number of milliseconds > 0 or Infinity",
      accepted: [0.5, Infinity],
      refused: [[0, "0"], [-1, "-1"], [NaN, "NaN"], [-Infinity, "-Infinity"], ["1", "a string of length 1"]],
    },
    {
      create: "fromProcess",
      option: "command",
      range: "a string or an array of strings",
      accepted: ["program", ["program", "argument"]],
      refused: [[5, "5"], [["program", 5], "an array"], [[5, "argument"], "an array"], [{}, "an object"]],
    },
    {
      create: "fromProcess",
      option: "env",
      range: "an object of strings",
      accepted: [{}, { A: "b" }],
      refused: [[null, "null"], ["", "a blank string"], [{ A: "b", C: 1 }, "an object"]],
    },
    {
      create: "fromProfile",
      option: "profile",
      range: "a string that is not blank",
      accepted: ["dev"],
      refused: [["", "a blank string"], ["\t", "a blank string"], [5, "5"]],
    },
    {
      create: "fromProfile",
      option: "sharedConfig.config",
      range: "a string",
      accepted: ["", "[default]"],
      refused: [[["[default]"], "an array"]],
    },
    {
      create: "fromEnv",
      option: "advisoryWindow",
      range: "a number",
      accepted: [-1, 0, 0.5],
      refused: [[Infinity, "Infinity"], ["1", "a string of length 1"]],
    },
    {
      create: "fromEnv",
      option: "advisoryWindowJitter",
      range: "a number from 0 to 1",
      accepted: [0, 0.5, 1],
      refused: [[-0.1, "-0.1"], [1.1, "1.1"], [NaN, "NaN"], ["0", "a string of length 1"]],
    },
    {
      create: "fromEnv",
      option: "expiryWindowSeconds",
      range: "a number of seconds >= 0",
      accepted: [0, 0.5],
      refused: [[-1, "-1"], [NaN, "NaN"], ["0", "a string of length 1"]],
    },
    {
      create: "defaultProvider",
      option: "timeout",
      range: "left out (set imds.timeout)",
      accepted: [undefined],
      refused: [[1, "1"], [true, "true"]],
    },
  ];
  const given = (option: string, value: unknown): object =>
    option.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
  for (const { create, option, range, accepted, refused } of ranges) {
    it(`${create}({ ${option} }) takes ${range}`, () => {
      for (const value of accepted) make(create, given(option, value));
    });
    for (const [value, description] of refused) {
      it(`${create}({ ${option} }) refuses ${description}: ${String(value)}`, () => {
        const error = assertThrows(() => make(create, given(option, value)), CredentialsProviderError);
        assertEquals(error.code, "ConfigurationError");
        const message = `: ${option} must be ${range}, received ${description}`;
        assert(error.message.endsWith(message), error.message);
        assertEquals(error.hint, `Correct ${option}, or remove it if it is optional.`);
      });
    }
  }
});

describe("time limits", () => {
  const sources: Readonly<Record<string, object>> = {
    fromInstanceMetadata: {},
    fromContainerMetadata: { awsContainerCredentialsRelativeUri: "/x" },
    fromTokenFile: { webIdentityTokenFile: "/t", roleArn: ROLE },
    fromTemporaryCredentials: { masterCredentials: { accessKeyId: "A", secretAccessKey: "s" } },
  };
  for (const [name, source] of Object.entries(sources)) {
    for (const [given, limit] of [[1500.5, 1501], [1e12, 2 ** 31 - 1]] as const) {
      it(`of ${given} ms are ${limit} ms for the timers of ${name}()`, async () => {
        const fake = new FakeRuntime();
        fake.files["/t"] = "token";
        const limits: number[] = [];
        const runtime = {
          ...fake,
          timeout(ms: number) {
            limits.push(ms);
            return fake.timeout(ms);
          },
        };
        const provider = make(name, { runtime, ...source, timeout: given, connectTimeout: given, maxRetries: 0 });
        await (provider as () => Promise<unknown>)().catch(() => {});
        assertEquals(Math.max(...limits), limit);
        assert(limits.every(Number.isInteger), limits.join());
      });
    }
  }
});

describe("the option runtime", () => {
  it("may be a string: AWS SDK v3 calls a credentialDefaultProvider with its own configuration", () => {
    defaultProvider({ ...{ runtime: "node" } as object, logger: null });
  });
});

describe("nested options", () => {
  const cases: readonly [object, string][] = [
    [{ imds: 5 }, "imds must be an object, received 5"],
    [{ imds: null }, "imds must be an object, received null"],
    [{ imds: { timeout: -1 } }, "imds.timeout must be a number of milliseconds > 0, received -1"],
    [
      { imds: { httpOptions: { timeout: "1" } } },
      "imds.httpOptions.timeout must be a number of milliseconds > 0, received a string of length 1",
    ],
    [
      { imds: { ec2InstanceProfileName: "a/b" } },
      "imds.ec2InstanceProfileName must be a role name of 1 to 128 characters",
    ],
    [{ process: { stdin: "pipe" } }, 'process.stdin must be "inherit" or "ignore", received a string of length 4'],
    [{ sharedConfig: { config: 5 } }, "sharedConfig.config must be a string, received 5"],
    [{ sharedConfig: { credentials: null } }, "sharedConfig.credentials must be a string, received null"],
  ];
  for (const [options, state] of cases) {
    it(`are checked when the provider is created: ${JSON.stringify(options)}`, () => {
      for (const [create, what] of [[fromProfile, "profile"], [defaultProvider, "default"]] as const) {
        const error = assertThrows(() => create(options), CredentialsProviderError);
        assertEquals(error.code, "ConfigurationError");
        assert(error.message.startsWith(`Cannot create the ${what} provider: ${state}`), error.message);
      }
    });
  }

  it("may be undefined, and then do not replace those of the provider", async () => {
    const lines: string[] = [];
    const logger = { debug: (line: string) => lines.push(line) };
    const sharedConfig = { config: "[default]\ncredential_process = x" };
    const runtime = new FakeRuntime();
    const imds = { logger: undefined, failFast: undefined };
    const provider = fromProfile({ sharedConfig, runtime, logger, imds, process: { logger: undefined } });
    await provider().catch(() => {});
    assertFalse(lines.length === 0);
  });
});
