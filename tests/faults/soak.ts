// One process of `npm run soak`: providers over real sockets and real processes, for a number of real minutes. The clock of
// the providers and of the services is 600 times as fast, so that refreshes are frequent; sockets, time limits and the
// pauses between attempts are real. Prints one line of figures, then a line for each bound that was exceeded.
import { renameSync, writeFileSync } from "node:fs";
import process from "node:process";
import {
  type CachedProvider,
  type CacheEvent,
  fromContainerMetadata,
  fromInstanceMetadata,
  fromProcess,
  fromTemporaryCredentials,
  fromWebToken,
} from "../../mod.ts";
import {
  EcsEmulator,
  type Emulator,
  type Fault,
  ImdsEmulator,
  serveEmulator,
  StsEmulator,
} from "../../lib/testing/mod.ts";
import { heapUsed } from "../support/heap.ts";
import { openFiles, Scratch } from "../support/processes.ts";
import { KEYS, MAX_REQUESTS, MIN_BACKOFF_MINUTES, ROLE_ARN, takeRequests, WEB_IDENTITY_TOKEN } from "./sources.ts";

const SPEED = 600;
const CALLERS = 10;
const CALL_INTERVAL_MS = 25;
const PERIOD_MS = 1_000;
const MINUTE_MS = 60_000;
const FAULTS: readonly Fault[] = [
  "hang",
  "reset",
  "truncated",
  "drip",
  "html",
  "binary",
  "oversized",
  "throttled",
  "gzip",
  "wrongLength",
  "closed",
  "endlessHeaders",
  { status: 500 },
  { status: 503 },
  { cutAfter: 20 },
];

/** Where the service returns what is cached already, the pause is at least half a minute. */
const MAX_REPEATS_PER_MINUTE = 2;
/** What engines keep after thousands of requests: compiled code, caches of `fetch`. A leak of 100 bytes a call is 20 MB. */
const MAX_HEAP_GROWTH = 8_000_000;
/** Kept-alive connections that the pool of `fetch` opens later than the first measurement, two ends each. */
const MAX_DESCRIPTOR_GROWTH = 16;

/** STS has no `rotate`: its credentials are new in each response. */
type RotatingEmulator = Emulator & { rotate?(): void };

interface Source {
  readonly name: string;
  readonly provider: CachedProvider;
  /** Absent for a process. */
  readonly emulator?: RotatingEmulator;
  readonly close: () => Promise<void>;
  calls: number;
  errors: number;
  requests: number;
  /** Retrievals that this test caused: the first, faults that end, `invalidate()`. */
  caused: number;
}

const startedAt = Date.now();
const now = () => startedAt + (Date.now() - startedAt) * SPEED;
const runtime = { now };
let failedRefreshes = 0;
const SETTINGS = {
  sharedConfig: {},
  logger: null,
  runtime,
  onEvent: ({ type }: CacheEvent) => void (type === "refreshFailed" && failedRefreshes++),
};
const scratch = new Scratch("rolecreds-soak-");
const rejections: unknown[] = [];
process.on("unhandledRejection", (reason) => rejections.push(reason));

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function served(
  name: string,
  emulator: RotatingEmulator,
  connect: (endpoint: string) => CachedProvider,
): Promise<Source> {
  const { endpoint, close } = await serveEmulator(emulator);
  const provider = connect(endpoint);
  return { name, emulator, provider, close, calls: 0, errors: 0, requests: 0, caused: 1 };
}

async function sources(): Promise<readonly Source[]> {
  const ecs = new EcsEmulator({ runtime, lifetimeSeconds: 3_600, requestsPerSecond: 1_000 });
  return [
    await served("IMDS", new ImdsEmulator({ runtime, lifetimeSeconds: 3_600 }), (endpoint) => {
      return fromInstanceMetadata({ ...SETTINGS, endpoint, timeout: 300 });
    }),
    await served("ECS", ecs, (endpoint) => {
      const awsContainerCredentialsFullUri = endpoint + ecs.relativeUri;
      return fromContainerMetadata({ ...SETTINGS, awsContainerCredentialsFullUri, timeout: 300 });
    }),
    await served("AssumeRole", new StsEmulator({ runtime }), (endpoint) => {
      const role = { params: { RoleArn: ROLE_ARN }, masterCredentials: KEYS };
      return fromTemporaryCredentials({ ...SETTINGS, ...role, endpoint, timeout: 300 });
    }),
    await served("web identity", new StsEmulator({ runtime }), (endpoint) => {
      const role = { webIdentityToken: WEB_IDENTITY_TOKEN, roleArn: ROLE_ARN };
      return fromWebToken({ ...SETTINGS, ...role, endpoint, timeout: 300 });
    }),
    processSource(),
  ];
}

/** A program that prints a file, which is replaced in each period. */
function processSource(): Source {
  const path = scratch.file("document.json", "", 0o600);
  const write = () => {
    const Expiration = new Date(now() + 60 * MINUTE_MS).toISOString();
    const document = { Version: 1, AccessKeyId: "AKIASOAK", SecretAccessKey: "secret", Expiration };
    writeFileSync(`${path}.new`, JSON.stringify(document));
    renameSync(`${path}.new`, path);
  };
  write();
  const timer = setInterval(write, PERIOD_MS);
  const provider = fromProcess({ command: ["/bin/cat", path], logger: null, runtime, expiryWindowSeconds: 120 });
  const close = () => Promise.resolve(clearInterval(timer));
  return { name: "process", provider, close, calls: 0, errors: 0, requests: 0, caused: 1 };
}

