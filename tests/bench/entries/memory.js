export const title = "Memory";
export const unit = "KiB";
export const notes =
  "What stays on the heap after garbage collection, over a metadata service in memory. Growth is the least that one of " +
  "three further runs of the same length adds: a leak grows in each of them. A negative one is zero.";

const [ONE, CALLS, REFRESHES] = ["one provider", "growth over 1,000,000 cached calls", "growth over 10,000 refreshes"];
/** Nothing may grow; this much the engines move by themselves. */
export const aims = [{ row: CALLS, max: 64 }, { row: REFRESHES, max: 64 }];

const PROVIDERS = 1_000;
/** A time limit cannot be cancelled: its signal lives until it ends, after a second by default. */
const SETTLE_MS = 1_500;

export async function values({ fromInstanceMetadata }) {
  const runtime = { fetch: rotatingService() };
  const make = () => fromInstanceMetadata({ runtime, sharedConfig: {} });
  const provider = make();
  return {
    [ONE]: await sizeOfOne(make),
    [CALLS]: await growthOf(1_000_000, () => provider()),
    [REFRESHES]: await growthOf(10_000, () => provider({ forceRefresh: true })),
  };
}

async function sizeOfOne(make) {
  await make()();
  const before = await heapKiB();
  const providers = Array.from({ length: PROVIDERS }, make);
  for (const provider of providers) await provider();
  const after = await heapKiB();
  return (after - before) / providers.length;
}

async function growthOf(times, call) {
  const heaps = [];
  for (let run = 0; run < 4; run++) {
    for (let index = 0; index < times; index++) await call();
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    heaps.push(await heapKiB());
  }
  const growths = heaps.slice(1).map((heap, run) => heap - heaps[run]);
  return Math.max(0, Math.min(...growths));
}

async function heapKiB() {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve)); // what finalizers hold is freed by the next round
  }
  return globalThis.process.memoryUsage().heapUsed / 1_024;
}

function collectGarbage() {
  if ("Bun" in globalThis) globalThis.Bun.gc(true);
  else globalThis.gc();
}

/** New credentials at each request; keeps nothing. */
function rotatingService() {
  let serial = 0;
  const headers = { "x-aws-ec2-metadata-token-ttl-seconds": "21600" };
  return (url, { method }) => {
    if (method === "PUT") return Promise.resolve(new Response("TOKEN", { headers }));
    if (url.endsWith("/")) return Promise.resolve(new Response("web-server"));
    return Promise.resolve(Response.json({
      Code: "Success",
      AccessKeyId: `ASIA${++serial}`,
      SecretAccessKey: "secret",
      Token: "token",
      Expiration: "2099-01-01T00:00:00Z",
    }));
  };
}
