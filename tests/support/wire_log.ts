import type { EmulatedRequest, ImdsEmulator } from "../../lib/testing/mod.ts";

/** The emulator's log as short lines, such as `GET v2 document web-server 200`; 0 stands for no answer. */
export function wireLog({ requests }: ImdsEmulator): readonly string[] {
  return requests.map(line);
}

function line({ method, path, headers, status }: EmulatedRequest): string {
  if (path === "/latest/api/token") return `${method} token ${status}`;
  const version = headers["x-aws-ec2-metadata-token"] === undefined ? "v1" : "v2";
  return `${method} ${version} ${item(path)} ${status}`;
}

function item(path: string): string {
  const [, extended, role] = /^\/latest\/meta-data\/iam\/security-credentials(-extended)?\/(.*)$/.exec(path) ?? [];
  if (role === undefined) return path;
  const kind = role === "" ? "list" : `document ${role}`;
  return extended === undefined ? kind : `extended ${kind}`;
}
