import { fromInstanceMetadata as sdkFromInstanceMetadata } from "@smithy/credential-provider-imds";
import process from "node:process";
import { threeBareFetches } from "../support/fetches.js";

export const title = "Refreshing credentials";
export const unit = "ms";
export const notes =
  "From a metadata service on loopback. This library remembers the token and the role name, so a refresh is one request; " +
  "the SDK sends three.";
export const aims = [{
  row: "fromInstanceMetadata()",
  max: 0.45,
  of: "three bare fetches",
  why: "A time limit, the parsing and the copies of the cache show beside a fetch on loopback.",
}];

const ENDPOINT = process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];

export async function subjects({ fromInstanceMetadata }) {
  const provider = fromInstanceMetadata();
  const sdk = sdkFromInstanceMetadata();
  await Promise.all([provider(), sdk()]);
  return {
    "three bare fetches": () => threeBareFetches(ENDPOINT),
    "fromInstanceMetadata()": () => provider({ forceRefresh: true }),
    "@smithy/credential-provider-imds": () => sdk(),
  };
}
