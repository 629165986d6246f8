import type { NodeProcess } from "./builtin.ts";
import { chunkFrame, isChunked, parseRequest, type ReceivedHttpRequest, responseHead } from "./http_message.ts";

/** An HTTP server on a loopback address. */
export interface LoopbackServer {
  readonly origin: string;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** Responds to a request; if it rejects, the connection is closed without a response. */
export type RequestHandler = (request: Request, connection: RawConnection) => Promise<Response>;

/** What a handler can do to the connection besides responding, to break the protocol on purpose. */
export interface RawConnection {
  /** Sends bytes as they are, before the response. */
  write(bytes: Uint8Array): void;
  /** Ends the connection after the response, without the header `Connection: close`. */
  closeAfterResponse(): void;
}

interface Socket {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "error", listener: () => void): void;
  once(event: "close", listener: () => void): void;
  setNoDelay(noDelay: boolean): void;
  write(bytes: Uint8Array): void;
  end(): void;
  destroy(): void;
}

interface Server {
  listen(port: number, hostname: string, listener: () => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
  address(): { readonly port: number };
  close(): void;
}

interface Net {
  createServer(listener: (socket: Socket) => void): Server;
}

/** Bytes of requests that were received and not yet handled; above that the connection is closed. */
const MAX_PENDING_BYTES = 2_097_152;

/**
 * Serves a handler on a loopback port over `node:net`, which all three runtimes have. On some versions of Deno and Bun
 * a server of `node:http` neither closes nor lets the program end after a lost connection; this server closes its own
 * sockets.
 */
export async function listenOnLoopback(
  handler: RequestHandler,
  { port = 0, ipv6 = false }: { readonly port?: number | undefined; readonly ipv6?: boolean | undefined },
): Promise<LoopbackServer> {
  const { process } = globalThis as { process?: NodeProcess };
  const net = process?.getBuiltinModule<Net>?.("node:net");
  if (net === undefined) throw new Error("Cannot listen: this runtime has no node:net");
  const hostname = ipv6 ? "::1" : "127.0.0.1";
  const connections = new Set<Connection>();
  const server = net.createServer((socket) => {
    const connection = new Connection(socket, handler);
    connections.add(connection);
    socket.once("close", () => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, hostname, resolve);
  });
  const origin = `http://${ipv6 ? "[::1]" : hostname}:${server.address().port}`;
  function close(): Promise<void> {
    server.close();
    for (const connection of connections) connection.destroy();
    return new Promise((resolve) => setTimeout(resolve)); // Deno 2.5 frees the port in the next turn of the event loop
  }
  return { origin, close };
}

/** Responds to the requests of one client, one after the other. */
class Connection {
  readonly #socket: Socket;
  readonly #handler: RequestHandler;
  #received: Uint8Array = new Uint8Array();
  /** Aborts the current request; stays set once the connection is ending. */
  #currentRequest: AbortController | undefined;

  constructor(socket: Socket, handler: RequestHandler) {
    this.#socket = socket;
    this.#handler = handler;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", () => this.destroy());
    socket.once("close", () => this.destroy());
  }

  destroy(): void {
    this.#currentRequest?.abort();
    this.#socket.destroy();
  }

  #receive(chunk: Uint8Array): void {
    const received = new Uint8Array(this.#received.length + chunk.length);
    received.set(this.#received);
    received.set(chunk, this.#received.length);
    this.#received = received;
    if (received.length > MAX_PENDING_BYTES) this.destroy();
    else this.#next();
  }

  #next(): void {
    if (this.#currentRequest !== undefined) return;
    const parsed = parseRequest(this.#received);
    if (parsed.kind === "incomplete") return;
    if (parsed.kind === "invalid") return this.#refuse(parsed.status);
    this.#received = this.#received.subarray(parsed.length);
    this.#currentRequest = new AbortController();
    this.#respond(parsed.request, this.#currentRequest.signal).then((keepAlive) => {
      if (!keepAlive) return this.#socket.end();
      this.#currentRequest = undefined;
      this.#next();
    }, () => this.destroy());
  }

  #refuse(status: number): void {
    this.#socket.write(responseHead(new Response(null, { status }), false));
    this.#socket.end();
  }

  /** Sends the response. Resolves to true if the connection can be used for the next request. */
  async #respond(
    { method, target, headers, body, keepAlive }: ReceivedHttpRequest,
    signal: AbortSignal,
  ): Promise<boolean> {
    const url = target.startsWith("/") ? `http://${headers.get("host") ?? "localhost"}${target}` : target;
    const hasBody = body.length > 0 && method !== "GET" && method !== "HEAD";
    const request = new Request(url, { method, headers, signal, ...(hasBody ? { body } : {}) });
    let isKept = keepAlive;
    const response = await this.#handler(request, {
      write: (bytes) => this.#socket.write(bytes),
      closeAfterResponse: () => isKept = false,
    });
    this.#socket.write(responseHead(response, keepAlive));
    if (method === "HEAD" || response.body === null) return isKept;
    try {
      return await this.#sendBody(response, response.body, signal) && isKept;
    } catch {
      return false; // the body failed: the connection is closed after the bytes already sent
    }
  }

  /** Sends the body. Resolves to true if its length is the one in the head. */
  async #sendBody(response: Response, body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<boolean> {
    let sent = 0;
    for await (const chunk of body) {
      if (signal.aborted) return false;
      if (chunk.length === 0) continue; // an empty chunk would end a chunked body
      const [before, after] = isChunked(response) ? chunkFrame(chunk.length) : [];
      for (const bytes of [before, chunk, after]) if (bytes !== undefined) this.#socket.write(bytes);
      sent += chunk.length;
    }
    if (!isChunked(response)) return sent === Number(response.headers.get("content-length"));
    for (const bytes of chunkFrame(0)) this.#socket.write(bytes);
    return true;
  }
}
