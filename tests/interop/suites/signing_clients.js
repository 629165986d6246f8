// Clients of AWS that sign with the provider of an instance role. AWS checks each signature.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { CLIENTS, ProviderCredentials } from "../support/clients.js";
import { Instance } from "../support/instance.js";
import AWS from "aws-sdk";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

let instance;
beforeEach(async () => instance = await new Instance().start());
afterEach(() => instance.stop());

for (const [name, connect] of Object.entries(CLIENTS)) {
  describe(`${name} with a provider of this library`, () => {
    it("signs with new keys after a rotation", async () => {
      const send = connect(instance.aws, instance.provider);
      await send();
      const first = instance.last;
      assert.equal(first.code, "ok");
      instance.aheadMs += 5 * HOUR_MS + 59.5 * MINUTE_MS;
      await send();
      assert.equal(instance.last.code, "ok");
      assert.notEqual(instance.last.accessKeyId, first.accessKeyId);
    });

    it("succeeds after ExpiredToken and invalidate()", async () => {
      const send = connect(instance.aws, instance.provider);
      await send();
      const { accessKeyId } = instance.last;
      instance.aws.expired.add(accessKeyId);
      instance.imds.rotate();
      await assert.rejects(send, { code: "ExpiredToken" });
      instance.provider.invalidate({ accessKeyId });
      await send();
      assert.deepEqual([instance.last.code, instance.retrievals], ["ok", 2]);
    });

    it("retrieves once for many requests at once", async () => {
      const send = connect(instance.aws, instance.provider);
      await Promise.all(Array.from({ length: 8 }, send));
      assert.deepEqual([
        instance.aws.requests.length,
        instance.imds.requests.length,
      ], [8, 3]);
    });

    it("gets credentials with four minutes left, and retrieves them no more than it must", async () => {
      instance.imds.document = {
        Expiration: new Date(Date.now() + 4 * MINUTE_MS).toISOString(),
      };
      const send = connect(instance.aws, instance.provider);
      for (let request = 0; request < 6; request++) await send();
      assert.ok(instance.aws.requests.every(({ code }) => code === "ok"));
      assert.ok(instance.retrievals <= 2, `${instance.retrievals} retrievals`);
    });
  });
}

describe("one provider shared by all clients", () => {
  it("retrieves once", async () => {
    const sends = Object.values(CLIENTS).map((connect) => connect(instance.aws, instance.provider));
    await Promise.all(sends.map((send) => send()));
    assert.ok(
      instance.aws.requests.every(({ code }) => code === "ok"),
      JSON.stringify(instance.aws.requests),
    );
    assert.equal(
      new Set(instance.aws.requests.map(({ accessKeyId }) => accessKeyId)).size,
      1,
    );
    assert.equal(instance.imds.requests.length, 3);
  });
});

describe("AWS SDK v2 with its own retries", () => {
  it("replaces expired keys by itself", async () => {
    const credentials = new ProviderCredentials(instance.provider);
    const sts = new AWS.STS({
      region: "eu-west-1",
      endpoint: instance.aws.endpoint,
      credentials,
    });
    await sts.getCallerIdentity().promise();
    const { accessKeyId } = instance.last;
    instance.aws.expired.add(accessKeyId);
    instance.imds.rotate();
    await sts.getCallerIdentity().promise();
    assert.equal(instance.last.code, "ok");
    assert.notEqual(instance.last.accessKeyId, accessKeyId);
  });
});
