const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";
const ROLES = "/latest/meta-data/iam/security-credentials/";

/** What every client of instance metadata must do, and nothing else: token, role name, credentials. */
export async function threeBareFetches(endpoint) {
  const response = await fetch(`${endpoint}/latest/api/token`, { method: "PUT", headers: { [TTL_HEADER]: "21600" } });
  const headers = { "x-aws-ec2-metadata-token": await response.text() };
  const role = await (await fetch(endpoint + ROLES, { headers })).text();
  return JSON.parse(await (await fetch(endpoint + ROLES + role, { headers })).text());
}
