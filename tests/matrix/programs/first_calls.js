// The first call of every provider, where importing and creating them must not throw.
import { defaultProvider, fromEnv, fromInstanceMetadata, fromProcess, fromProfile } from "@rolecreds/aws";
import { print, resultOf } from "./result.js";

print({
  fromEnv: await resultOf(fromEnv()),
  fromProfile: await resultOf(fromProfile()),
  fromInstanceMetadata: await resultOf(fromInstanceMetadata()),
  fromProcess: await resultOf(fromProcess({ command: ["/bin/true"] })),
  defaultProvider: await resultOf(defaultProvider()),
});
