import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import process from "node:process";
import type { Runtime } from "../../mod.ts";
import { detectRuntime } from "../../lib/runtime/detect.ts";

/** As programs write their own: the parts are methods, and the state is private. */
class OwnRuntime {
  readonly platform = "windows";
  readonly #files = new Map([["/config", "[default]"]]);

  readTextFile(path: string): Promise<string | undefined> {
    return Promise.resolve(this.#files.get(path));
  }

  fetch(): Promise<Response> {
    return Promise.resolve(new Response(`${this.#files.size}`));
  }

  get warn(): (message: string) => void {
    return () => {
      throw new Error("it warned");
    };
  }
}

describe("detectRuntime()", () => {
  it("reads an environment variable, and undefined for one that is not set", () => {
    assertEquals(detectRuntime().env("PATH"), process.env["PATH"]);
    assertEquals(detectRuntime().env("ROLECREDS_NOT_SET"), undefined);
  });

  it("takes the parts it is given", () => {
    assertEquals(detectRuntime({ now: () => 7 }).now(), 7);
  });

  it("takes the parts that an object has from its class", async () => {
    const { platform, readTextFile, fetch, fetchDirect, warn } = detectRuntime(new OwnRuntime());
    assertEquals(platform, "windows");
    assertEquals(await readTextFile("/config"), "[default]");
    assertEquals(await (await fetch("http://localhost", {})).text(), "1");
    assertEquals(await (await fetchDirect("http://localhost", {})).text(), "1");
    assertThrows(() => warn(""), Error, "it warned");
  });

  it("gives the same function for the same object: files are cached by it", () => {
    const own = new OwnRuntime();
    assertStrictEquals(detectRuntime(own).readTextFile, detectRuntime(own).readTextFile);
    const parts = { readTextFile: () => Promise.resolve("") };
    assertStrictEquals(detectRuntime(parts).readTextFile, parts.readTextFile);
  });

  it("keeps its own part, where undefined is given", () => {
    const parts = { env: undefined, fetch: undefined } as unknown as Partial<Runtime>;
    const { env, fetch, fetchDirect } = detectRuntime(parts);
    assertStrictEquals(env, detectRuntime().env);
    assertStrictEquals(fetch, detectRuntime().fetch);
    assertStrictEquals(fetchDirect, detectRuntime().fetchDirect);
  });

  it("uses the given fetch for direct requests, too, unless it is given another for them", async () => {
    const fetch = () => Promise.reject(new Error("fetch"));
    const fetchDirect = () => Promise.reject(new Error("fetchDirect"));
    await assertRejects(() => detectRuntime({ fetch }).fetchDirect("", {}), Error, "fetch");
    await assertRejects(() => detectRuntime({ fetch, fetchDirect }).fetchDirect("", {}), Error, "fetchDirect");
  });
});
