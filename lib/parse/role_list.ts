const ROLE_NAME_REGEXP = /^[A-Za-z0-9+=,.@_-]{1,128}$/;

/** Whether a text is a role name by IAM's rule; such a name needs no percent-encoding in a path. */
export function isRoleName(text: string): boolean {
  return ROLE_NAME_REGEXP.test(text);
}

/** The names in an IMDS role list: its non-blank lines, trimmed. IMDS lists one. */
export function parseRoleList(text: string): readonly string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
