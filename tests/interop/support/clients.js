// What people sign their requests with. Each entry is given AWS and a provider, and returns a function that sends one
// signed request; it rejects with an error whose `code` is that of AWS.
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import AWS from "aws-sdk";
import { AwsClient } from "aws4fetch";
import { Client as MinioClient } from "minio";
import { signRequest } from "../../../.build/mod.js";

const region = "eu-west-1";
const QUERY = "/?Action=GetCallerIdentity&Version=2011-06-15";

/** AWS SDK v2: its requests take the keys from the provider, and tell it when AWS says that they expired. */
export class ProviderCredentials extends AWS.Credentials {
  constructor(provider) {
    super("", "");
    this.provider = provider;
  }
  needsRefresh() {
    return true;
  }
  refresh(done) {
    if (this.expired) this.provider.invalidate(this);
    this.provider().then(({ accessKeyId, secretAccessKey, sessionToken }) => {
      Object.assign(this, { accessKeyId, secretAccessKey, sessionToken });
      done();
    }, done);
  }
}

export const CLIENTS = {
  "AWS SDK v3 client-sts": ({ endpoint }, provider) => {
    const sts = new STSClient({
      region,
      endpoint,
      credentials: provider,
      maxAttempts: 1,
    });
    return () => sts.send(new GetCallerIdentityCommand({})).catch(byName);
  },
  "AWS SDK v3 client-s3": ({ endpoint }, provider) => {
    const s3 = new S3Client({
      region,
      endpoint,
      credentials: provider,
      maxAttempts: 1,
    });
    return () => s3.send(new ListBucketsCommand({})).catch(byName);
  },
  "AWS SDK v2": ({ endpoint }, provider) => {
    const credentials = new ProviderCredentials(provider);
    const sts = new AWS.STS({ region, endpoint, credentials, maxRetries: 0 });
    return () => sts.getCallerIdentity().promise();
  },
  "aws4fetch": ({ endpoint }, provider) => async () => {
    const aws = new AwsClient({
      ...await provider(),
      service: "sts",
      region,
      retries: 0,
    });
    return checked(await aws.fetch(endpoint + QUERY));
  },
  "minio": ({ port }, provider) => {
    const credentialsProvider = {
      async getCredentials() {
        const { accessKeyId, secretAccessKey, sessionToken } = await provider();
        return {
          getAccessKey: () => accessKeyId,
          getSecretKey: () => secretAccessKey,
          getSessionToken: () => sessionToken,
        };
      },
    };
    const minio = new MinioClient({
      endPoint: "127.0.0.1",
      port,
      useSSL: false,
      region,
      credentialsProvider,
    });
    return () => minio.listBuckets();
  },
  "@smithy/signature-v4": ({ port }, provider) => {
    const signer = new SignatureV4({
      credentials: provider,
      region,
      service: "sts",
      sha256: Sha256,
    });
    return async () => {
      const query = { Action: "GetCallerIdentity", Version: "2011-06-15" };
      const [hostname, headers] = ["127.0.0.1", { host: `127.0.0.1:${port}` }];
      const request = {
        method: "GET",
        protocol: "http:",
        hostname,
        port,
        path: "/",
        query,
        headers,
      };
      const { host: _, ...signed } = (await signer.sign(request)).headers;
      return checked(
        await fetch(`http://${hostname}:${port}${QUERY}`, { headers: signed }),
      );
    };
  },
  "signRequest()": ({ endpoint }, provider) => async () => {
    const request = new Request(endpoint + QUERY);
    return checked(
      await fetch(
        await signRequest(request, {
          credentials: await provider(),
          region,
          service: "sts",
        }),
      ),
    );
  },
};

if ("Bun" in globalThis) {
  CLIENTS["Bun.S3Client"] = ({ endpoint }, provider) => {
    const s3 = new globalThis.Bun.S3Client({
      endpoint,
      bucket: "bucket",
      region,
    });
    return async () => await s3.file("key", await provider()).text();
  };
  CLIENTS["Bun.S3Client list()"] = ({ endpoint }, provider) => {
    const s3 = new globalThis.Bun.S3Client({
      endpoint,
      bucket: "bucket",
      region,
    });
    return async () => await s3.list({}, await provider());
  };
}

/** AWS SDK v3 puts the code into `name`. */
function byName(error) {
  throw Object.assign(error, { code: error.name });
}

async function checked(response) {
  const text = await response.text();
  if (response.ok) return text;
  throw Object.assign(new Error(text), {
    code: /<Code>(\w+)</.exec(text)?.[1],
  });
}
