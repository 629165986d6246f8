import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import {
  type CachedProvider,
  CredentialsProviderError,
  fromContainerMetadata,
  fromInstanceMetadata,
  fromWebToken,
} from "../../mod.ts";
import { parseRequest } from "../../lib/runtime/http_message.ts";
import { EcsEmulator, type Emulator, ImdsEmulator, StsEmulator } from "../../lib/testing/mod.ts";
import { ROLE_ARN, WEB_IDENTITY_TOKEN } from "./sources.ts";

export const HOUR_MS = 3_600_000;
/** Longer than the longest pause after a failed refresh. */
export const PAUSE_MS = 660_000;

/** A service, its steps in the order of a first call, and a provider that retrieves from it with one attempt. */
export interface SocketSource {
  readonly emulator: Emulator;
  readonly steps: readonly string[];
  readonly connect: (
    endpoint: string,
    runtime: { readonly now: () => number },
    options?: { readonly timeout: number },
  ) => CachedProvider;
}

const SETTINGS = { sharedConfig: {}, logger: null, maxRetries: 0 };

export function sourcesAt(now: () => number): Readonly<Record<string, SocketSource>> {
  const runtime = { now };
  const ecs = new EcsEmulator({ runtime, requestsPerSecond: 1e6 });
  return {
    "IMDS": {
      emulator: new ImdsEmulator({ runtime }),
      steps: ["token", "list", "document"],
      connect: (endpoint, runtime, options) => fromInstanceMetadata({ ...SETTINGS, endpoint, runtime, ...options }),
    },
    "a container endpoint": {
      emulator: ecs,
      steps: ["credentials"],
      connect: (endpoint, runtime, options) => {
        const awsContainerCredentialsFullUri = endpoint + ecs.relativeUri;
        return fromContainerMetadata({ ...SETTINGS, awsContainerCredentialsFullUri, runtime, ...options });
      },
    },
    "STS": {
      emulator: new StsEmulator({ runtime }),
      steps: ["AssumeRoleWithWebIdentity"],
      connect: (endpoint, runtime, options) =>
        fromWebToken({
          ...SETTINGS,
          endpoint,
          runtime,
          roleArn: ROLE_ARN,
          webIdentityToken: WEB_IDENTITY_TOKEN,
          ...options,
        }),
    },
  };
}

/** Each source with each of its steps. */
export const STEPS: readonly (readonly [source: string, step: string])[] = Object.entries(sourcesAt(Date.now)).flatMap(
  ([name, { steps }]) => steps.map((step) => [name, step] as const),
);

/** What an emulator responds to a request, which is to be sent as bytes. */
export interface Reply {
  readonly step: string;
  readonly socket: Socket;
  readonly status: number;
  /** Without those that say where the body ends. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** All are ASCII. */
  readonly body: string;
}

/** Sends the responses of an emulator over real sockets, as `send` says. */
export class RawServer implements Disposable {
  send: (reply: Reply) => void;
  /** Is told of each new connection. */
  connected: (socket: Socket) => void = () => {};
  readonly #emulator: Emulator;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(emulator: Emulator, send: (reply: Reply) => void) {
    this.#emulator = emulator;
    this.send = send;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Waits until every connection has ended. */
  async idle(): Promise<void> {
    for (const socket of this.#sockets) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}); // the client may be gone
    socket.on("close", () => this.#sockets.delete(socket));
    this.connected(socket);
    onRequests(socket, (request) => void this.#respond(request, socket));
  }

  async #respond(request: Request, socket: Socket): Promise<void> {
    const response = await this.#emulator.handle(request);
    const step = this.#emulator.requests.at(-1)?.step ?? "";
    const headers = [...response.headers].filter(([name]) => name !== "content-length");
    this.send({ step, socket, status: response.status, headers, body: await response.text() });
  }
}

/** Calls back for each request on a connection. Clients send the next one after the response only. */
function onRequests(socket: Socket, listener: (request: Request) => void): void {
  let received = Buffer.alloc(0);
  socket.on("data", (bytes: Uint8Array) => {
    received = Buffer.concat([received, bytes]);
    const parsed = parseRequest(received);
    if (parsed.kind !== "request") return;
    received = Buffer.alloc(0);
    const { method, target, headers, body } = parsed.request;
    const url = `http://${headers.get("host")}${target}`;
    listener(new Request(url, { method, headers, ...(body.length === 0 ? {} : { body }) }));
  });
}

/** How a response says where its body ends. */
export type Framing = "content-length" | "chunked";

/** The bytes of a whole response. */
export function whole(
  { status, headers, body }: Pick<Reply, "status" | "headers" | "body">,
  framing: Framing = "content-length",
  connection: "close" | "keep-alive" = "close",
): Uint8Array {
  const [half, rest] = [body.slice(0, body.length / 2), body.slice(body.length / 2)];
  const framed = framing === "chunked" ? `${chunk(half)}${chunk(rest)}0\r\n\r\n` : body;
  const length = framing === "chunked" ? "transfer-encoding: chunked" : `content-length: ${body.length}`;
  return bytes(head({ status, headers }, [length, `connection: ${connection}`]) + framed);
}

/** A status line and headers. */
export function head({ status, headers }: Pick<Reply, "status" | "headers">, more: readonly string[]): string {
  const lines = [...headers.map(([name, value]) => `${name}: ${value}`), ...more];
  return `HTTP/1.1 ${status} OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
}

export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** What the call gave: an error of this library without a secret in it, or credentials that the service issued, whole. */
export async function outcome(
  provider: CachedProvider,
  { issued }: Emulator,
): Promise<{ readonly error: CredentialsProviderError } | { readonly accessKeyId: string }> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await provider();
    const whole = issued.get(accessKeyId);
    assertEquals([secretAccessKey, sessionToken], [whole?.secretAccessKey, whole?.sessionToken]);
    return { accessKeyId };
  } catch (error) {
    assert(error instanceof CredentialsProviderError, String(error));
    const { message, code, cause } = error;
    assert(!/secret-access-key|session-token-\d/.test([message, code, String(cause)].join()), message);
    return { error };
  }
}
