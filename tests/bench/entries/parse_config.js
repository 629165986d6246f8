import { externalDataInterceptor, loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";
import ini from "ini";
import { configText } from "../support/config_text.js";

const TEXT = configText();

export const title = "Parsing a config file of 1,000 profiles";
export const unit = "ms";
export const notes =
  `The text has ${(TEXT.length / 1e6).toFixed(2)} MB and is in memory. Both peers skip lines that this library ` +
  "refuses, and `ini` does not know the AWS rules.";

export async function subjects({ parseSharedConfig }) {
  externalDataInterceptor.interceptFile("config", TEXT);
  externalDataInterceptor.interceptFile("credentials", "");
  const options = { configFilepath: "config", filepath: "credentials", ignoreCache: true };
  await loadSharedConfigFiles(options);
  return {
    "parseSharedConfig()": () => parseSharedConfig({ config: TEXT }),
    "@smithy/shared-ini-file-loader": () => loadSharedConfigFiles(options),
    "ini": () => ini.parse(TEXT),
  };
}
