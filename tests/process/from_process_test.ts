import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { spawnSync } from "node:child_process";
import { inspect } from "node:util";
import {
  CredentialsProviderError,
  fromProcess,
  type ProcessOptions,
  ProcessProvider,
  type ProcessProviderOptions,
} from "../../mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { describeOnPosix, moduleUrl, runtimeCommand, Scratch } from "../support/processes.ts";

const DOCUMENT = '{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}';
const TEMPORARY =
  '{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"secret","SessionToken":"token","Expiration":"2099-01-01T00:00:00Z"}';

async function failure(options: ProcessProviderOptions): Promise<CredentialsProviderError> {
  return await assertRejects(() => new ProcessProvider(options).retrieve(), CredentialsProviderError);
}

/** A runtime on which the n-th run prints the n-th document. */
class Helper extends FakeRuntime {
  runs = 0;

  constructor(...expirations: readonly (string | undefined)[]) {
    super();
    this.spawn = () => {
      const Expiration = expirations[this.runs++];
      const document = { Version: 1, AccessKeyId: `AKIA${this.runs}`, SecretAccessKey: "secret", Expiration };
      const stdout = new TextEncoder().encode(this.runs > expirations.length ? "" : JSON.stringify(document));
      return Promise.resolve({ kind: "exited", exitCode: this.runs > expirations.length ? 1 : 0, stdout });
    };
  }
}

describe("fromProcess()", () => {
  it("keeps credentials until they expire", async () => {
    const runtime = new Helper("2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z");
    const provider = fromProcess({ command: "helper", runtime });
    assertEquals((await provider()).accessKeyId, "AKIA1");
    runtime.advance(3_599_999);
    assertEquals((await provider()).accessKeyId, "AKIA1");
    runtime.advance(1);
    assertEquals((await provider()).accessKeyId, "AKIA2");
  });

  it("throws the error of the helper, when credentials expired and it fails", async () => {
    const runtime = new Helper("2026-01-01T01:00:00Z");
    const provider = fromProcess({ command: "helper", runtime });
    await provider();
    runtime.advance(3_600_000);
    const error = await assertRejects(() => provider(), CredentialsProviderError);
    assertEquals([error.code, error.exitCode], ["ProcessProviderExecutionError", 1]);
  });

  it("serves cached credentials with a warning, when the helper fails inside the expiry window", async () => {
    const runtime = new Helper("2026-01-01T01:00:00Z");
    const warnings: string[] = [];
    const logger = { warn: (message: string) => void warnings.push(message) };
    const provider = fromProcess({ command: "helper", runtime, expiryWindowSeconds: 600, logger });
    await provider();
    runtime.advance(3_000_000);
    assertEquals((await provider()).accessKeyId, "AKIA1");
    assertEquals([runtime.runs, warnings.length], [2, 1]);
  });

  it("caches nothing, when the helper prints expired credentials", async () => {
    const runtime = new Helper("2025-12-31T23:59:59Z", undefined);
    const provider = fromProcess({ command: "helper", runtime });
    const error = await assertRejects(() => provider(), CredentialsProviderError);
    assertEquals(error.code, "ExpiredCredentialsError");
    assertEquals((await provider()).accessKeyId, "AKIA2");
  });

  it("throws ConfigurationError at once, for options of the provider and of the cache", () => {
    for (const options of [{ timeout: 0 }, { expiryWindowSeconds: -1 }]) {
      try {
        fromProcess({ command: "helper", ...options });
        assert(false, "must throw");
      } catch (error) {
        assertInstanceOf(error, CredentialsProviderError);
        assertEquals(error.code, "ConfigurationError");
      }
    }
  });
});

