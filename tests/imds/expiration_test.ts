import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Credentials, InstanceMetadataProvider } from "../../mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { readTable } from "../support/tables.ts";

/** Times are seconds from now; `null` for credentials without an end. */
interface Row {
  readonly name: string;
  readonly call: "handleFailToRefresh" | "adjustExpiresBy" | "capExpirySeconds";
  readonly life: number | null | "none";
  readonly random: number;
  readonly by?: number;
  readonly cap?: number;
  readonly warns?: number;
  readonly result: number | null | "throws";
}

const FIELDS = { accessKeyId: "AKID", secretAccessKey: "secret", sessionToken: "token", source: "EC2RoleProvider" };

async function act(row: Row): Promise<{ result: unknown; warnings: readonly string[] }> {
  const runtime = new FakeRuntime();
  runtime.nextRandom = row.random;
  const warnings: string[] = [];
  const at = (seconds: number) => new Date(runtime.time + seconds * 1_000);
  const held = (life: number | null): Credentials => life === null ? FIELDS : { ...FIELDS, expiration: at(life) };
  const document = {
    AccessKeyId: "AKID",
    SecretAccessKey: "secret",
    Token: "token",
    Expiration: typeof row.life === "number" ? at(row.life).toISOString() : undefined,
  };
  const provider = new InstanceMetadataProvider({
    runtime,
    ec2InstanceProfileName: "role",
    ...(row.cap !== undefined && { capExpirySeconds: row.cap }),
    client: { get: () => Promise.resolve(JSON.stringify(document)) },
    logger: { warn: (line) => warnings.push(line) },
  });
  const previous = row.life === "none" ? undefined : held(row.life);
  const results = {
    capExpirySeconds: () => provider.retrieve(),
    adjustExpiresBy: () => provider.adjustExpiresBy(held(row.life as number | null), (row.by ?? 0) * 1_000),
    handleFailToRefresh: () => provider.handleFailToRefresh(previous, new RangeError("the refresh failed")),
  };
  if (row.result === "throws") {
    assertThrows(results.handleFailToRefresh, RangeError, "the refresh failed");
    return { result: "throws", warnings };
  }
  const { expiration, ...fields } = await results[row.call]();
  assertEquals(fields, FIELDS);
  return { result: expiration === undefined ? null : (expiration.getTime() - runtime.time) / 1_000, warnings };
}

describe("InstanceMetadataProvider moves expirations as Go's provider does", () => {
  for (const row of readTable<Row>("expiry")) {
    it(`${row.call}(): ${row.name}`, async () => {
      const { result, warnings } = await act(row);
      const rounded = typeof result === "number" ? Math.trunc(result * 1_000) : result;
      assertEquals(rounded, typeof row.result === "number" ? Math.trunc(row.result * 1_000) : row.result);
      assertEquals(
        warnings.map((line) => /(\d+) minutes/.exec(line)?.[1]),
        row.warns === undefined ? [] : [`${row.warns}`],
      );
    });
  }

  it("handleFailToRefresh() returns the previous credentials themselves, unchanged", () => {
    const runtime = new FakeRuntime();
    const previous = { ...FIELDS, expiration: new Date(runtime.time + 3_600_000) };
    const provider = new InstanceMetadataProvider({ runtime });
    assertEquals(provider.handleFailToRefresh(previous, new Error()) === previous, true);
  });

  it("providerSources() is the list given, else IMDS", () => {
    assertEquals(new InstanceMetadataProvider().providerSources(), ["IMDS"]);
    assertEquals(new InstanceMetadataProvider({ providerSources: ["a", "b"] }).providerSources(), ["a", "b"]);
  });
});
