import { fromInstanceMetadata as sdkFromInstanceMetadata } from "@smithy/credential-provider-imds";
import process from "node:process";

const [FIRST, REFRESH] = ["first credentials", "a refresh"];

export const title = "Requests to the metadata service";
export const unit = "requests";
export const notes = "The metadata service limits the requests of an instance. Counted by the server.";
export const aims = [{ row: "fromInstanceMetadata()", max: 1, column: REFRESH }];

export async function columns(path) {
  const { fromInstanceMetadata } = await import(path);
  const provider = fromInstanceMetadata();
  const sdk = sdkFromInstanceMetadata();
  const [sdkName, name] = ["@smithy/credential-provider-imds", "fromInstanceMetadata()"];
  return {
    [FIRST]: { [name]: await requestsOf(() => provider()), [sdkName]: await requestsOf(() => sdk()) },
    [REFRESH]: {
      [name]: await requestsOf(() => provider({ forceRefresh: true })),
      [sdkName]: await requestsOf(() => sdk()),
    },
  };
}

async function requestsOf(call) {
  await takeCount();
  await call();
  return await takeCount();
}

/** How many requests there were since the last count. */
async function takeCount() {
  return Number(await (await fetch(`${process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"]}/count`)).text());
}
