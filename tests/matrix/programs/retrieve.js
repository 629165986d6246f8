// Retrieves from IMDS; then sends a request with `fetch` alone, to show whether a proxy is set.
import { fromInstanceMetadata } from "@rolecreds/aws";
import process from "node:process";
import { print, resultOf } from "./result.js";

const [, , endpoint, control] = process.argv;
const result = await resultOf(
  fromInstanceMetadata({ endpoint, maxRetries: 0 }),
);
if (control !== undefined) {
  await fetch(control).catch(() => {/* a proxy recorded it, or nothing did */});
}
print(result);
