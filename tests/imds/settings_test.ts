import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { disabledBy, type ImdsOptions, resolveImdsSettings } from "../../lib/imds/settings.ts";
import {
  CredentialsProviderError,
  fromInstanceMetadata,
  InstanceMetadataProvider,
  type InstanceMetadataProviderOptions,
} from "../../mod.ts";
import { readTable } from "../support/tables.ts";

interface SettingRow {
  readonly name: string;
  readonly env?: Record<string, string>;
  readonly profile?: Record<string, string>;
  readonly options?: ImdsOptions;
  readonly expect?: Record<string, unknown>;
  readonly error?: readonly string[];
  readonly warns?: readonly string[];
}

describe("resolveImdsSettings()", () => {
  for (const { name, env = {}, profile = {}, options = {}, expect, error, warns = [] } of rows()) {
    const warnings: string[] = [];
    const sources = {
      env: (variable: string) => env[variable],
      profile: new Map(Object.entries(profile)),
      services: new Map(),
      warn: (message: string) => warnings.push(message),
    };
    const resolve = () => ({ ...resolveImdsSettings(options, sources), disabledBy: disabledBy(options, sources) });
    if (error !== undefined) {
      it(`fails, when ${name}`, () => {
        const thrown = assertThrows(resolve, CredentialsProviderError);
        assertEquals([thrown.code, thrown.recoverable, thrown.tryNextLink], ["ConfigurationError", false, false]);
        for (const part of error) assert(thrown.message.includes(part), thrown.message);
        assertFalse(thrown.message.includes("CANARY"));
      });
    } else {
      it(`resolves, when ${name}`, () => {
        const { retry, ...settings } = resolve();
        const flat: Record<string, unknown> = { ...settings, ...retry };
        for (const [key, value] of Object.entries(expect ?? {})) assertEquals(flat[key] ?? null, value, key);
        assertEquals(warnings.length, warns.length);
        warns.forEach((part, index) => assert(warnings[index]?.includes(part), warnings[index]));
        assertFalse(warnings.join().includes("CANARY"));
      });
    }
  }
});

function rows(): readonly SettingRow[] {
  return readTable<SettingRow>("imds_settings");
}

interface OptionRow {
  readonly name: string;
  readonly options: InstanceMetadataProviderOptions;
  readonly option: string;
  readonly range: string;
}

describe("new InstanceMetadataProvider()", () => {
  for (const { name, options, option, range } of readTable<OptionRow>("imds_options")) {
    it(`names option and range, when given ${name}`, () => {
      for (const construct of [() => new InstanceMetadataProvider(options), () => fromInstanceMetadata(options)]) {
        const error = assertThrows(construct, CredentialsProviderError);
        assertEquals(error.code, "ConfigurationError");
        assert(error.message.includes(`${option} must be ${range}`), error.message);
        assertFalse(error.message.includes("CANARY"));
      }
    });
  }

  it("takes role names with dots that are not dots only", () => {
    for (const name of [".a", "a.", "a..b"]) new InstanceMetadataProvider({ ec2InstanceProfileName: name });
  });

  for (const option of ["timeout", "connectTimeout", "maxRetries", "tokenTtlSeconds", "capExpirySeconds"]) {
    it(`rejects ${option} NaN and Infinity`, () => {
      for (const value of [NaN, Infinity]) {
        assertThrows(() => new InstanceMetadataProvider({ [option]: value }), CredentialsProviderError, option);
      }
    });
  }
});
