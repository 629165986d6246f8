// Sends requests with the default credentials of AWS SDK v3, until it has used two sets of them, at most 20. The server of
// AWS notes who signed them.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import process from "node:process";

const sts = new STSClient({ region: "eu-west-1", endpoint: process.env.AWS_URL, maxAttempts: 1 });
const used = new Set();
for (let requests = 0; requests < 20 && used.size < 2; requests++) {
  used.add((await sts.config.credentials()).accessKeyId);
  await sts.send(new GetCallerIdentityCommand({}));
}
