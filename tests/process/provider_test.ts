import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  CredentialsProviderError,
  ProcessProvider,
  type ProcessProviderOptions,
  type SpawnOptions,
  type SpawnResult,
} from "../../mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { readTable } from "../support/tables.ts";

const DOCUMENT = '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}';

/** A runtime whose every process has this result, and what it was asked to run. */
class FakeProcesses extends FakeRuntime {
  readonly runs: { readonly command: readonly string[]; readonly options: SpawnOptions }[] = [];

  constructor(result: SpawnResult = printed(DOCUMENT)) {
    super();
    this.spawn = (command, options) => {
      this.runs.push({ command, options });
      return Promise.resolve(result);
    };
  }
}

function printed(text: string | Uint8Array, rest: object = {}): SpawnResult {
  return {
    kind: "exited",
    exitCode: 0,
    stdout: typeof text === "string" ? new TextEncoder().encode(text) : text,
    ...rest,
  };
}

async function failure(result: SpawnResult, options: Partial<ProcessProviderOptions> = {}) {
  const provider = new ProcessProvider({ command: "helper", runtime: new FakeProcesses(result), ...options });
  return await assertRejects(() => provider.retrieve(), CredentialsProviderError);
}

interface Row {
  readonly name: string;
  readonly options: Partial<ProcessProviderOptions>;
  readonly message: string;
}

describe("new ProcessProvider()", () => {
  for (const { name, options, message } of readTable<Row>("process_options")) {
    it(`throws ConfigurationError, for ${name}`, () => {
      const error = assertThrows(
        () => new ProcessProvider({ command: "helper", ...options } as ProcessProviderOptions),
        CredentialsProviderError,
      );
      assertEquals([error.code, error.message], [
        "ConfigurationError",
        `Cannot create the process provider: ${message}`,
      ]);
    });
  }

  it("throws ConfigurationError, for a command and a profile together", () => {
    const create = () => new ProcessProvider({ command: "helper", profile: "a" });
    const { code, message, hint } = assertThrows(create, CredentialsProviderError);
    assertEquals([code, message, hint], [
      "ConfigurationError",
      "Cannot create the process provider: command and profile cannot both be set",
      "Give the command, or the profile whose credential_process is the command.",
    ]);
  });

  it("runs nothing", () => {
    const runtime = new FakeProcesses();
    new ProcessProvider({ command: "helper", runtime, timeout: Infinity });
    assertEquals(runtime.runs, []);
  });
});

