// The providers of the server, made at the first request: the build has no metadata service.
import { fromContainerMetadata, fromInstanceMetadata, fromWebToken } from "../../../dist/mod.js";

const SETTINGS = { sharedConfig: {}, logger: null };
const MAKERS = {
  imds: () => fromInstanceMetadata({ ...SETTINGS, endpoint: process.env.IMDS_URL }),
  ecs: () => fromContainerMetadata({ ...SETTINGS, awsContainerCredentialsFullUri: process.env.ECS_URL }),
  sts: () =>
    fromWebToken({
      ...SETTINGS,
      endpoint: process.env.STS_URL,
      roleArn: "arn:aws:iam::123456789012:role/emulated-role",
      webIdentityToken: "emulated-web-identity-token",
    }),
};
const providers = new Map();

/** The access key id of a source; of new credentials if those before are reported as rejected. */
export async function accessKeyId(source, isRejected) {
  const provider = providers.get(source) ?? MAKERS[source]();
  providers.set(source, provider);
  if (isRejected) provider.invalidate();
  return (await provider()).accessKeyId;
}

/** What a request without care for the cache of the framework gets. */
export async function bare() {
  return await (await fetch(process.env.BARE_URL)).text();
}