describe("coming from Go v1 processcreds", () => {
  it("has the provider name ProcessProvider", async () => {
    const provider = new ProcessProvider({ command: "helper", runtime: new Helper(undefined) });
    assertEquals((await provider.retrieve()).source, "ProcessProvider");
    assertEquals(provider.providerSources(), ["ProcessProvider"]);
  });

  const CODES: readonly (readonly [go: string, stdout: string, exitCode: number])[] = [
    ["ProcessProviderExecutionError", DOCUMENT, 1],
    ["ProcessProviderParseError", DOCUMENT.slice(0, 30), 0],
    ["ProcessProviderVersionError", DOCUMENT.replace("1", "2"), 0],
    ["ProcessProviderRequiredError", DOCUMENT.replace("AKIAEXAMPLE", ""), 0],
  ];
  for (const [code, stdout, exitCode] of CODES) {
    it(`has the code ${code}`, async () => {
      const runtime = new FakeRuntime();
      runtime.spawn = () => Promise.resolve({ kind: "exited", exitCode, stdout: new TextEncoder().encode(stdout) });
      assertEquals((await failure({ command: "helper", runtime })).code, code);
    });
  }

  it("never expires credentials without Expiration, where Duration did nothing", async () => {
    const runtime = new Helper(undefined);
    const provider = fromProcess({ command: "helper", runtime });
    assertEquals((await provider()).expiration, undefined);
    runtime.advance(10 * 365 * 86_400_000);
    await provider();
    assertEquals([runtime.runs, provider.cache.expired], [1, false]);
  });

  it("takes ExpiryWindow off the expiration", async () => {
    const runtime = new Helper("2026-01-01T01:00:00Z", undefined);
    const provider = fromProcess({ command: "helper", runtime, expiryWindowSeconds: 60 });
    await provider();
    runtime.advance(3_539_999);
    assertEquals((await provider()).accessKeyId, "AKIA1");
    runtime.advance(1);
    assertEquals((await provider()).accessKeyId, "AKIA2");
  });

  it("takes Timeout and MaxBufSize as timeout and maxBufferSize, with 1 min and now 64 KiB", async () => {
    const limits: unknown[] = [];
    const runtime = new FakeRuntime();
    runtime.spawn = (_, { timeoutMs, maxOutputBytes }) => {
      limits.push([timeoutMs, maxOutputBytes]);
      return Promise.resolve({ kind: "exited", exitCode: 0, stdout: new TextEncoder().encode(DOCUMENT) });
    };
    await new ProcessProvider({ command: "helper", runtime }).retrieve();
    await new ProcessProvider({ command: "helper", runtime, timeout: 1, maxBufferSize: 8_192 }).retrieve();
    assertEquals(limits, [[60_000, 65_536], [1, 8_192]]);
  });
});

