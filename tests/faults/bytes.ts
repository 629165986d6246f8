// Responses that break HTTP, at each step, over real sockets. `npm run test:faults` runs it on each runtime.
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import type { CredentialsProviderError } from "../../mod.ts";
import type { Emulator } from "../../lib/testing/mod.ts";
import { takeRequests } from "./sources.ts";
import { RUNTIME } from "../support/run_program.ts";
import {
  bytes,
  chunk,
  head,
  HOUR_MS,
  outcome,
  PAUSE_MS,
  RawServer,
  type Reply,
  sourcesAt,
  STEPS,
  whole,
} from "./raw_server.ts";

/**
 * What a first call gives: credentials, or an error. `lost`: the connection failed; `late`: the time limit passed;
 * `invalid`: the response is not what the step expects; `status`: an HTTP error; `noRole`: there is no such role.
 */
type Expected = "credentials" | "lost" | "late" | "invalid" | "status" | "noRole";

/** The same for all, or by step, or by runtime where they differ. */
type ByStep = Readonly<Partial<Record<string, Expected>> & { readonly others: Expected }>;
type ByRuntime = Readonly<Record<"node" | "bun" | "deno", Expected | ByStep>>;

interface ByteFault {
  readonly send: (reply: Reply) => void;
  /** Responds to later requests on a connection that had the fault; as it should, unless it is given. */
  readonly sendNext?: (reply: Reply) => void;
  /** Sends the response of the step as soon as there is a connection. */
  readonly isEarly?: true;
  readonly expected: Expected | ByStep | ByRuntime;
}

/** For faults that do not end by themselves; the others must not need a limit. */
const SHORT_MS = 1_000;
const LONG_MS = 60_000;
/** The request; once more after a 401 or 404; each once more on a kept connection, and by Deno itself. */
const MAX_REQUESTS = 8;

const CLOSE = "connection: close";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

function ending(reply: Reply, text: string): void {
  reply.socket.end(bytes(text));
}

/** Writes pieces without end, until the client closes the connection. */
function endless(socket: Socket, start: string, piece: (count: number) => string): void {
  socket.write(bytes(start));
  let count = 0;
  const timer = setInterval(() => socket.write(bytes(piece(count++))), 2);
  socket.on("close", () => clearInterval(timer));
}

