import { doesIdentityRequireRefresh, isIdentityExpired, memoizeIdentityProvider } from "@smithy/core";

export const title = "One cached call";
export const unit = "ns";
export const notes =
  "Nothing beside one signature, which takes a thousand times as long. The bare copy is an async function that copies five " +
  "fields; then what a cache must add: reading the clock, and a date of its own for each caller. AWS SDK v3 hands out one " +
  "shared object, so it does not copy.";

const FIELDS = {
  accessKeyId: "ASIAEXAMPLE",
  secretAccessKey: "secret",
  sessionToken: "token",
  expiration: new Date(Date.now() + 21_600_000),
  source: "EC2RoleProvider",
};

// deno-lint-ignore require-await -- an async function is what is measured
const bareCopy = async () => ({ ...FIELDS });

const copyAndClock = async () => {
  if (Date.now() >= FIELDS.expiration.getTime()) await undefined;
  return { ...FIELDS, expiration: new Date(FIELDS.expiration) };
};

export async function subjects({ fromInstanceMetadata, ImdsEmulator }) {
  const provider = fromInstanceMetadata({ runtime: { fetch: new ImdsEmulator().fetch } });
  const memoized = memoizeIdentityProvider(
    () => Promise.resolve(FIELDS),
    isIdentityExpired,
    doesIdentityRequireRefresh,
  );
  await Promise.all([provider(), memoized()]);
  return {
    "bare copy": bareCopy,
    "bare copy, clock, own date": copyAndClock,
    "fromInstanceMetadata()": provider,
    "AWS SDK v3 memoizeIdentityProvider": memoized,
  };
}
