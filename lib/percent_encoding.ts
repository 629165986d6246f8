/**
 * Encodes a string for a URL or a form as RFC 3986 says: only `A-Z a-z 0-9 - . _ ~` stay, and a space becomes `%20`.
 * A lone surrogate becomes U+FFFD, as in `TextEncoder`.
 */
export function encodeRfc3986(text: string): string {
  const wellFormed = text.replaceAll(/\p{Surrogate}/gu, "\uFFFD");
  return encodeURIComponent(wellFormed).replaceAll(/[!'()*]/g, escapeOf);
}

/**
 * Encodes a string that may contain percent escapes already. They are not encoded again: an escape is written in upper
 * case, or as the character itself if that needs no escape. `a%7eb%2fc d` becomes `a~b%2Fc%20d`.
 */
export function encodeRfc3986Once(text: string): string {
  const [first = "", ...rest] = text.split("%");
  return encodeRfc3986(first) + rest.map(encodeAfterPercent).join("");
}

/**
 * The body of an `application/x-www-form-urlencoded` request, in the order given; AWS reads `%20` for a space, not `+`.
 */
export function encodeForm(parameters: Iterable<readonly [name: string, value: string]>): string {
  return [...parameters].map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`).join("&");
}

/**
 * Encodes the text after a "%". If it begins with two hexadecimal digits, these are an escape; if not, the "%" is
 * encoded, too.
 */
function encodeAfterPercent(text: string): string {
  if (!/^[0-9a-f]{2}/i.test(text)) return encodeRfc3986(`%${text}`);
  const digits = text.slice(0, 2);
  const code = parseInt(digits, 16);
  const character = code < 0x80 ? encodeRfc3986(String.fromCharCode(code)) : `%${digits.toUpperCase()}`;
  return character + encodeRfc3986(text.slice(2));
}

function escapeOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
