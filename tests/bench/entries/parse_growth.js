import { measure } from "mitata";
import { configText } from "../support/config_text.js";

export const title = "Parsing a larger config file";
export const unit = "ms per MB";
export const notes =
  "Each line is read once; what grows beside the file is the share of garbage collection, which has 40,000 profiles to " +
  "look after in the last row.";

const PROFILES_PER_MB = Math.round(1_000 * 1e6 / configText().length);

export async function values({ parseSharedConfig }) {
  const results = {};
  for (const megabytes of [1, 3, 10]) {
    const config = configText(PROFILES_PER_MB * megabytes);
    const { p50 } = await measure(() => parseSharedConfig({ config }));
    results[`${megabytes} MB`] = p50 / 1e6 / megabytes;
  }
  return results;
}
