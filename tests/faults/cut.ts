// The response of each step, cut after each of its bytes, over real sockets. `npm run test:faults` runs it on each runtime.
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import {
  type CachedProvider,
  CredentialsProviderError,
  fromContainerMetadata,
  fromInstanceMetadata,
  fromWebToken,
} from "../../mod.ts";
import { EcsEmulator, type Emulator, ImdsEmulator, StsEmulator } from "../../lib/testing/mod.ts";
import { ROLE_ARN, takeRequests, WEB_IDENTITY_TOKEN } from "./sources.ts";

type Framing = "content-length" | "chunked";

interface Source {
  readonly emulator: Emulator;
  readonly steps: readonly string[];
  readonly connect: (endpoint: string, runtime: { readonly now: () => number }) => CachedProvider;
}

const SETTINGS = { sharedConfig: {}, logger: null, maxRetries: 0 };
const HOUR_MS = 3_600_000;
/** Longer than the longest pause after a failed refresh. */
const PAUSE_MS = 660_000;
/** One request, once more on a client that had a response before, and each once more by Deno itself. */
const MAX_REQUESTS = 4;

function sourcesAt(now: () => number): Readonly<Record<string, Source>> {
  const runtime = { now };
  const ecs = new EcsEmulator({ runtime, requestsPerSecond: 1e6 });
  return {
    "IMDS": {
      emulator: new ImdsEmulator({ runtime }),
      steps: ["token", "list", "document"],
      connect: (endpoint, runtime) => fromInstanceMetadata({ ...SETTINGS, endpoint, runtime }),
    },
    "a container endpoint": {
      emulator: ecs,
      steps: ["credentials"],
      connect: (endpoint, runtime) =>
        fromContainerMetadata({ ...SETTINGS, awsContainerCredentialsFullUri: endpoint + ecs.relativeUri, runtime }),
    },
    "STS": {
      emulator: new StsEmulator({ runtime }),
      steps: ["AssumeRoleWithWebIdentity"],
      connect: (endpoint, runtime) =>
        fromWebToken({
          ...SETTINGS,
          endpoint,
          runtime,
          roleArn: ROLE_ARN,
          webIdentityToken: WEB_IDENTITY_TOKEN,
        }),
    },
  };
}

/** Sends the responses of an emulator as bytes, those of one step only up to `cutAt`; each on a connection of its own. */
class CuttingServer implements Disposable {
  cutAt = Infinity;
  /** How long the last whole response of the step was. */
  responseLength = 0;
  readonly #emulator: Emulator;
  readonly #step: string;
  readonly #framing: Framing;
  readonly #server: Server;

  constructor(emulator: Emulator, step: string, framing: Framing) {
    this.#emulator = emulator;
    this.#step = step;
    this.#framing = framing;
    this.#server = createServer((socket) => void this.#serve(socket));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  [Symbol.dispose](): void {
    this.#server.close();
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on("error", () => {}); // the client may be gone
    const request = await received(socket);
    const response = await this.#emulator.handle(request);
    const bytes = await encoded(response, this.#framing);
    const isCut = this.#emulator.requests.at(-1)?.step === this.#step;
    if (isCut) this.responseLength = bytes.length;
    socket.end(isCut ? bytes.subarray(0, this.cutAt) : bytes);
  }
}

/** Reads one request. */
function received(socket: Socket): Promise<Request> {
  let text = "";
  return new Promise((resolve) => {
    socket.setEncoding("latin1").on("data", (chunk) => {
      text += chunk;
      const [head = "", body] = text.split("\r\n\r\n");
      const [start = "", ...lines] = head.split("\r\n");
      const headers = new Headers(lines.map((line) => line.split(": ") as [string, string]));
      if (body === undefined || body.length < Number(headers.get("content-length") ?? 0)) return;
      const [method = "", path = ""] = start.split(" ");
      const url = `http://${headers.get("host")}${path}`;
      resolve(new Request(url, { method, headers, ...(body === "" ? {} : { body }) }));
    });
  });
}

/** A response as bytes of HTTP/1.1, after which the connection ends. */
async function encoded(response: Response, framing: Framing): Promise<Uint8Array> {
  const body = await response.text();
  const headers = [...response.headers].filter(([name]) => name !== "content-length");
  const [half, rest] = [body.slice(0, body.length / 2), body.slice(body.length / 2)];
  const framed = framing === "chunked"
    ? `${[half, rest].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("")}0\r\n\r\n`
    : body;
  headers.push(framing === "chunked" ? ["transfer-encoding", "chunked"] : ["content-length", `${body.length}`]);
  headers.push(["connection", "close"]);
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`HTTP/1.1 ${response.status} OK\r\n${lines}\r\n${framed}`, "latin1");
}