const FAULTS: Readonly<Record<string, ByteFault>> = {
  "the whole response, each byte in a packet": {
    send({ socket, ...reply }) {
      const all = whole({ ...reply });
      const next = (at: number) => {
        if (at === all.length) socket.end();
        else socket.write(all.subarray(at, at + 1), () => setImmediate(next, at + 1));
      };
      next(0);
    },
    expected: "credentials",
  },
  "a body that drips without end": {
    send: (reply) => endless(reply.socket, head(reply, [CLOSE]), () => " "),
    expected: "late",
  },
  "headers that drip without end": {
    send: ({ socket }) => endless(socket, "HTTP/1.1 200 OK\r\nx: ", () => "y"),
    expected: "late",
  },
  "a length that is too long, then the end": {
    send: (reply) => ending(reply, head(reply, [`content-length: ${reply.body.length + 1}`, CLOSE]) + reply.body),
    expected: "lost",
  },
  "a length that is too long, and no end": {
    send: (reply) =>
      void reply.socket.write(bytes(head(reply, [`content-length: ${reply.body.length + 1}`]) + reply.body)),
    expected: "late",
  },
  "a length that is too short": {
    send: (reply) => ending(reply, head(reply, [`content-length: ${reply.body.length - 1}`, CLOSE]) + reply.body),
    expected: { token: "status", list: "noRole", others: "invalid" },
  },
  "two lengths that differ": {
    send: (reply) =>
      ending(reply, head(reply, ["content-length: 1", `content-length: ${reply.body.length}`, CLOSE]) + reply.body),
    expected: "lost",
  },
  "a negative length": {
    send: (reply) => ending(reply, head(reply, ["content-length: -1", CLOSE]) + reply.body),
    expected: "lost",
  },
  "chunks whose size is no number": {
    send: (reply) => ending(reply, head(reply, ["transfer-encoding: chunked", CLOSE]) + `zz\r\n${reply.body}\r\n`),
    expected: "lost",
  },
  "no length, ended by the connection": {
    send: (reply) => ending(reply, head(reply, [CLOSE]) + reply.body),
    expected: "credentials",
  },
  "gzip that is declared": {
    send(reply) {
      const body = gzipSync(reply.body);
      const lines = ["content-encoding: gzip", `content-length: ${body.length}`, CLOSE];
      reply.socket.write(bytes(head(reply, lines)));
      reply.socket.end(body);
    },
    expected: "credentials",
  },
  "gzip that is not declared": {
    send(reply) {
      const body = gzipSync(reply.body);
      reply.socket.write(bytes(head(reply, [`content-length: ${body.length}`, CLOSE])));
      reply.socket.end(body);
    },
    expected: "invalid",
  },
  "gzip that is declared and is none": {
    send: (reply) =>
      ending(
        reply,
        head(reply, ["content-encoding: gzip", `content-length: ${reply.body.length}`, CLOSE]) + reply.body,
      ),
    expected: "lost",
  },
  "gzip that expands to a megabyte": {
    send(reply) {
      const body = gzipSync("x".repeat(1_000_000));
      reply.socket.write(bytes(head(reply, ["content-encoding: gzip", `content-length: ${body.length}`, CLOSE])));
      reply.socket.end(body);
    },
    expected: "invalid",
  },
  "headers without end": {
    send: ({ socket }) => endless(socket, "HTTP/1.1 200 OK\r\n", (count) => `x-${count}: ${"y".repeat(10_000)}\r\n`),
    expected: "lost",
  },
  "a body without end": {
    send: (reply) => endless(reply.socket, head(reply, [CLOSE]), () => "x".repeat(10_000)),
    expected: "invalid",
  },
  "chunks without end": {
    send: (reply) =>
      endless(reply.socket, head(reply, ["transfer-encoding: chunked"]), () => chunk("x".repeat(10_000))),
    expected: "invalid",
  },
  "a kept connection that is closed after the response": {
    send: (reply) => void reply.socket.end(whole(reply, "content-length", "keep-alive")),
    expected: "credentials",
  },
  "a kept connection that is closed at the next request": {
    send: (reply) => void reply.socket.write(whole(reply, "content-length", "keep-alive")),
    sendNext: ({ socket }) => void socket.destroy(),
    expected: "credentials",
  },
  "two responses in one packet": {
    send: (reply) =>
      void reply.socket.write(
        new Uint8Array([
          ...whole(reply, "content-length", "keep-alive"),
          ...whole({ ...reply, body: "forged" }, "content-length", "keep-alive"),
        ]),
      ),
    expected: "credentials",
  },
  "garbage before the status line": {
    send: (reply) => void reply.socket.end(new Uint8Array([...bytes("garbage\r\n"), ...whole(reply)])),
    expected: "lost",
  },
  "no status line and no headers, as in HTTP/0.9": {
    send: (reply) => ending(reply, reply.body),
    expected: "lost",
  },
  "responses 102 and 103 before": {
    send: (reply) =>
      void reply.socket.end(
        new Uint8Array([
          ...bytes("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n"),
          ...whole(reply),
        ]),
      ),
    expected: "credentials",
  },
  "a response 100 before": {
    send: (reply) => void reply.socket.end(new Uint8Array([...bytes(CONTINUE), ...whole(reply)])),
    expected: { node: "lost", bun: "credentials", deno: "credentials" }, // Node ends the connection: it did not say Expect
  },
  "responses 100 without end": {
    send: ({ socket }) => endless(socket, "", () => CONTINUE),
    expected: { node: "lost", bun: "late", deno: "late" }, // as above
  },
  "responses 103 without end": {
    send: ({ socket }) => endless(socket, "", () => "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n"),
    expected: "late",
  },
  "a header without a colon": {
    send: (reply) =>
      ending(reply, head(reply, ["garbage", `content-length: ${reply.body.length}`, CLOSE]) + reply.body),
    expected: "lost",
  },
  "a NUL in a header": {
    send: (reply) =>
      ending(reply, head(reply, ["x: a\0b", `content-length: ${reply.body.length}`, CLOSE]) + reply.body),
    expected: "lost",
  },
  "a length, and chunks": {
    send: (reply) =>
      ending(
        reply,
        head(reply, ["content-length: 4", "transfer-encoding: chunked", CLOSE]) + chunk(reply.body) + chunk(""),
      ),
    expected: { node: "lost", bun: "credentials", deno: "credentials" }, // RFC 9112, 6.3: an error, or the chunks count
  },
  "lines that end with LF alone": {
    send: (reply) =>
      ending(
        reply,
        head(reply, [`content-length: ${reply.body.length}`, CLOSE]).replaceAll("\r", "") + reply.body,
      ),
    expected: { node: "lost", bun: "credentials", deno: "credentials" }, // RFC 9112, 2.2: may be accepted
  },
  "another protocol, with status 101": {
    send: (reply) =>
      ending(reply, `HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n${reply.body}`),
    expected: { node: "lost", bun: "lost", deno: "status" }, // Deno has a response with this status
  },
  "the response before the request": {
    send: (reply) => void reply.socket.end(whole(reply)),
    isEarly: true,
    expected: "credentials",
  },
};

function expectedOf({ expected }: ByteFault, step: string): Expected {
  const here = typeof expected === "object" && "node" in expected ? expected[RUNTIME] : expected;
  return typeof here === "string" ? here : (here as ByStep)[step] ?? (here as ByStep).others;
}

