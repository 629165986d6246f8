// Retrieves from IMDS once for each way to set the dispatcher of `fetch`. After each, a request to a port of its own shows
// whether that way sets a proxy.
import { fromInstanceMetadata } from "@rolecreds/aws";
import process from "node:process";
import { print, resultOf } from "./result.js";
import { WAYS } from "./ways.js";

const [, , endpoint, proxy, undici] = process.argv;
const module = await import(undici);
const results = [];
for (const [index, { name, only, set }] of WAYS.entries()) {
  if (only !== undefined && !undici.includes(only)) continue;
  const control = 61_000 + index;
  try {
    set(module, proxy);
  } catch {
    results.push({ name, isUnknown: true });
    continue;
  }
  const result = await resultOf(fromInstanceMetadata({ endpoint, maxRetries: 0 }));
  await fetch(`http://127.0.0.2:${control}/${control}`).catch(() => {/* the proxy recorded it, or nothing did */});
  results.push({ name, control, ...result });
}
print(results);
