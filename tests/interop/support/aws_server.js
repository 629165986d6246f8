// A server of AWS on loopback. It checks signatures with an implementation that shares no code with the library.
import { createServer } from "node:http";
import { verifiedHeaders } from "../../../.build/tests/support/sigv4_verifier.js";

const STS_RESULT =
  `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
  <Arn>arn:aws:sts::123456789012:assumed-role/a/b</Arn><UserId>a:b</UserId><Account>123456789012</Account>
  </GetCallerIdentityResult></GetCallerIdentityResponse>`;
const S3_RESULT = `<?xml version="1.0" encoding="UTF-8"?><ListAllMyBucketsResult><Owner><ID>a</ID></Owner>
  <Buckets></Buckets></ListAllMyBucketsResult>`;
const S3_LIST = `<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount><MaxKeys>1</MaxKeys>
  <IsTruncated>false</IsTruncated></ListBucketResult>`;

/**
 * Listens. `issued` are the credentials that exist, by access key id; those in `expired` are refused with `ExpiredToken`.
 * `requests` says for each request which key signed it, and what came of it.
 */
export async function serveAws(issued) {
  const requests = [];
  const expired = new Set();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url: target, headers } = request;
    const [, accessKeyId = ""] = /Credential=([^/]+)\//.exec(headers.authorization ?? "") ?? [];
    const checked = check({
      method,
      target,
      headers,
      body: Buffer.concat(chunks),
    }, issued.get(accessKeyId));
    const code = checked === "ok" && expired.has(accessKeyId) ? "ExpiredToken" : checked;
    requests.push({ accessKeyId, code });
    const isSts = /\/sts\/aws4_request/.test(headers.authorization ?? "");
    const result = isSts ? STS_RESULT : target.includes("list-type=2") ? S3_LIST : S3_RESULT;
    const body = code === "ok" ? result : failure(code, isSts);
    response.writeHead(code === "ok" ? 200 : 403, {
      "content-type": isSts ? "text/xml" : "application/xml",
    }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    requests,
    expired,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The session token must be the issued one, and the signature must cover it and the host. */
function check(received, key) {
  if (key === undefined) return "InvalidClientTokenId";
  if (received.headers["x-amz-security-token"] !== key.sessionToken) {
    return "InvalidToken";
  }
  const names = verifiedHeaders(received, key.secretAccessKey) ?? [];
  const isCovered = ["host", "x-amz-security-token"].every((name) => names.includes(name));
  return isCovered ? "ok" : "SignatureDoesNotMatch";
}

function failure(code, isSts) {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>It is ${code}</Message></Error>`;
  return isSts ? `<ErrorResponse>${error}<RequestId>r</RequestId></ErrorResponse>` : error;
}