describe("ProcessProvider.retrieve()", () => {
  it("gives a string to /bin/sh whole, on POSIX", async () => {
    const runtime = new FakeProcesses();
    await new ProcessProvider({ command: ' a "b c" | d $E ', runtime }).retrieve();
    assertEquals(runtime.runs[0]?.command, ["/bin/sh", "-c", ' a "b c" | d $E ']);
    assertEquals(runtime.runs[0]?.options.verbatimArguments, false);
  });

  it("gives a string to ComSpec or cmd.exe whole and verbatim, on Windows", async () => {
    for (const [variables, shell] of [[{}, "cmd.exe"], [{ ComSpec: "C:\\cmd.exe" }, "C:\\cmd.exe"]] as const) {
      const runtime = new FakeProcesses();
      runtime.platform = "windows";
      Object.assign(runtime.variables, variables);
      await new ProcessProvider({ command: '"C:\\a b.exe" --x "%Y%"', runtime }).retrieve();
      assertEquals(runtime.runs[0]?.command, [shell, "/d", "/s", "/c", '""C:\\a b.exe" --x "%Y%""']);
      assertEquals(runtime.runs[0]?.options.verbatimArguments, true);
    }
  });

  it("runs an array as it is, on every platform", async () => {
    for (const platform of ["posix", "windows"] as const) {
      const runtime = new FakeProcesses();
      runtime.platform = platform;
      await new ProcessProvider({ command: ["a b", "$C", ""], runtime }).retrieve();
      assertEquals(runtime.runs[0]?.command, ["a b", "$C", ""]);
      assertEquals(runtime.runs[0]?.options.verbatimArguments, false);
    }
  });

  it("runs with 60 s, 64 KiB and inherited streams, by default", async () => {
    const runtime = new FakeProcesses();
    await new ProcessProvider({ command: "helper", runtime }).retrieve();
    const { env: _, ...options } = runtime.runs[0]?.options ?? {};
    assertEquals(options as object, {
      timeoutMs: 60_000,
      maxOutputBytes: 65_536,
      stdin: "inherit",
      stderr: "inherit",
      inheritEnv: true,
      cwd: undefined,
      verbatimArguments: false,
      signal: undefined,
    });
  });

  it("runs with what the options say", async () => {
    const runtime = new FakeProcesses();
    const { signal } = new AbortController();
    const options = { timeout: 5, maxBufferSize: 10_000, stdin: "ignore", stderr: "pipe", signal } as const;
    await new ProcessProvider({ command: "helper", env: { A: "1" }, runtime, ...options }).retrieve();
    const run = runtime.runs[0]?.options;
    assertEquals([run?.timeoutMs, run?.maxOutputBytes, run?.stdin, run?.stderr], [5, 10_000, "ignore", "pipe"]);
    assertEquals([run?.env["A"], run?.signal === signal], ["1", true]);
  });

  it("runs in another folder and with no variables but the given ones and its marker, when the options say so", async () => {
    const runtime = new FakeProcesses();
    const options = { cwd: "/opt/helper", inheritEnv: false, env: { A: "1" } };
    await new ProcessProvider({ command: "helper", runtime, ...options }).retrieve();
    const run = runtime.runs[0]?.options;
    assertEquals([run?.cwd, run?.inheritEnv, Object.keys(run?.env ?? {}).length], ["/opt/helper", false, 2]);
  });

  it("runs with a time limit that timers accept", async () => {
    for (const [timeout, limit] of [[1500.5, 1501], [1e12, 2 ** 31 - 1], [Infinity, Infinity]] as const) {
      const runtime = new FakeProcesses();
      await new ProcessProvider({ command: "helper", runtime, timeout }).retrieve();
      assertEquals(runtime.runs[0]?.options.timeoutMs, limit);
    }
  });

  it("is aborted by either signal, when both are given", async () => {
    for (const aborted of ["options", "call"]) {
      const [options, call] = [new AbortController(), new AbortController()];
      const runtime = new FakeProcesses();
      const provider = new ProcessProvider({ command: "helper", signal: options.signal, runtime });
      await provider.retrieve({ signal: call.signal });
      (aborted === "options" ? options : call).abort();
      assertEquals(runtime.runs[0]?.options.signal?.aborted, true, aborted);
    }
  });

  it("names the account of the options, when the document does not", async () => {
    const provider = new ProcessProvider({
      command: "helper",
      accountId: "123456789012",
      runtime: new FakeProcesses(),
    });
    assertEquals((await provider.retrieve()).accountId, "123456789012");
  });

  it("names the account of the options before the one of the profile", async () => {
    const sharedConfig = { config: "[profile a]\ncredential_process = helper\naws_account_id = 111111111111\n" };
    const options = { profile: "a", sharedConfig, runtime: new FakeProcesses() };
    assertEquals((await new ProcessProvider(options).retrieve()).accountId, "111111111111");
    const accountId = "222222222222";
    assertEquals((await new ProcessProvider({ ...options, accountId }).retrieve()).accountId, accountId);
  });

  it("repairs quotes on Windows only", async () => {
    const result = printed(DOCUMENT.replaceAll('"', '\\"'));
    assertEquals((await failure(result)).code, "ProcessProviderParseError");
    const runtime = new FakeProcesses(result);
    runtime.platform = "windows";
    assertEquals((await new ProcessProvider({ command: "helper", runtime }).retrieve()).accessKeyId, "AKIAEXAMPLE");
  });

  it("throws ExpiredCredentialsError, when the expiration is now or before", async () => {
    const at = (iso: string) => printed(DOCUMENT.replace("}", `,"Expiration":"${iso}"}`));
    assertEquals((await failure(at("2026-01-01T00:00:00Z"))).code, "ExpiredCredentialsError");
    assertEquals((await failure(at("2001-01-01T00:00:00Z"))).code, "ExpiredCredentialsError");
    const runtime = new FakeProcesses(at("2026-01-01T00:00:01Z"));
    await new ProcessProvider({ command: "helper", runtime }).retrieve();
  });

  it("throws ProcessProviderParseError with the length, when the output is not UTF-8", async () => {
    const error = await failure(printed(new Uint8Array([0x7b, 0xff, 0x7d])));
    assertEquals([error.code, error.cause], ["ProcessProviderParseError", undefined]);
    assertMatch(error.message, /not valid UTF-8, 3 bytes$/);
  });

  it("throws ProcessProviderExecutionError and runs nothing, when the command is blank", async () => {
    for (const command of ["", " \n", [], [""], ["  ", "x"]]) {
      const runtime = new FakeProcesses();
      const provider = new ProcessProvider({ command, runtime });
      const error = await assertRejects(() => provider.retrieve(), CredentialsProviderError);
      assertEquals([error.code, runtime.runs.length], ["ProcessProviderExecutionError", 0]);
      assertEquals(error.message, "Cannot run the credential process: the command is blank");
    }
  });

  const BY_HAND = "Run the command in a terminal: it must print the document and exit with code 0.";
  const ENDINGS: readonly (readonly [result: SpawnResult, state: string, hint: string, details?: object])[] = [
    [{ ...printed(DOCUMENT), exitCode: 3 } as SpawnResult, "exit code 3", BY_HAND, { exitCode: 3 }],
    [
      { kind: "exited", signal: "SIGKILL", stdout: new Uint8Array() },
      "killed by SIGKILL",
      BY_HAND,
      { signal: "SIGKILL" },
    ],
    [
      { kind: "timedOut" },
      "no result after 60000 ms",
      "Find out what the process waits for, or raise timeout.",
    ],
    [
      { kind: "tooMuchOutput" },
      "it printed more than 65536 bytes",
      "Print the document only, or raise maxBufferSize.",
    ],
    [
      { kind: "notStarted", cause: new Error("there is no such program") },
      "there is no such program",
      "Check the path of the program, and that this user may execute it.",
    ],
  ];
  for (const [result, state, hint, details] of ENDINGS) {
    it(`throws ProcessProviderExecutionError, for ${state}`, async () => {
      const error = await failure(result);
      assertEquals([error.message, error.hint], [`Cannot run the credential process: ${state}`, hint]);
      const { exitCode, signal, code, recoverable, tryNextLink } = error;
      assertEquals(
        { exitCode, signal, code, recoverable, tryNextLink },
        {
          exitCode: undefined,
          signal: undefined,
          ...details,
          code: "ProcessProviderExecutionError",
          recoverable: true,
          tryNextLink: false,
        },
      );
      assertEquals(error.cause, result.kind === "notStarted" ? result.cause : undefined);
    });
  }

  it("makes text from outside printable in messages and debug lines", async () => {
    const cause = new Error("no\u001b[2Jsuch\nprogram\u202e");
    assertEquals(
      (await failure({ kind: "notStarted", cause })).message,
      "Cannot run the credential process: no [2Jsuch program",
    );
    const killed = await failure({ kind: "exited", signal: "SIG\r\nKILL", stdout: new Uint8Array() });
    assertEquals(killed.message, "Cannot run the credential process: killed by SIG KILL");

    const lines: string[] = [];
    const logger = { debug: (line: string) => void lines.push(line) };
    await new ProcessProvider({ command: ["\u001b[31mhelper --secret"], logger, runtime: new FakeProcesses() })
      .retrieve();
    assertEquals(lines, ["Running the credential process with [31mhelper"]);
  });

  it("gives the hint of the runtime, when it has one", async () => {
    const error = await failure({ kind: "notStarted", cause: new Error("refused"), hint: "Allow it." });
    assertEquals(error.hint, "Allow it.");
  });

  it("puts piped stderr into the error and not into its message, whatever failed", async () => {
    const stderr = "token expired";
    for (
      const result of [printed("", { stderr }), printed(DOCUMENT, { exitCode: 1, stderr }), {
        kind: "timedOut",
        stderr,
      }]
    ) {
      const error = await failure(result as SpawnResult, { stderr: "pipe" });
      assertEquals(error.stderr, stderr);
      assertEquals(error.message.includes(stderr), false);
    }
  });

  it("passes on the reason of an abort as it is", async () => {
    const reason = new Error("enough");
    const runtime = new FakeProcesses();
    runtime.spawn = () => Promise.reject(reason);
    const error = await assertRejects(() => new ProcessProvider({ command: "helper", runtime }).retrieve());
    assertEquals(error === reason, true);
  });

  it("refuses to run inside a run of the same command, and only then", async () => {
    const outer = new FakeProcesses();
    await new ProcessProvider({ command: "helper --secret x", runtime: outer }).retrieve();
    const inherited = outer.runs[0]?.options.env ?? {};
    assertEquals(Object.keys(inherited).length, 1);
    assertMatch(Object.entries(inherited).join(), /^AWS_ROLECREDS_RUNS_[0-9a-f]{8},1$/);

    const inner = new FakeProcesses();
    Object.assign(inner.variables, inherited);
    const again = new ProcessProvider({ command: "helper --secret x", runtime: inner });
    const error = await assertRejects(() => again.retrieve(), CredentialsProviderError);
    assertEquals([error.code, inner.runs.length], ["ProcessProviderExecutionError", 0]);
    assertMatch(error.hint ?? "", /unset AWS_ROLECREDS_RUNS_/);

    await new ProcessProvider({ command: "another helper", runtime: inner }).retrieve();
    assertEquals(inner.runs.length, 1);
  });

  it("names the marker after the FNV-1a hash of the command as JSON", async () => {
    const MARKERS: readonly (readonly [command: string | readonly string[], hash: string])[] = [
      ["helper", "661296fd"],
      ["helper 532", "00a689df"],
      [["a", "b"], "e0671ac8"],
    ];
    for (const [command, hash] of MARKERS) {
      const runtime = new FakeProcesses();
      await new ProcessProvider({ command, runtime }).retrieve();
      assertEquals(runtime.runs[0]?.options.env, { [`AWS_ROLECREDS_RUNS_${hash}`]: "1" });
    }
  });

  it("keeps its marker, whatever variables the options add", async () => {
    const runtime = new FakeProcesses();
    const provider = new ProcessProvider({ command: "helper", env: { A: "1" }, runtime });
    await provider.retrieve();
    assertEquals(Object.keys(runtime.runs[0]?.options.env ?? {}).length, 2);
  });
});

describe("ProcessProvider.providerSources()", () => {
  it("returns the name of the provider", () => {
    assertEquals(new ProcessProvider({ command: "helper" }).providerSources(), ["ProcessProvider"]);
  });
});
