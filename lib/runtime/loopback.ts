import type { NodeProcess } from "./builtin.ts";

/** An HTTP server on a loopback address. */
export interface LoopbackServer {
  readonly origin: string;
  close(): Promise<void>;
}

interface Incoming {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly socket: { destroy(): void };
  resume(): void;
}

interface Outgoing {
  writeHead(status: number, headers: Readonly<Record<string, string>>): void;
  flushHeaders(): void;
  write(chunk: Uint8Array): void;
  end(): void;
  once(event: "close", listener: () => void): void;
}

interface Server {
  listen(port: number, hostname: string, listener: () => void): void;
  once(event: "error", listener: (error: unknown) => void): void;
  address(): { readonly port: number };
  closeAllConnections(): void;
  close(listener: () => void): void;
}

interface Http {
  createServer(listener: (incoming: Incoming, outgoing: Outgoing) => void): Server;
}

/** Serves a handler over `node:http`, which all three runtimes have. A handler that rejects ends the connection. */
export async function listenOnLoopback(
  handler: (request: Request) => Promise<Response>,
  { port = 0, ipv6 = false }: { readonly port?: number; readonly ipv6?: boolean },
): Promise<LoopbackServer> {
  const { process } = globalThis as { process?: NodeProcess };
  const http = process?.getBuiltinModule<Http>?.("node:http");
  if (http === undefined) throw new Error("Cannot listen: this runtime has no node:http");
  const hostname = ipv6 ? "::1" : "127.0.0.1";
  const server = http.createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    origin: `http://${ipv6 ? "[::1]" : hostname}:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

async function answer(
  handler: (request: Request) => Promise<Response>,
  incoming: Incoming,
  outgoing: Outgoing,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  incoming.resume();
  const { method, headers } = incoming;
  const url = new URL(incoming.url, "http://localhost");
  const response = await handler(new Request(url, { method, headers, signal: gone.signal }));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.flushHeaders();
  for await (const chunk of response.body ?? []) outgoing.write(chunk);
  outgoing.end();
}
