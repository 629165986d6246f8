import process from "node:process";
import { medians } from "../support/programs.js";

export const title = "From the start of a process to its first credentials";
export const unit = "ms";
export const notes =
  "The median of fifteen processes, with a metadata service on loopback: the runtime starts, imports the library, reads the " +
  "settings and gets a token, the role name and the credentials.";
export const aims = [{
  row: "fromInstanceMetadata()",
  max: 1.15,
  of: "three bare fetches",
  why: "The code is compiled when it first runs, and two shared files are looked for.",
}];

const ENDPOINT = process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
const FETCHES = new URL("../support/fetches.js", import.meta.url).pathname;

export function values({ path }) {
  const imds = "@smithy/credential-provider-imds";
  const programs = {
    "three bare fetches": program("threeBareFetches", FETCHES, JSON.stringify(ENDPOINT), "AccessKeyId"),
    "fromInstanceMetadata()": program("fromInstanceMetadata", path, "", "accessKeyId"),
    [imds]: program("fromInstanceMetadata", imds, "", "accessKeyId"),
  };
  return medians(programs, { isMoment: true, env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: ENDPOINT } });
}

/** A provider is a function that returns a function; three bare fetches return a promise. */
function program(name, specifier, argument, field) {
  return `
    import { ${name} } from ${JSON.stringify(specifier)};
    const made = ${name}(${argument});
    const credentials = await (typeof made === "function" ? made() : made);
    const receivedAt = performance.timeOrigin + performance.now();
    if (credentials.${field} === undefined) throw new Error("no credentials");
    console.log(receivedAt);
  `;
}
