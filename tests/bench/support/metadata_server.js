// A metadata service for measurements, on Bun for its speed: prints its address, and gives out new credentials at each
// request, so that a refresh brings something new.
const EXPIRATION = new Date(Date.now() + 21_600_000).toISOString().replace(/\.\d+Z$/, "Z");
const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";

let serial = 0;
let count = 0;

function roleDocument() {
  const document = {
    Code: "Success",
    LastUpdated: EXPIRATION,
    Type: "AWS-HMAC",
    AccessKeyId: `ASIA${`${++serial}`.padStart(16, "0")}`,
    SecretAccessKey: "s".repeat(40),
    Token: "t".repeat(1_000),
    Expiration: EXPIRATION,
  };
  return JSON.stringify(document, undefined, 2);
}

function takeCount() {
  const taken = count;
  count = 0;
  return taken;
}

const server = globalThis.Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch({ method, url }) {
    if (url.endsWith("/count")) return new Response(`${takeCount()}`);
    count++;
    if (method === "PUT") return new Response("TOKEN", { headers: { [TTL_HEADER]: "21600" } });
    return new Response(url.endsWith("/") ? "web-server" : roleDocument());
  },
});
// deno-lint-ignore no-console -- the way to tell the address
console.log(server.url.origin);
