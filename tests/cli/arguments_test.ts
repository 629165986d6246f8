import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type ArgumentRules, nearestWord, parseArguments, UsageError } from "../../lib/cli/arguments.ts";
import { FakeTerminal } from "../support/fake_terminal.ts";

const RULES: ArgumentRules = {
  options: {
    profile: { placeholder: "NAME", summary: "" },
    format: { placeholder: "FORMAT", choices: ["json", "text"], summary: "" },
    timeout: { placeholder: "MS", range: [1, 100], summary: "" },
    emulate: { summary: "" },
    help: { summary: "" },
  },
};

describe("parseArguments()", () => {
  it("reads values, numbers, switches and the program", () => {
    const words = ["--profile", "dev", "--timeout=7", "--emulate", "--", "ls", "--help", "--", "-x"];
    const { switches, ...rest } = parseArguments(words, { ...RULES, program: "optional" });
    assertEquals([...switches], ["emulate"]);
    assertEquals(rest, {
      values: { profile: "dev" },
      numbers: { timeout: 7 },
      operand: "",
      program: ["ls", "--help", "--", "-x"],
    });
  });

  it("takes the last of several values, and a value that starts with - behind =", () => {
    const { values } = parseArguments(["--profile=a", "--profile=-b"], RULES);
    assertEquals(values, { profile: "-b" });
  });

  it("knows -h, and checks no operand when help is requested", () => {
    assertEquals([...parseArguments(["-h"], { ...RULES, program: "required" }).switches], ["help"]);
  });

  it("reads the operand, before or after options", () => {
    const rules = { ...RULES, operand: { name: "service", choices: ["imds", "sts"] } };
    assertEquals(parseArguments(["sts", "--emulate"], rules).operand, "sts");
    assertEquals(parseArguments(["--profile", "x", "imds"], rules).operand, "imds");
  });

  const wrong: readonly (readonly [words: readonly string[], message: string, rules?: Partial<ArgumentRules>])[] = [
    [["--profil", "x"], "unknown option --profil, did you mean --profile?"],
    [["--prof=x"], "unknown option --prof, did you mean --profile?"],
    [["--constructor"], "unknown option --constructor"],
    [["--__proto__"], "unknown option --__proto__"],
    [["-x"], "unknown option -x"],
    [["--profile"], "--profile needs a value: --profile NAME"],
    [["--profile="], "--profile needs a value: --profile NAME"],
    [["--profile", "--emulate"], "--profile needs a value: --profile NAME"],
    [["--format"], "--format needs a value: --format json|text"],
    [["--format", "jason"], "--format takes one of json, text; did you mean json?"],
    [["--emulate=false"], "--emulate takes no value"],
    [["--timeout", "0"], "--timeout takes an integer from 1 to 100"],
    [["--timeout", "1e2"], "--timeout takes an integer from 1 to 100"],
    [["--timeout", "101"], "--timeout takes an integer from 1 to 100"],
    [["word"], "unexpected argument word"],
    [["word"], "unexpected argument word; a program must follow --", { program: "optional" }],
    [["--", "ls"], "this command takes no program after --"],
    [["--"], "this command takes no program after --"],
    [["--"], "the program is missing: add -- and the program with its arguments", { program: "required" }],
    [["--", ""], "the program is missing: add -- and the program with its arguments", { program: "required" }],
    [[], "the service is missing; it is one of imds, sts", { operand: { name: "service", choices: ["imds", "sts"] } }],
    [["imd"], "the service cannot be imd; it is one of imds, sts; did you mean imds?", {
      operand: { name: "service", choices: ["imds", "sts"] },
    }],
    [["imds", "sts"], "unexpected argument sts", { operand: { name: "service", choices: ["imds", "sts"] } }],
  ];
  for (const [words, message, rules] of wrong) {
    it(`rejects ${JSON.stringify(words)}${rules === undefined ? "" : ` with ${Object.keys(rules)}`}`, () => {
      const error = assertThrows(() => parseArguments(words, { ...RULES, ...rules }), UsageError);
      assertEquals(error.message, message);
    });
  }
});

