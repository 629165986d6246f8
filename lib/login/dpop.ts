import type { EcKey } from "./ec_key.ts";

/** The POST request that a proof is for. */
interface DpopRequest {
  readonly url: string;
  /** Names this proof; never used twice. */
  readonly uuid: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * The value of the `DPoP` header of a request: a signed statement that its sender has the private key.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2}
 */
export async function dpopProof({ url, uuid, now }: DpopRequest, key: EcKey): Promise<string> {
  const { origin, pathname } = new URL(url);
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: key.publicJwk };
  const payload = { jti: uuid, htm: "POST", htu: origin + pathname, iat: Math.floor(now / 1_000) };
  const signed = `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(payload))}`;
  // WebCrypto returns r and s concatenated, as the signature of a JWS has them.
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key.privateKey,
    new TextEncoder().encode(signed),
  );
  return `${signed}.${base64Url(String.fromCharCode(...new Uint8Array(signature)))}`;
}

/** @param bytes A string of characters up to U+00FF, one for each byte. */
function base64Url(bytes: string): string {
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