function kindOf({ code, cause }: CredentialsProviderError): string {
  const reason = cause instanceof Error ? cause.message : "";
  if (reason === "the time limit of the request passed") return "late";
  if (reason.startsWith("the connection failed")) return "lost";
  if (code.endsWith("InvalidResponse")) return "invalid";
  if (code.endsWith("HttpError") || code === "StsError") return "status";
  return code === "ImdsNoRole" ? "noRole" : code;
}

describe("a response that breaks HTTP", () => {
  for (const [name, fault] of Object.entries(FAULTS)) {
    it(`${name}: at a first call`, async () => {
      const seen = await Promise.all(STEPS.map(([source, step]) => firstCall(fault, source, step)));
      assertEquals(seen, STEPS.map(([source, step]) => [source, step, expectedOf(fault, step)]));
    });

    it(`${name}: with cached credentials`, async () => {
      await Promise.all(STEPS.map(([source, step]) => refresh(fault, source, step)));
    });
  }
});

async function firstCall(fault: ByteFault, name: string, step: string): Promise<readonly string[]> {
  const { emulator, connect, steps } = sourcesAt(Date.now)[name]!;
  using server = new FaultyServer(emulator, step, fault);
  const endpoint = await server.listen();
  await keyOf(connect(endpoint, { now: Date.now }), emulator);
  takeRequests(emulator);
  server.begin(steps);
  const timeout = expectedOf(fault, step) === "late" ? SHORT_MS : LONG_MS;
  const result = await outcome(connect(endpoint, { now: Date.now }, { timeout }), emulator);
  const requests = emulator.requests.filter((request) => request.step === step).length;
  assert(requests <= MAX_REQUESTS, `${name}, ${step}: ${requests} requests`);
  if ("error" in result) await server.idle();
  return [name, step, "error" in result ? kindOf(result.error) : "credentials"];
}

async function refresh(fault: ByteFault, name: string, step: string): Promise<void> {
  let time = Date.now();
  const { emulator, connect, steps } = sourcesAt(() => time)[name]!;
  using server = new FaultyServer(emulator, step, fault);
  const expected = expectedOf(fault, step);
  const timeout = expected === "late" ? SHORT_MS : LONG_MS;
  const endpoint = await server.listen();
  const provider = connect(endpoint, { now: () => time }, { timeout });
  const first = await keyOf(provider, emulator);
  time += 7 * HOUR_MS; // all has expired, the token of IMDS, too
  await keyOf(connect(endpoint, { now: () => time }), emulator); // what the service issues now
  takeRequests(emulator);
  server.begin(steps.filter((step) => step !== "list")); // the role name is remembered
  const second = await keyOf(provider, emulator);
  const isNew = expected === "credentials" || step === "list";
  assertEquals(second !== first, isNew, `${name}, ${step}: new credentials`);
  assert(emulator.requests.length <= 2 * MAX_REQUESTS, `${name}, ${step}: ${emulator.requests.length} requests`);
  server.recover();
  time += isNew ? 7 * HOUR_MS : PAUSE_MS;
  assert(await keyOf(provider, emulator) !== second, `${name}, ${step}: new credentials from the service that is well`);
}

async function keyOf(...args: Parameters<typeof outcome>): Promise<string> {
  const result = await outcome(...args);
  if ("error" in result) throw result.error;
  return result.accessKeyId;
}

/** Has the fault at one step, from `begin()` to `recover()`; responds as it should otherwise. */
class FaultyServer extends RawServer {
  readonly #fault: ByteFault;
  readonly #step: string;
  /** The last whole response of each step. */
  readonly #sent = new Map<string, Uint8Array>();
  readonly #hadFault = new WeakSet<Socket>();

  constructor(emulator: Emulator, step: string, fault: ByteFault) {
    super(emulator, () => {});
    this.#fault = fault;
    this.#step = step;
    this.recover();
  }

  /** @param order The steps that will be requested, each on a connection of its own unless the fault keeps it. */
  begin(order: readonly string[]): void {
    if (this.#fault.isEarly) {
      const steps = [...order];
      this.connected = (socket) => {
        if (steps.shift() === this.#step) socket.end(this.#sent.get(this.#step)!);
      };
    } else this.send = (reply) => reply.step === this.#step ? this.#sendFault(reply) : this.#sendWhole(reply);
  }

  recover(): void {
    this.connected = () => {};
    this.send = (reply) => this.#sendWhole(reply);
  }

  #sendFault(reply: Reply): void {
    if (this.#hadFault.has(reply.socket)) return this.#sendWhole(reply);
    this.#hadFault.add(reply.socket);
    this.#fault.send(reply);
  }

  #sendWhole(reply: Reply): void {
    if (this.#fault.sendNext !== undefined && this.#hadFault.has(reply.socket)) return this.#fault.sendNext(reply);
    const bytes = whole(reply);
    this.#sent.set(reply.step, bytes);
    if (!reply.socket.writableEnded) reply.socket.end(bytes);
  }
}
