import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { LoginEmulator, type LoginEmulatorOptions } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";

const URL_OF_TOKEN = "https://signin.test/v1/token";

interface ProofChanges {
  readonly header?: object;
  readonly payload?: object;
  readonly key?: KeyObject;
  readonly suffix?: string;
}

/** A session of an emulator, and a client for it that has nothing in common with the library. */
async function signedIn(options: LoginEmulatorOptions = {}, form?: "sec1" | "pkcs8") {
  const runtime = new FakeRuntime();
  const emulator = new LoginEmulator({ runtime, ...options });
  const file = JSON.parse(await emulator.login(form));
  const own = createPrivateKey(file.dpopKey);
  const { kty, crv, x, y } = createPublicKey(own).export({ format: "jwk" });
  let proofs = 0;
  const proof = ({ header = {}, payload = {}, key = own, suffix = "" }: ProofChanges) => {
    const claims = { jti: `proof-${++proofs}`, htm: "POST", htu: URL_OF_TOKEN, iat: Math.floor(runtime.time / 1_000) };
    const signed = [{ typ: "dpop+jwt", alg: "ES256", jwk: { y, x, crv, kty }, ...header }, { ...claims, ...payload }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${signed}.${
      sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")
    }${suffix}`;
  };
  const { clientId, refreshToken } = file;
  const refresh = (fields: object = {}, headers: Record<string, string> = {}, changes: ProofChanges = {}) =>
    emulator.fetch(URL_OF_TOKEN, {
      method: "POST",
      headers: { "content-type": "application/json", "DPoP": proof(changes), ...headers },
      body: JSON.stringify({ clientId, grantType: "refresh_token", refreshToken, ...fields }),
    });
  return { runtime, emulator, file, refresh };
}

// deno-lint-ignore no-explicit-any -- whatever the service sends
async function json(response: Response): Promise<any> {
  return await response.json();
}

async function outcome(pending: Promise<Response>): Promise<readonly unknown[]> {
  const response = await pending;
  const { error, message } = await json(response);
  return response.status === 200 ? [200] : [response.status, error, message];
}

describe("LoginEmulator", () => {
  for (const [form, label] of [["sec1", "EC PRIVATE KEY"], ["pkcs8", "PRIVATE KEY"]] as const) {
    it(`makes a session whose key OpenSSL reads, in the form ${form}`, async () => {
      const { file, refresh, runtime } = await signedIn({ lifetimeSeconds: 600 }, form);
      assertMatch(file.dpopKey, new RegExp(`^-----BEGIN ${label}-----\n[^-]+\n-----END ${label}-----\n$`));
      assertEquals(file.accessToken.expiresAt, "2026-01-01T00:10:00Z");
      const { accessToken, refreshToken, expiresIn, tokenType } = await json(await refresh());
      assertEquals([Object.keys(accessToken), expiresIn, tokenType], [
        ["accessKeyId", "secretAccessKey", "sessionToken"],
        600,
        "aws_sigv4",
      ]);
      assertEquals([refreshToken === file.refreshToken, runtime.slept], [false, []]);
    });
  }

  it("accepts a refresh token again, unless the option says otherwise", async () => {
    const one = await signedIn();
    assertEquals([await outcome(one.refresh()), await outcome(one.refresh())], [[200], [200]]);
    const other = await signedIn({ reusesRefreshTokens: false });
    await other.refresh();
    assertEquals((await outcome(other.refresh()))[0], 400);
  });

  const bodyMessage =
    "The body is not a JSON object of clientId, grantType refresh_token and refreshToken, sent as application/json";
  const refusalOf = (message: string) => [400, "INVALID_REQUEST", message];
  const another = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
  const seconds = Date.parse("2026-01-01T00:00:00Z") / 1_000;
  for (
    const [name, fields, headers, changes, expected] of [
      ["another grant type", { grantType: "authorization_code" }, {}, {}, refusalOf(bodyMessage)],
      ["an unknown field", { scope: "x" }, {}, {}, refusalOf(bodyMessage)],
      ["another content type", {}, { "content-type": "text/plain" }, {}, refusalOf(bodyMessage)],
      ["a signature", {}, { authorization: "x" }, {}, refusalOf("The request must not be signed")],
      ["another client", { clientId: "x" }, {}, {}, refusalOf("The refresh token is not valid for this client")],
      [
        "another refresh token",
        { refreshToken: "x" },
        {},
        {},
        refusalOf("The refresh token is not valid for this client"),
      ],
      ["no proof", {}, { DPoP: "" }, {}, refusalOf("The proof is not valid: it is not a DPoP token with ES256")],
      [
        "rubbish for a proof",
        {},
        { DPoP: "*.*.*" },
        {},
        refusalOf("The proof is not valid: it is not a DPoP token with ES256"),
      ],
      [
        "a proof of four parts",
        {},
        {},
        { suffix: ".x" },
        refusalOf("The proof is not valid: it is not a DPoP token with ES256"),
      ],
      [
        "a proof of another type",
        {},
        {},
        { header: { typ: "JWT" } },
        refusalOf("The proof is not valid: it is not a DPoP token with ES256"),
      ],
      [
        "a proof without a key",
        {},
        {},
        { header: { jwk: null } },
        refusalOf("The proof is not valid: its key is not the public key of the session"),
      ],
      ["a proof that shows another key", {}, {}, {
        header: { jwk: createPublicKey(another).export({ format: "jwk" }) },
        key: another,
      }, refusalOf("The proof is not valid: its key is not the public key of the session")],
      ["a proof by another key", {}, {}, { key: another }, refusalOf("The proof is not valid: its signature is wrong")],
      [
        "a proof for another method",
        {},
        {},
        { payload: { htm: "GET" } },
        refusalOf("The proof is not valid: it is for another request"),
      ],
      [
        "a proof for another URL",
        {},
        {},
        { payload: { htu: `${URL_OF_TOKEN}/` } },
        refusalOf("The proof is not valid: it is for another request"),
      ],
      [
        "a proof of the past",
        {},
        {},
        { payload: { iat: seconds - 301 } },
        refusalOf("The proof is not valid: its time differs by more than 300 seconds"),
      ],
      [
        "a proof of the future",
        {},
        {},
        { payload: { iat: seconds + 301 } },
        refusalOf("The proof is not valid: its time differs by more than 300 seconds"),
      ],
      [
        "a proof without a time",
        {},
        {},
        { payload: { iat: undefined } },
        refusalOf("The proof is not valid: its time differs by more than 300 seconds"),
      ],
      [
        "a proof without an id",
        {},
        {},
        { payload: { jti: undefined } },
        refusalOf("The proof is not valid: its id is missing or was used before"),
      ],
    ] as const
  ) {
    it(`refuses a request with ${name}`, async () => {
      const { refresh } = await signedIn();
      assertEquals<readonly unknown[]>(await outcome(refresh(fields, headers, changes)), expected);
    });
  }

  it("refuses a proof that was used before", async () => {
    const { refresh } = await signedIn();
    const changes = { payload: { jti: "same" } };
    assertEquals(await outcome(refresh({}, {}, changes)), [200]);
    const expected = refusalOf("The proof is not valid: its id is missing or was used before");
    assertEquals<readonly unknown[]>(await outcome(refresh({}, {}, changes)), expected);
  });

  it("ends a session with its lifetime", async () => {
    const { runtime, refresh } = await signedIn({ sessionLifetimeSeconds: 3_600 });
    runtime.time += 3_599_000;
    assertEquals(await outcome(refresh()), [200]);
    runtime.time += 1_000;
    assertEquals(await outcome(refresh()), [401, "TOKEN_EXPIRED", "The session is refused"]);
  });

  for (
    const [refusal, status] of [
      ["TOKEN_EXPIRED", 401],
      ["AUTHCODE_EXPIRED", 401],
      ["USER_CREDENTIALS_CHANGED", 403],
      ["INSUFFICIENT_PERMISSIONS", 403],
    ] as const
  ) {
    it(`refuses with ${refusal}, when told so`, async () => {
      const { emulator, refresh } = await signedIn();
      emulator.inject(refusal);
      assertEquals(await outcome(refresh()), [status, refusal, "The session is refused"]);
      assertEquals(await outcome(refresh()), [200]);
    });
  }

  it("serves one operation", async () => {
    const { emulator } = await signedIn();
    assertEquals((await emulator.fetch(URL_OF_TOKEN)).status, 404);
    assertEquals((await emulator.fetch("https://signin.test/", { method: "POST" })).status, 404);
    assertEquals(emulator.requests.map(({ step }) => step), ["token", "other"]);
  });
});
