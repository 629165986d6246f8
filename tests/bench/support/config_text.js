/** The text of a config file with `count` role profiles and what people put around them; the same text each time. */
export function configText(count = 1_000) {
  const sections = ["# Managed by the platform team\n[default]\nregion = eu-central-1\noutput = json\n"];
  for (let index = 0; index < count; index++) sections.push(profileText(index));
  return sections.join("\n");
}

function profileText(index) {
  const account = 100_000_000_000 + index;
  const lines = [
    `[profile team-${index}/production]`,
    "region = eu-central-1",
    "output=json",
    `role_arn = arn:aws:iam::${account}:role/Deployer # assumed from the pipeline`,
    `role_session_name = team-${index}@example.com`,
    index % 3 === 0
      ? `credential_process = /usr/local/bin/get-credentials --account ${account} --role "Deployer;ReadOnly"`
      : "source_profile = default",
  ];
  if (index % 5 === 0) lines.push("s3 =", "  max_concurrent_requests = 20", "  addressing_style = path");
  if (index % 7 === 0) lines.push("; kept for the old tools", "Duration_Seconds = 3600");
  return `${lines.join("\n")}\n`;
}
