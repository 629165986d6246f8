// Clients of AWS get credentials from the emulators over sockets: these respond as the services do.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import {
  fromContainerMetadata,
  fromHttp,
  fromInstanceMetadata,
  fromTemporaryCredentials,
  fromTokenFile,
} from "@aws-sdk/credential-providers";
import { EcsEmulator, EksEmulator, ImdsEmulator, serveEmulator, StsEmulator } from "../../../.build/lib/testing/mod.js";
import { botocoreCredentials, WITHOUT_BOTOCORE } from "../support/botocore.js";

const ROLE = "arn:aws:iam::123456789012:role/emulated-role";
const KEYS = {
  accessKeyId: "AKIAEMULATED00000001",
  secretAccessKey: "emulated-secret-access-key",
};
const region = "eu-west-1";

let folder;
let server;
let restore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rolecreds-"));
  restore = { ...process.env };
});
afterEach(async () => {
  for (const name of Object.keys(process.env)) {
    if (!(name in restore)) delete process.env[name];
  }
  Object.assign(process.env, restore);
  await server.close();
  rmSync(folder, { recursive: true });
});

async function serve(emulator) {
  server = await serveEmulator(emulator);
  return { emulator, endpoint: server.endpoint };
}

function tokenFile() {
  const path = join(folder, "token");
  writeFileSync(path, "emulated-web-identity-token");
  return path;
}

/** The variables with which a client finds each emulator. */
const SOURCES = {
  async "IMDS"() {
    const { emulator, endpoint } = await serve(new ImdsEmulator());
    return {
      emulator,
      variables: {
        AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
        AWS_EC2_METADATA_DISABLED: "false",
      },
    };
  },
  async "an ECS task"() {
    const { emulator, endpoint } = await serve(new EcsEmulator());
    return {
      emulator,
      variables: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: endpoint + emulator.relativeUri,
      },
    };
  },
  async "an EKS pod"() {
    const { emulator, endpoint } = await serve(
      new EksEmulator({ tokens: ["emulated-web-identity-token"] }),
    );
    const variables = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile(),
    };
    return { emulator, variables };
  },
  async "STS, with a web identity token"() {
    const { emulator, endpoint } = await serve(new StsEmulator());
    const variables = {
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile(),
      AWS_ROLE_ARN: ROLE,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_STS: endpoint,
    };
    return { emulator, variables };
  },
  async "STS, with a role"() {
    const { emulator, endpoint } = await serve(new StsEmulator());
    const path = join(folder, "config");
    writeFileSync(
      path,
      `[profile base]\naws_access_key_id = ${KEYS.accessKeyId}\naws_secret_access_key = ${KEYS.secretAccessKey}\n` +
        `[profile app]\nrole_arn = ${ROLE}\nsource_profile = base\nregion = ${region}\n`,
    );
    return {
      emulator,
      variables: {
        AWS_CONFIG_FILE: path,
        AWS_PROFILE: "app",
        AWS_ENDPOINT_URL_STS: endpoint,
      },
    };
  },
};

/** The provider of AWS SDK v3 for each source. Some read the variables themselves. */
const SDK_PROVIDERS = {
  "IMDS": () => fromInstanceMetadata({ maxRetries: 0 }),
  "an ECS task": () => fromContainerMetadata({ maxRetries: 0 }),
  "an EKS pod": () => fromHttp({}),
  "STS, with a web identity token": ({ AWS_ENDPOINT_URL_STS: endpoint }) =>
    fromTokenFile({ clientConfig: { region, endpoint } }),
  "STS, with a role": ({ AWS_ENDPOINT_URL_STS: endpoint }) =>
    fromTemporaryCredentials({
      masterCredentials: KEYS,
      params: { RoleArn: ROLE },
      clientConfig: { region, endpoint },
    }),
};

describe("AWS SDK v3 gets credentials from the emulator of", () => {
  for (const [name, prepare] of Object.entries(SOURCES)) {
    it(name, async () => {
      const { emulator, variables } = await prepare();
      Object.assign(process.env, variables);
      assertIssued(emulator, await SDK_PROVIDERS[name](variables)());
    });
  }
});

describe("botocore gets credentials from the emulator of", {
  skip: WITHOUT_BOTOCORE,
}, () => {
  for (const [name, prepare] of Object.entries(SOURCES)) {
    it(name, async () => {
      const { emulator, variables } = await prepare();
      assertIssued(emulator, await botocoreCredentials(variables));
    });
  }
});

function assertIssued(
  emulator,
  { accessKeyId, secretAccessKey, sessionToken },
) {
  const issued = emulator.issued.get(accessKeyId);
  assert.deepEqual([secretAccessKey, sessionToken], [
    issued.secretAccessKey,
    issued.sessionToken,
  ]);
}