describeOnPosix("fromProcess() with real processes", () => {
  it("gets credentials with every field and an expiration", async () => {
    using scratch = new Scratch();
    const command = [scratch.script("helper", `echo '${TEMPORARY}'`)];
    assertEquals({ ...await fromProcess({ command })() }, {
      accessKeyId: "ASIAEXAMPLE",
      secretAccessKey: "secret",
      sessionToken: "token",
      expiration: new Date("2099-01-01T00:00:00Z"),
      source: "ProcessProvider",
    });
  });

  it("gets credentials without an expiration, with CRLF and a byte order mark", async () => {
    using scratch = new Scratch();
    const command = [scratch.script("helper", `printf '\\357\\273\\277%s\\r\\n' '${DOCUMENT}'`)];
    assertEquals({ ...await fromProcess({ command })() }, {
      accessKeyId: "AKIAEXAMPLE",
      secretAccessKey: "secret",
      source: "ProcessProvider",
    });
  });

  it("starts one process, for ten callers at once", async () => {
    using scratch = new Scratch();
    const provider = fromProcess({ command: [scratch.script("helper", `echo '${DOCUMENT}'`)] });
    const all = await Promise.all(Array.from({ length: 10 }, () => provider()));
    assertEquals([new Set(all.map(({ accessKeyId }) => accessKeyId)).size, scratch.pids.length], [1, 1]);
  });

  it("gives a string to the shell as it is typed: quotes, variables, pipes, and", async () => {
    using scratch = new Scratch();
    scratch.script("a helper", `printf '%s' "$1" | sed s/:.secret./:'"'$2'"'/`);
    const command = `true && "$FOLDER/a helper" "$DOCUMENT" 'se$X' | cat`;
    const provider = fromProcess({ command, env: { FOLDER: scratch.folder, DOCUMENT } });
    assertEquals((await provider()).secretAccessKey, "se$X");
  });

  it("gives the strings of an array to the program as they are", async () => {
    using scratch = new Scratch();
    const helper = scratch.script(
      "a helper",
      `printf '{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"%s|%s"}' "$1" "$2"`,
    );
    const { secretAccessKey } = await fromProcess({ command: [helper, "$HOME; `id`", "*  '"] })();
    assertEquals(secretAccessKey, "$HOME; `id`|*  '");
  });

  const BROKEN: readonly (readonly [what: string, script: string, code: string, message: RegExp])[] = [
    [
      "a notice precedes the document",
      `echo Notice; echo '${DOCUMENT}'`,
      "ProcessProviderParseError",
      /not a JSON object, 76 bytes$/,
    ],
    ["it prints nothing", "", "ProcessProviderParseError", /it is empty$/],
    ["it prints no UTF-8", "printf '{\\377}'", "ProcessProviderParseError", /not valid UTF-8, 3 bytes$/],
    ["it prints without end", "yes", "ProcessProviderExecutionError", /more than 65536 bytes$/],
    [
      "a good document comes with exit code 3",
      `echo '${DOCUMENT}'; exit 3`,
      "ProcessProviderExecutionError",
      /exit code 3$/,
    ],
    [
      "a signal ends it after a good document",
      `echo '${DOCUMENT}'; kill -TERM $$`,
      "ProcessProviderExecutionError",
      /killed by SIGTERM$/,
    ],
  ];
  for (const [what, script, code, message] of BROKEN) {
    it(`throws ${code}, when ${what}`, async () => {
      using scratch = new Scratch();
      const error = await failure({ command: [scratch.script("helper", script)] });
      assertEquals(error.code, code);
      assertMatch(error.message, message);
      assertEquals(await scratch.survivors(), []);
    });
  }

  it("throws ProcessProviderExecutionError and leaves no process behind, when the helper sleeps for an hour", async () => {
    using scratch = new Scratch();
    const command = `'${scratch.script("helper", "sleep 3600 & pid $!; wait")}'; true`;
    const error = await failure({ command, timeout: 1_000 });
    assertEquals([error.code, error.hint?.includes("timeout")], ["ProcessProviderExecutionError", true]);
    assertEquals([scratch.pids.length, await scratch.survivors()], [2, []]);
  });

  it("throws the reason of the provider's signal, and runs nothing more", async () => {
    using scratch = new Scratch();
    const controller = new AbortController();
    const provider = fromProcess({ command: [scratch.script("helper", "sleep 3600")], signal: controller.signal });
    const retrieval = provider();
    await scratch.started(1);
    const reason = new Error("shutting down");
    controller.abort(reason);
    assertEquals(await assertRejects(() => retrieval) === reason, true);
    assertEquals(await assertRejects(() => provider()) === reason, true);
    assertEquals([scratch.pids.length, await scratch.survivors()], [1, []]);
  });

  it("gives exit code 127 of the shell, or the code of the system for an array, when there is no such program", async () => {
    const command = "/nonexistent/helper";
    assertEquals((await failure({ command, stderr: "ignore" })).exitCode, 127);
    const error = await failure({ command: [command] });
    assertStringIncludes(error.message, "there is no such program (ENOENT)");
    assertInstanceOf(error.cause, Error);
  });

  it("shows prompts on stderr and reads the response from stdin, as this program's own", () => {
    using scratch = new Scratch();
    const helper = scratch.script(
      "helper",
      `printf 'MFA code: ' >&2; read code; echo '${DOCUMENT}' | sed "s/AKIAEXAMPLE/$code/"`,
    );
    const host = scratch.file(
      "host.mjs",
      `
      import { fromProcess } from ${JSON.stringify(moduleUrl("mod"))};
      console.log((await fromProcess({ command: [${JSON.stringify(helper)}] })()).accessKeyId);
    `,
    );
    const [file, ...args] = runtimeCommand(host);
    const { stdout, stderr } = spawnSync(file, args, { encoding: "utf8", input: "123456\nmore\n" });
    assertEquals([stdout, stderr], ["123456\n", "MFA code: "]);
  });

  it("stops with a hint, when the helper asks for its own credentials again", () => {
    using scratch = new Scratch();
    const host = scratch.file(
      "host.mjs",
      `
      import { fromProcess } from ${JSON.stringify(moduleUrl("mod"))};
      await fromProcess({ command: ${JSON.stringify(`'${scratch.folder}/helper'`)} })().catch((error) => {
        console.error(error.message, error.hint);
        throw error;
      });
    `,
    );
    const command = runtimeCommand(host).map((word) => `'${word}'`).join(" ");
    scratch.script("helper", `exec ${command}`);
    const [file, ...args] = runtimeCommand(host);
    const { status, stderr } = spawnSync(file, args, { encoding: "utf8" });
    assertEquals([status, scratch.pids.length], [1, 1]);
    assertMatch(stderr, /started by a run of the same command .* unset AWS_ROLECREDS_RUNS_/);
  });
});

