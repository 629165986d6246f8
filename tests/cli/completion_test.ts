import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { spawnSync } from "node:child_process";
import { itWith } from "../support/cli.ts";
import { FakeTerminal } from "../support/fake_terminal.ts";

async function script(shell: string): Promise<string> {
  const terminal = new FakeTerminal();
  assertEquals([await terminal.run("completion", shell), terminal.stderr], [0, ""]);
  return terminal.stdout;
}

/** What is proposed at the cursor, after the last word of a command line. */
const CASES: readonly (readonly [words: readonly string[], has: readonly string[], hasNot: readonly string[]])[] = [
  [["rolecreds", ""], ["get", "exec", "serve", "doctor", "emulate", "completion"], ["--profile"]],
  [["rolecreds", "e"], ["exec", "emulate"], ["get"]],
  [["rolecreds", "get", "--"], ["--format", "--profile", "--emulate", "--help"], ["--imds"]],
  [["rolecreds", "get", "--pro"], ["--profile"], ["--format"]],
  [["rolecreds", "get", "--format", ""], ["env", "fish", "powershell"], ["--profile"]],
  [["rolecreds", "get", "--format", "f"], ["fish"], ["env"]],
  [["rolecreds", "serve", "--i"], ["--imds"], ["--emulate"]],
  [["rolecreds", "emulate", ""], ["imds", "sts"], ["get"]],
  [["rolecreds", "completion", ""], ["bash", "zsh", "fish"], ["get"]],
];

describe("rolecreds completion", () => {
  itWith("bash")("bash completes commands, options and values", async () => {
    const source = await script("bash");
    for (const [words, has, hasNot] of CASES) {
      const code =
        `${source}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rolecreds; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = spawnSync("bash", ["-c", code, "bash", ...words], { encoding: "utf8" });
      const proposed = stdout.trim().split("\n");
      assertEquals([stderr, has.filter((word) => !proposed.includes(word))], ["", []], `${words}: ${proposed}`);
      assertEquals(hasNot.filter((word) => proposed.includes(word)), [], `${words}: ${proposed}`);
    }
  });

  itWith("bash")("bash proposes none of our options after --", async () => {
    const code = `compopt() { :; }\n${await script("bash")}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rolecreds
      echo "\${#COMPREPLY[@]}"`;
    const words = ["rolecreds", "exec", "--", "terraform", "--"];
    assertEquals(spawnSync("bash", ["-c", code, "bash", ...words], { encoding: "utf8" }).stdout, "0\n");
  });

  itWith("fish")("fish completes commands, options and values", async () => {
    const source = await script("fish");
    for (const [words, has, hasNot] of CASES) {
      const code = `${source}\ncomplete -C '${words.join(" ")}'`;
      const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", code], { encoding: "utf8" });
      const proposed = stdout.trim().split("\n").map((line) => line.split("\t")[0] ?? "");
      assertEquals([stderr, has.filter((word) => !proposed.includes(word))], ["", []], `${words}: ${proposed}`);
      assertEquals(hasNot.filter((word) => proposed.includes(word)), [], `${words}: ${proposed}`);
    }
  });

  itWith("zsh")("zsh accepts its script", async () => {
    const code = `compdef() { registered=$2 }\n${await script("zsh")}\nprint $registered; whence -w _rolecreds`;
    const { stdout, stderr } = spawnSync("zsh", ["-f", "-c", code], { encoding: "utf8" });
    assertEquals([stdout, stderr], ["rolecreds\n_rolecreds: function\n", ""]);
  });

  it("names every option of every command in each script", async () => {
    const help = new FakeTerminal();
    await help.run("exec", "--help");
    const options = [...help.stdout.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name ?? "");
    assert(options.includes("min-lifetime"), options.join());
    for (const shell of ["bash", "zsh", "fish"]) {
      const text = await script(shell);
      assertEquals(options.filter((name) => !text.includes(name)), [], shell);
    }
  });
});
