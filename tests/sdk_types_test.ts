import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { fromInstanceMetadata } from "../mod.ts";

/** Compiled, not run: what users write, without a cast. */
export function makeClient(Client: new (config: S3ClientConfig) => S3Client): S3Client {
  return new Client({ credentials: fromInstanceMetadata() });
}

it("fromInstanceMetadata() type-checks as `credentials` of AWS SDK v3 clients, and says that it is memoized", () => {
  const config: S3ClientConfig = { credentials: fromInstanceMetadata() };
  assertEquals((config.credentials as { memoized?: boolean }).memoized, true);
});
