// botocore, the core of the AWS CLI, from PyPI. It is installed beside the npm packages when it is used first.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";

const VERSION = "1.44.8";
const FOLDER = `${import.meta.dirname}/../node_modules/.python`;
const PROGRAM = `
import json, botocore.session
keys = botocore.session.get_session().get_credentials().get_frozen_credentials()
print(json.dumps({"accessKeyId": keys.access_key, "secretAccessKey": keys.secret_key, "sessionToken": keys.token}))
`;

/** Why there is no botocore here; `false` where there is. */
export const WITHOUT_BOTOCORE = install();

function install() {
  if (existsSync(`${FOLDER}/botocore-${VERSION}.dist-info`)) return false;
  const args = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--target",
    FOLDER,
    `botocore==${VERSION}`,
  ];
  const { status } = spawnSync("python3", args, {
    stdio: "ignore",
    timeout: 60_000,
  });
  return status === 0 ? false : "python3 with pip and PyPI is needed to install botocore";
}

/** The credentials that botocore finds with these variables. */
export async function botocoreCredentials(variables) {
  const { PATH } = process.env;
  const env = {
    PATH,
    HOME: "/nonexistent",
    PYTHONPATH: FOLDER,
    AWS_EC2_METADATA_DISABLED: "true",
    ...variables,
  };
  const child = spawn("python3", ["-c", PROGRAM], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => stdout += chunk);
  child.stderr.on("data", (chunk) => stderr += chunk);
  const exitCode = await new Promise((resolve) => child.once("close", resolve));
  if (exitCode !== 0) {
    throw new Error(`botocore ended with ${exitCode}: ${stderr}`);
  }
  return JSON.parse(stdout);
}
