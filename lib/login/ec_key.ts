import { hex } from "../hex.ts";

/** A private key on the curve P-256, ready to sign, and its public key as a JWK. */
export interface EcKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: { readonly kty: "EC"; readonly crv: "P-256"; readonly x: string; readonly y: string };
}

/**
 * The contents of a DER sequence by tag. In this file, DER is a string of hex digits. No sequence in such a key has two
 * elements with the same tag.
 */
type Elements = Readonly<Record<string, string>>;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

/** A P-256 key has fewer than 200 characters of base64; the limit leaves room for line breaks and optional fields. */
const PEM_REGEXP = /^-----BEGIN (EC PRIVATE KEY|PRIVATE KEY)-----([A-Za-z0-9+/=\s]{1,1000})-----END \1-----$/;

/** A tag and a length of one byte, or of two where one is too small. */
const HEADER_REGEXP = /^(..)(?:([0-7].)|81([89a-f].))/;

// Object identifiers, each with its tag and length.
const EC_PUBLIC_KEY = "06072a8648ce3d0201";
const P_256 = "06082a8648ce3d030107";

/** The beginning of a PKCS#8 key without the optional public key: only the private key follows. */
const PKCS8_PREFIX = `30410201003013${EC_PUBLIC_KEY}${P_256}042730250201010420`;
const PRIVATE_KEY_HEX_DIGITS = 64;

/**
 * Imports a P-256 key in PEM: `EC PRIVATE KEY` (SEC1) or `PRIVATE KEY` (PKCS#8). The public key is computed from the
 * private key; a public key in the text is ignored.
 *
 * @throws {SyntaxError} If the text is anything else; the message does not quote it.
 * @see {@link https://www.rfc-editor.org/rfc/rfc5915}
 * @see {@link https://www.rfc-editor.org/rfc/rfc5958}
 */
export async function importEcKey(pem: string): Promise<EcKey> {
  const pkcs8 = bytesOfHex(PKCS8_PREFIX + parsePem(pem));
  try {
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["sign"]);
    const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", privateKey);
    return { privateKey, publicJwk: { kty: "EC", crv: "P-256", x, y } };
  } catch {
    // all other fields are constants, so only the private key can be invalid
    throw new SyntaxError("it is zero or not below the order of the curve");
  }
}

/** The private key in a PEM block, as hex digits. */
function parsePem(pem: string): string {
  const [, label, base64 = ""] = PEM_REGEXP.exec(pem.trim()) ?? [];
  if (label === undefined) throw new SyntaxError("it is not one PEM block that holds a private key");
  const der = hexOfBase64(base64);
  return label === "PRIVATE KEY" ? parsePkcs8(der) : parseSec1(der);
}

function parsePkcs8(der: string): string {
  const { "02": version, "30": algorithm = "", "04": key = "" } = parseSequence(der, /^02 30 04( a0)?( 81)?$/);
  if (version !== "00" && version !== "01") throw malformed();
  if (!algorithm.startsWith(EC_PUBLIC_KEY)) throw new SyntaxError("it is not a key on an elliptic curve");
  return parseSec1(key, algorithm.slice(EC_PUBLIC_KEY.length));
}

/**
 * @param curve The curve that the enclosing PKCS#8 key names; the SEC1 key inside it may omit it.
 */
function parseSec1(der: string, curve?: string): string {
  const { "02": version, "04": key = "", a0: ownCurve = curve } = parseSequence(der, /^02 04( a0)?( a1)?$/);
  if (ownCurve !== P_256 || (curve ?? P_256) !== P_256) throw new SyntaxError("its curve is not P-256");
  if (version !== "01" || key.length !== PRIVATE_KEY_HEX_DIGITS) throw malformed();
  return key;
}

/** @param tags The tags that must follow each other in the sequence. */
function parseSequence(der: string, tags: RegExp): Elements {
  const [sequence, ...rest] = parseElements(der);
  if (sequence?.[0] !== "30" || rest.length > 0) throw malformed();
  const elements = parseElements(sequence[1]);
  if (!tags.test(elements.map(([tag]) => tag).join(" "))) throw malformed();
  return Object.fromEntries(elements);
}

function parseElements(der: string): readonly (readonly [tag: string, content: string])[] {
  const elements: [string, string][] = [];
  for (let rest = der; rest !== "";) {
    const [header = "", tag, short, long] = HEADER_REGEXP.exec(rest) ?? [];
    const end = header.length + 2 * parseInt(short ?? long ?? "", 16);
    if (tag === undefined || end > rest.length) throw malformed();
    elements.push([tag, rest.slice(header.length, end)]);
    rest = rest.slice(end);
  }
  return elements;
}

function hexOfBase64(base64: string): string {
  try {
    return hex(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  } catch {
    throw malformed();
  }
}

function bytesOfHex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function malformed(): SyntaxError {
  return new SyntaxError("it is not a private key in DER");
}