describe("nearestWord()", () => {
  it("names the one with the fewest different letters, or the one that is begun", () => {
    assertEquals(nearestWord("exce", ["emulate", "exec", "serve"]), "exec");
    assertEquals(nearestWord("comp", ["emulate", "completion"]), "completion");
    assertEquals(nearestWord("nonsense", ["emulate", "exec"]), undefined);
  });
});

describe("rolecreds", () => {
  const wrong: readonly (readonly [args: readonly string[], line: string])[] = [
    [[], "rolecreds: the command is missing: get, exec, serve, doctor, emulate, completion"],
    [["--"], "rolecreds: this command takes no program after --"],
    [["gte"], "rolecreds: unknown command gte: did you mean get?"],
    [["nonsense"], "rolecreds: unknown command nonsense: get, exec, serve, doctor, emulate, completion"],
    [["--nonsense", "get"], "rolecreds: unknown option --nonsense"],
    [["get", "put\x1b[31m\u202e"], "rolecreds: unexpected argument put [31m ; a program must follow --"],
    [["get", "--source", "env", "--profile", "x"], "rolecreds: --profile cannot be used with --source env"],
    [["get", "--source", "env", "--endpoint", "x"], "rolecreds: --endpoint cannot be used with --source env"],
    [["get", "--", "echo"], "rolecreds: a program cannot be used with --source default"],
    [
      ["get", "--emulate", "--profile", "x"],
      "--emulate cannot be used with --profile, --endpoint or a --source other than imds",
    ],
    [["get", "--source=process", "--profile=x", "--", "ls"], "--profile cannot be used with a program"],
    [["exec", "ls"], "rolecreds: unexpected argument ls; a program must follow --"],
    [["emulate", "imds", "--fault", "nonsense"], "--fault takes a status such as 503, or one of "],
    [["emulate", "imds", "--fault", "nowhere:hang"], "the step of --fault is one of token, list, document, item"],
  ];
  for (const [args, line] of wrong) {
    it(`exits with 2 and one line, for ${JSON.stringify(args)}`, async () => {
      const terminal = new FakeTerminal();
      assertEquals([await terminal.run(...args), terminal.stdout, terminal.errors.length], [2, "", 1]);
      assert(terminal.stderr.includes(line) && !terminal.stderr.includes("\n"), terminal.stderr);
    });
  }

  it("prints the help of a command, wherever --help stands, with examples", async () => {
    for (const name of ["get", "exec", "serve", "doctor", "emulate", "completion"]) {
      const helps = [];
      for (const args of [["--help", name], [name, "--help"], [name, "-h"], ["-h", name]]) {
        const terminal = new FakeTerminal();
        assertEquals([await terminal.run(...args), terminal.stderr], [0, ""]);
        helps.push(terminal.stdout);
      }
      assertEquals(new Set(helps).size, 1);
      assert(helps[0]?.startsWith(`Usage: rolecreds ${name}`) && helps[0].includes("\nExamples\n  # "), helps[0]);
    }
  });

  it("prints all commands with --help, and the version with --version", async () => {
    const help = new FakeTerminal();
    assertEquals(await help.run("--help"), 0);
    for (const name of ["get", "exec", "serve", "doctor", "emulate", "completion"]) {
      assert(help.stdout.includes(`\n  ${name} `));
    }
    const version = new FakeTerminal();
    assertEquals(await version.run("--version"), 0);
    assert(/^\d+\.\d+\.\d+$/.test(version.stdout), version.stdout);
  });

  it("has no line of help that is wider than a page", async () => {
    for (const name of ["get", "exec", "serve", "doctor", "emulate", "completion"]) {
      const terminal = new FakeTerminal();
      await terminal.run(name, "--help");
      assertEquals(terminal.stdout.split("\n").filter((line) => line.length > 120), []);
    }
  });
});