/** Calls until the end; a call must not fail. */
async function caller(source: Source, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    source.calls++;
    await source.provider().catch(() => source.errors++);
    await pause(CALL_INTERVAL_MS);
  }
}

/** Makes the service unavailable in every other period, each time in another way; sometimes refuses what is cached. */
async function trouble(source: Source, isOver: () => boolean): Promise<void> {
  const { emulator, provider } = source;
  for (let period = 0; !isOver(); period++) {
    if (emulator !== undefined) {
      emulator.recover();
      source.requests += takeRequests(emulator);
      if (period % 2 === 1) emulator.inject(FAULTS[(period >> 1) % FAULTS.length]!, { times: Infinity });
    }
    if (period % 3 === 0) {
      emulator?.rotate?.();
      provider.invalidate();
      source.caused++;
    }
    await pause(PERIOD_MS);
  }
  emulator?.recover();
}

/** A process that starts another one and hangs must leave nothing behind. */
async function hangingProcesses(isOver: () => boolean): Promise<number> {
  const command = [scratch.script("hang", 'trap "" TERM; sleep 60 & pid $!; wait')] as const;
  let unexpected = 0;
  while (!isOver()) {
    const provider = fromProcess({ command, timeout: 200, logger: null });
    await provider().then(() => unexpected++, ({ code }) => code === "ProcessProviderExecutionError" || unexpected++);
    await pause(PERIOD_MS);
  }
  return unexpected;
}

interface Usage {
  readonly heap: number | undefined;
  readonly descriptors: number | undefined;
  readonly handles: number | undefined;
}

async function usage(): Promise<Usage> {
  return {
    heap: await heapUsed(),
    descriptors: process.platform === "linux" ? openFiles() : undefined,
    handles: process.getActiveResourcesInfo?.().length,
  };
}

function runtimeName(): string {
  return "Deno" in globalThis ? "Deno" : "Bun" in globalThis ? "Bun" : "Node";
}

async function soak(minutes: number): Promise<readonly string[]> {
  const all = await sources();
  for (const { provider } of all) await provider();
  const endsAt = Date.now() + minutes * MINUTE_MS;
  const isOver = () => Date.now() >= endsAt;
  const work = all.flatMap((source) => [
    trouble(source, isOver),
    ...Array.from({ length: CALLERS }, () => caller(source, isOver)),
  ]);
  const hanging = hangingProcesses(isOver);
  await pause((endsAt - Date.now()) / 5);
  const early = await usage();
  await Promise.all(work);
  const unexpected = await hanging;
  const late = await usage();
  const survivors = await scratch.survivors();
  for (const { close } of all) await close();
  return report({ all, early, late, unexpected, survivors: survivors.length, minutes });
}

interface Outcome {
  readonly all: readonly Source[];
  readonly early: Usage;
  readonly late: Usage;
  readonly unexpected: number;
  readonly survivors: number;
  readonly minutes: number;
}

function report({ all, early, late, unexpected, survivors, minutes }: Outcome): readonly string[] {
  const sum = (key: "calls" | "errors" | "requests") => all.reduce((total, source) => total + source[key], 0);
  const growth = (key: keyof Usage) =>
    early[key] === undefined || late[key] === undefined ? undefined : late[key] - early[key];
  const [heap, descriptors, handles] = [growth("heap"), growth("descriptors"), growth("handles")];
  const shown = (value: number | undefined) => value === undefined ? "not measured" : `${value}`;
  const figures = [
    `${minutes} min`,
    `${sum("calls")} calls`,
    `${sum("errors")} errors`,
    `${sum("requests")} requests`,
    `${failedRefreshes} failed refreshes`,
    `heap ${heap === undefined ? "not measured" : `${Math.round(heap / 1_000)} kB`}`,
    `descriptors ${shown(descriptors)}`,
    `handles ${shown(handles)}`,
    `${survivors} processes left`,
    `${rejections.length} unhandled rejections`,
  ];
  process.stdout.write(`# soak ${runtimeName()}: ${figures.join(", ")}\n`);
  return [
    ...all.filter(({ errors }) => errors > 0).map(({ name, errors }) => `${name}: ${errors} calls failed`),
    ...all.filter((source) => source.requests > maxRequests(source, minutes)).map((source) =>
      `${source.name}: ${source.requests} requests, more than ${maxRequests(source, minutes)}`
    ),
    ...(unexpected > 0 ? [`${unexpected} hanging processes ended in an unexpected way`] : []),
    ...(survivors > 0 ? [`${survivors} processes are left`] : []),
    ...(rejections.length > 0 ? [`unhandled rejection: ${String(rejections[0])}`] : []),
    ...((heap ?? 0) > MAX_HEAP_GROWTH ? [`the heap grew by ${heap} bytes`] : []),
    ...((descriptors ?? 0) > MAX_DESCRIPTOR_GROWTH ? [`${descriptors} more descriptors are open`] : []),
    ...((handles ?? 0) > MAX_DESCRIPTOR_GROWTH ? [`${handles} more handles are active`] : []),
  ];
}

/** The repeats that the pauses allow, one retrieval for each pause that may have ended, and those that this test caused. */
function maxRequests({ caused }: Source, minutes: number): number {
  const fastMinutes = minutes * SPEED;
  const retrievals = Math.ceil(fastMinutes / MIN_BACKOFF_MINUTES) + caused;
  return fastMinutes * MAX_REPEATS_PER_MINUTE + retrievals * MAX_REQUESTS;
}

const exceeded = await soak(Number(process.argv[2]));
scratch[Symbol.dispose]();
for (const line of exceeded) process.stdout.write(`${runtimeName()} FAILED: ${line}\n`);
process.exit(exceeded.length === 0 ? 0 : 1);
