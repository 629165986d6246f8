import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fromInstanceMetadata, type InstanceMetadataOptions } from "../../mod.ts";
import { ImdsEmulator } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { wireLog } from "../support/wire_log.ts";

function setUp(options: InstanceMetadataOptions = {}) {
  const runtime = new FakeRuntime();
  const emulator = new ImdsEmulator({ runtime });
  runtime.answer = emulator.fetch;
  return { runtime, emulator, provider: fromInstanceMetadata({ ...options, runtime }) };
}

const COLD_START = ["PUT token 200", "GET v2 list 200", "GET v2 document emulated-role 200"];
const REFRESH = ["GET v2 document emulated-role 200"];

describe("fromInstanceMetadata()", () => {
  it("sends nothing, when created", () => {
    assertEquals(wireLog(setUp().emulator), []);
  });

  it("takes three requests for the first call and none for the next", async () => {
    const { provider, emulator } = setUp();
    await provider();
    await provider();
    assertEquals(wireLog(emulator), COLD_START);
  });

  it("takes three requests, when a thousand callers start at once", async () => {
    const { provider, emulator } = setUp();
    const all = await Promise.all(Array.from({ length: 1_000 }, () => provider()));
    assertEquals(wireLog(emulator), COLD_START);
    assertEquals(new Set(all.map(({ accessKeyId }) => accessKeyId)).size, 1);
    assertEquals(new Set(all).size, 1_000);
  });

  it("takes one request for a refresh", async () => {
    const { provider, emulator, runtime } = setUp();
    const first = await provider();
    runtime.time += 5.5 * 3_600_000;
    emulator.rotate();
    const second = await provider();
    assertEquals(wireLog(emulator).slice(3), REFRESH);
    assertEquals(first.accessKeyId === second.accessKeyId, false);
  });

  it("takes one request and a new token, when the token ran out", async () => {
    const { provider, emulator, runtime } = setUp({ tokenTtlSeconds: 3_600 });
    await provider();
    runtime.time += 5.5 * 3_600_000;
    await provider();
    assertEquals(wireLog(emulator).slice(3), ["PUT token 200", ...REFRESH]);
  });

  it("takes one request, when asked to refresh now, as AWS SDK v3 does", async () => {
    const { provider, emulator } = setUp();
    await provider();
    await provider({ forceRefresh: true });
    assertEquals(wireLog(emulator).slice(3), REFRESH);
  });
});
