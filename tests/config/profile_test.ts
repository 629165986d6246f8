import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { inspect } from "node:util";
import { CredentialsProviderError, parseSharedConfig, type SharedConfig, type SharedConfigFiles } from "../../mod.ts";
import { readTable } from "../support/tables.ts";

type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Row extends SharedConfigFiles {
  readonly name: string;
  readonly profiles?: Sections;
  readonly ssoSessions?: Sections;
  readonly services?: Sections;
  readonly ignored?: readonly string[];
  readonly error?: { readonly line: number; readonly says: string };
}

const SECRET = "wJalrXUtnFEMI";

/** Pieces of config files, broken ones among them. */
const fragment = fc.constantFrom(
  ..."[ ] = # ; \n \r \r\n \t \ufeff \0 é ! a B _".split(" "),
  " ",
  "\n ",
  "profile ",
  "default",
  "\n[default]\n",
  "\n[profile a]\n",
  "[sso-session a] # c\n",
  "\nname = value",
  "\ns3 =\n a = 1",
  "# c\n",
  "__proto__",
);
const anyText = fc.oneof(
  fc.string(),
  fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join("")),
  fc.array(fragment, { maxLength: 40 }).map((parts) => `[default]\n${parts.join("")}`),
);

const identifier = fc.string({
  unit: fc.constantFrom(..."abcXYZ019_-/.%@:+"),
  minLength: 1,
  maxLength: 12,
});
const lineText = fc.string({ unit: "grapheme" }).map((text) =>
  text.replaceAll(/[\r\n]/g, "").replaceAll(/^[ \t]+|[ \t]+$/g, "")
);
const nextLine = lineText.filter((text) => text !== "");
const value = fc.oneof(
  lineText.filter((text) => !/(^|[ \t])[#;]/.test(text)),
  fc.array(nextLine.map((text) => text.replaceAll(/[#;]/g, "-")), { minLength: 1 }).map((lines) => lines.join("\n")),
  fc.array(fc.tuple(identifier, nextLine).map(([name, text]) => `\n${name} = ${text}`)).map((lines) => lines.join("")),
);
const sections = fc.uniqueArray(
  fc.tuple(
    identifier,
    fc.uniqueArray(fc.tuple(identifier.map((name) => name.toLowerCase()), value), { selector: ([key]) => key }),
  ),
  { selector: ([name]) => name },
);
const layout = fc.record({
  lineFeed: fc.constantFrom("\n", "\r\n", "\n\n", "\r\n# c\r\n", "\n \t\n; c\n"),
  blank: fc.constantFrom(" ", "\t", " \t "),
  comment: fc.constantFrom("", " # c", "\t; c = d"),
});

/** Sections as plain maps, which compare by content. */
function toMaps(sections: SharedConfig["profiles"]): Map<string, Map<string, string>> {
  return new Map(Array.from(sections, ([name, properties]) => [name, new Map(properties)]));
}

function parseMaps(sections: Sections = {}): Map<string, Map<string, string>> {
  return new Map(Object.entries(sections).map(([name, properties]) => [name, new Map(Object.entries(properties))]));
}

/** The warnings without their reasons: `config file: section at line 1`. */
function places(warnings: readonly string[]): readonly string[] {
  return warnings.map((warning) => warning.replace(/^Ignored the (.+) of the (\w+ file): .+$/, "$2: $1"));
}

function attempt(files: SharedConfigFiles): SharedConfig | CredentialsProviderError {
  try {
    return parseSharedConfig(files);
  } catch (error) {
    assertInstanceOf(error, CredentialsProviderError);
    return error;
  }
}

describe("parseSharedConfig()", () => {
  for (const { name, config, credentials, error, ignored = [], ...expected } of readTable<Row>("shared_config")) {
    it(`parseSharedConfig() reads: ${name}`, () => {
      const result = attempt({ config, credentials });
      if (error !== undefined) {
        assertInstanceOf(result, CredentialsProviderError);
        assertEquals([result.code, result.line], ["ConfigParseError", error.line]);
        return assertStringIncludes(result.message, error.says);
      }
      if (result instanceof CredentialsProviderError) throw result;
      assertEquals(places(result.warnings), ignored);
      assertEquals(toMaps(result.profiles), parseMaps(expected.profiles));
      assertEquals(toMaps(result.ssoSessions), parseMaps(expected.ssoSessions));
      assertEquals(toMaps(result.services), parseMaps(expected.services));
    });
  }

  it("parseSharedConfig() says file, line and fix, when a line is malformed", () => {
    const files = {
      config: "[default]",
      credentials: `[default]\n\n${SECRET}`,
      credentialsPath: "/home/me/.aws/credentials",
    };
    const error = assertThrows(() => parseSharedConfig(files), CredentialsProviderError);
    assertEquals(error.name, "ConfigParseError");
    assertEquals(error.message, 'Cannot parse the credentials file /home/me/.aws/credentials: line 3 has no "="');
    assertEquals([error.path, error.line], ["/home/me/.aws/credentials", 3]);
    assertEquals([error.recoverable, error.tryNextLink], [false, false]);
    assertEquals(error.hint, "Write name = value, or put # before a comment.");
  });

  it("parseSharedConfig() names the kind of file, when it has no path", () => {
    const error = assertThrows(() => parseSharedConfig({ config: "[" }), CredentialsProviderError);
    assertStringIncludes(error.message, "Cannot parse the config file: line 1 starts");
    assertEquals(error.hint, 'Close the section header with "]".');
    assertEquals("path" in error, false);
  });

  it("parseSharedConfig() makes the path printable in messages", () => {
    const configPath = "/home/\u001b[31mme\u2028/config";
    const error = assertThrows(() => parseSharedConfig({ config: "[", configPath }), CredentialsProviderError);
    assertStringIncludes(error.message, "the config file /home/ [31mme /config: line 1");
    assertEquals(error.path, configPath);
    const { warnings } = parseSharedConfig({ config: "[a b]", configPath });
    assertStringIncludes(warnings[0] ?? "", "the config file /home/ [31mme /config: ");
  });

  it("parseSharedConfig() warns of each thing it ignores, with file, line and rule", () => {
    const { warnings } = parseSharedConfig({
      config: "[dev]\n[default]\n\na b = c",
      configPath: "/c",
      credentials: "[a b]",
    });
    const rule = "a name has only the characters A-Z a-z 0-9 _ - / . % @ : +";
    assertEquals(warnings, [
      "Ignored the section at line 1 of the config file /c: its sections are [default], [profile name], " +
      `[sso-session name] and [services name], ${rule}`,
      `Ignored the property at line 4 of the config file /c: ${rule}`,
      `Ignored the section at line 1 of the credentials file: its sections are [name], ${rule}`,
    ]);
  });

  it("parseSharedConfig() gives maps that print without values", () => {
    const shared = parseSharedConfig({
      config: `[sso-session a]\nb = ${SECRET}\n[services a]\nb =\n c = ${SECRET}`,
      credentials: `[default]\naws_secret_access_key = ${SECRET}`,
    });
    const { Deno, Bun } = globalThis as unknown as {
      Deno?: { inspect: typeof inspect };
      Bun?: { inspect: typeof inspect };
    };
    for (const print of [inspect, Deno?.inspect, Bun?.inspect]) {
      const printed = print?.(shared, { depth: 9 }) ?? "";
      assert(!printed.includes(SECRET), printed);
    }
    assertStringIncludes(inspect(shared.profiles.get("default")), "aws_secret_access_key");
    assertStringIncludes(inspect(shared.profiles.get("default")), "[redacted]");
  });

  it("parseSharedConfig() reads back what was written, in any layout", () => {
    fc.assert(fc.property(sections, layout, (sections, { lineFeed, blank, comment }) => {
      const write = (header: string) =>
        sections.flatMap(([name, properties]) => [
          `[${header}${name}]${comment}`,
          ...properties.map(([key, value]) => {
            const [first, ...rest] = value.split("\n");
            return [
              `${key.toUpperCase()}${blank}=${blank}${first}${comment}`,
              ...rest.map((line) => blank + line + blank),
            ]
              .join(lineFeed);
          }),
        ]).join(lineFeed);
      const expected = new Map(sections.map(([name, properties]) => [name, new Map(properties)]));
      for (const files of [{ config: write(`profile${blank}`) }, { credentials: write(blank) }]) {
        const { profiles, warnings } = parseSharedConfig(files);
        assertEquals(toMaps(profiles), expected);
        assertEquals(warnings, []);
      }
    }));
  });

  it("parseSharedConfig() gives a section the same properties, whatever comes before and after it", () => {
    fc.assert(fc.property(fc.array(anyText, { minLength: 2, maxLength: 4 }), (bodies) => {
      const texts = bodies.map((body, index) => `[p${index}]\n${body.replaceAll(/^\ufeff?\[/gm, "")}`);
      const alone = texts.map((credentials) => attempt({ credentials }));
      const together = attempt({ credentials: texts.join("\n") });
      const failed = alone.findIndex((result) => result instanceof CredentialsProviderError);
      if (failed === -1) {
        const profiles = alone.flatMap((result) => [...(result as SharedConfig).profiles]);
        return assertEquals(toMaps((together as SharedConfig).profiles), toMaps(new Map(profiles)));
      }
      const linesBefore = texts.slice(0, failed).join("\n").split("\n").length;
      const { line } = alone[failed] as CredentialsProviderError;
      assertEquals((together as CredentialsProviderError).line, Number(line) + (failed === 0 ? 0 : linesBefore));
    }));
  });

  it("parseSharedConfig() parses any text or says in which of its lines it cannot", () => {
    fc.assert(fc.property(anyText, fc.boolean(), (text, isConfig) => {
      const result = attempt(isConfig ? { config: text } : { credentials: text });
      if (!(result instanceof CredentialsProviderError)) return;
      assertEquals(result.code, "ConfigParseError");
      assert(Number.isInteger(result.line) && result.line! >= 1 && result.line! <= text.split("\n").length);
    }));
  });

  it("parseSharedConfig() quotes nothing of the text in errors and warnings", () => {
    fc.assert(fc.property(anyText, fc.nat(), anyText, (before, position, after) => {
      const text = before + after;
      const at = position % (text.length + 1);
      const withSecret = text.slice(0, at) + SECRET + text.slice(at);
      for (const files of [{ config: withSecret }, { credentials: withSecret }]) {
        const result = attempt(files);
        const said = result instanceof CredentialsProviderError
          ? inspect(result) + JSON.stringify(result) + result.stack + result.hint
          : result.warnings.join("\n");
        assert(!said.includes(SECRET), said);
      }
    }));
  });

  const size = 3_000_000;
  const large: Readonly<Record<string, readonly [text: string, length: number]>> = {
    "continuation lines": [`k = v${"\n x".repeat(size / 3)}`, 1 + 2 * Math.floor(size / 3)],
    "sub-properties": [`k =${"\n a=b".repeat(size / 5)}`, 4 * size / 5],
    "one line": [`k = ${"v".repeat(size)}`, size],
    "white space inside a line": [`k = v${" ".repeat(size)}v`, size + 2],
    "comment characters that start no comment": [`k = v${"#".repeat(size)}`, size + 1],
    "blank lines": [`k = v${"\n\t".repeat(size / 2)}\n v`, 3],
    "comments": [`k = v${"\n#".repeat(size / 2)}\n v`, 3],
    "properties": [`${"a=b\n".repeat(size / 4)}k = v`, 1],
    "sections": [`${"[a]\n".repeat(size / 4)}k = v`, 1],
  };
  for (const [what, [text, length]] of Object.entries(large)) {
    it(`parseSharedConfig() reads 3 MB of ${what}`, () => {
      const { profiles } = parseSharedConfig({ credentials: `[a]\n${text}` });
      assertEquals(profiles.get("a")?.get("k")?.length, length);
    });
  }
});