/** What the call gave: an error of this library without a secret in it, or credentials that the service issued, whole. */
async function outcome(provider: CachedProvider, emulator: Emulator): Promise<"error" | "credentials"> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await provider();
    const issued = emulator.issued.get(accessKeyId);
    assertEquals([secretAccessKey, sessionToken], [issued?.secretAccessKey, issued?.sessionToken]);
    return "credentials";
  } catch (error) {
    assert(error instanceof CredentialsProviderError, String(error));
    const { message, code, cause } = error;
    assert(!/secret-access-key|session-token-\d/.test([message, code, String(cause)].join()), message);
    return "error";
  }
}

const NAMES = Object.entries(sourcesAt(Date.now)).flatMap(([name, { steps }]) =>
  steps.map((step) => [name, step] as const)
);

/** A refresh does not request the role name again: it is remembered. */
function itIf(applies: boolean): typeof it {
  return applies ? it : it.skip as typeof it;
}

for (const [name, step] of NAMES) {
  for (const framing of ["content-length", "chunked"] as const) {
    describe(`the response of ${name}, step ${step}, with ${framing}, cut after each byte`, () => {
      it("gives an error of this library, and never a part of the credentials", async () => {
        const { emulator, connect } = sourcesAt(Date.now)[name]!;
        using server = new CuttingServer(emulator, step, framing);
        const endpoint = await server.listen();
        const connected = () => connect(endpoint, { now: Date.now });
        assertEquals(await outcome(connected(), emulator), "credentials");
        const length = server.responseLength;
        for (let cutAt = 0; cutAt < length; cutAt++) {
          server.cutAt = cutAt;
          takeRequests(emulator);
          const result = await outcome(connected(), emulator);
          if (!isWhole(framing, length - cutAt)) assertEquals(result, "error", `cut after ${cutAt} of ${length} bytes`);
          assert(emulator.requests.filter((request) => request.step === step).length <= MAX_REQUESTS);
        }
      });

      itIf(step !== "list")("leaves the callers with what is cached", async () => {
        let time = Date.now();
        const { emulator, connect } = sourcesAt(() => time)[name]!;
        using server = new CuttingServer(emulator, step, framing);
        const provider = connect(await server.listen(), { now: () => time });
        await provider();
        const length = server.responseLength;
        time += 6 * HOUR_MS;
        for (let cutAt = 0; cutAt < length; cutAt++) {
          server.cutAt = cutAt;
          takeRequests(emulator);
          assertEquals(await outcome(provider, emulator), "credentials", `cut after ${cutAt} of ${length} bytes`);
          const { length: requests } = emulator.requests;
          assert(requests <= 2 * MAX_REQUESTS, `${requests} requests`);
          if (!isWhole(framing, length - cutAt + 1)) assert(requests > 0, `cut after ${cutAt} of ${length} bytes`);
          time += PAUSE_MS;
        }
      });
    });
  }
}

/** Without the last bytes of a chunked body all of its data are there: some runtimes take it for whole. */
function isWhole(framing: Framing, missing: number): boolean {
  return framing === "chunked" && missing <= "\r\n0\r\n\r\n".length;
}
