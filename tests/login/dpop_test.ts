import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import { dpopProof } from "../../lib/login/dpop.ts";
import { importEcKey } from "../../lib/login/ec_key.ts";
import { readTable } from "../support/tables.ts";

interface Row {
  readonly name: string;
  readonly pem: string;
  readonly x?: string;
  readonly y?: string;
}

const keys = readTable<Row>("ec_private_keys").filter(({ x }) => x !== undefined);
const pem = keys[0]?.pem ?? "";
const request = {
  url: "https://us-east-1.signin.aws.amazon.com/v1/token",
  uuid: "3f2c1d0e-5b4a-4c3d-8e2f-1a0b9c8d7e6f",
  now: Date.parse("2026-01-01T00:00:00.999Z"),
};

function decode(part = ""): unknown {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}

describe("dpopProof()", () => {
  for (const { name, pem, x = "", y = "" } of keys) {
    it(`is signed by the key, for ${name}`, async () => {
      const [header, payload, signature = ""] = (await dpopProof(request, await importEcKey(pem))).split(".");
      const publicKey = createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x, y } }); // OpenSSL's x and y
      assert(
        verify(
          "sha256",
          Buffer.from(`${header}.${payload}`),
          { key: publicKey, dsaEncoding: "ieee-p1363" },
          Buffer.from(signature, "base64url"),
        ),
      );
    });
  }

  it("states what RFC 9449 and the sign-in service want, and nothing else", async () => {
    const key = await importEcKey(pem);
    const proof = await dpopProof(request, key);
    assertMatch(proof, /^[\w-]+\.[\w-]+\.[\w-]{86}$/);
    const [header, payload] = proof.split(".").map((part, index) => index < 2 ? decode(part) : undefined);
    assertEquals(header, { typ: "dpop+jwt", alg: "ES256", jwk: key.publicJwk });
    assertEquals(payload, { jti: request.uuid, htm: "POST", htu: request.url, iat: 1_767_225_600 });
  });

  it("leaves query and fragment out of the URL", async () => {
    const key = await importEcKey(pem);
    const proof = await dpopProof({ ...request, url: "http://127.0.0.1:8080/x/v1/token?a=b#c" }, key);
    assertEquals((decode(proof.split(".")[1]) as { htu: string }).htu, "http://127.0.0.1:8080/x/v1/token");
  });
});