describeOnPosix("ProcessProvider", () => {
  const CANARY = "wJalrXUtnFEMI";
  const SECRET_DOCUMENT = DOCUMENT.replace('"secret"', `"${CANARY}"`);
  const CASES: readonly (readonly [name: string, script: string, options?: Partial<ProcessOptions>])[] = [
    ["the process succeeds", `echo '${SECRET_DOCUMENT}'`],
    ["the exit code is 3", `echo '${SECRET_DOCUMENT}'; exit 3`],
    ["a signal ends it", `echo '${SECRET_DOCUMENT}'; kill -KILL $$`],
    ["the output does not parse", `echo '${SECRET_DOCUMENT} ${CANARY}'`],
    ["the output is one word", `echo ${CANARY}`],
    ["the output is no UTF-8", `printf '${CANARY}\\377'`],
    ["the version is unknown", `echo '${SECRET_DOCUMENT}' | sed 's/1/"${CANARY}"/'`],
    ["a key is missing", `echo '${SECRET_DOCUMENT}' | sed s/AKIAEXAMPLE//`],
    ["a field has the wrong type", `echo '{"Version":1,"AccessKeyId":["${CANARY}"],"SecretAccessKey":"${CANARY}"}'`],
    ["the expiration is no time", `echo '{"Expiration":"${CANARY}",' | cat - "$0.rest"`],
    ["the output is too long", `echo '${SECRET_DOCUMENT}'`, { maxBufferSize: 9 }],
    ["the time is up", `echo '${SECRET_DOCUMENT}'; exec sleep 3600`, { timeout: 300 }],
    ["the diagnostics are piped", `echo '${SECRET_DOCUMENT}'; echo diagnostics >&2; exit 1`, { stderr: "pipe" }],
  ];

  /** Everything that was thrown, returned, logged and printed. */
  async function traces(command: string | readonly string[], options: Partial<ProcessOptions>): Promise<string> {
    const seen: unknown[] = [];
    const log = (message: string) => void seen.push(message);
    const logger = { trace: log, debug: log, info: log, warn: log, error: log };
    const given = { env: { SECRET: CANARY }, logger, onEvent: log as () => void, ...options, command };
    const source = new ProcessProvider(given);
    const provider = fromProcess(given);
    for (const retrieve of [() => source.retrieve(), provider]) {
      seen.push(await retrieve().catch((error: unknown) => error));
    }
    const { Deno, Bun } = globalThis as unknown as Record<string, { readonly inspect: typeof inspect }>;
    const everything = [...seen, source, provider, provider.cache];
    const views = [inspect, Deno?.inspect, Bun?.inspect].flatMap((view) =>
      view === undefined ? [] : everything.map((value) => view(value, { depth: 20 }))
    );
    const hidden = everything.map((value) =>
      value instanceof Error ? inspect(value, { depth: 20, showHidden: true }) : ""
    );
    return [...views, ...hidden, ...everything.map((value) => value instanceof Error ? `${value.stack}` : "")].join(
      "\n",
    );
  }

  for (const [name, script, options = {}] of CASES) {
    for (const isString of [false, true]) {
      it(`shows no secret, when ${name}, run ${isString ? "by the shell" : "directly"}`, async () => {
        using scratch = new Scratch();
        const helper = scratch.script("helper", script);
        scratch.file("helper.rest", '"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"S"}');
        const text = await traces(isString ? `'${helper}' ${CANARY}` : [helper, CANARY], {
          stderr: "ignore",
          ...options,
        });
        assertEquals(text.includes(CANARY), false);
        assert(/ProcessProvider|Credentials/.test(text));
      });
    }
  }

  for (
    const [name, ...command] of [
      ["there is no such program", "/nonexistent/helper", CANARY],
      ["an argument holds a NUL", "/bin/echo", `${CANARY}\0`],
      ["the program is a folder", "/", CANARY],
      ["the command is blank", " ", CANARY],
    ] as [string, ...string[]][]
  ) {
    it(`shows no secret, when ${name}`, async () => {
      assertEquals((await traces(command, {})).includes(CANARY), false);
    });
  }
});
