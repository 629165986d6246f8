import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { connect } from "node:net";
import { listenOnLoopback, type LoopbackServer, type RequestHandler } from "../../lib/runtime/loopback.ts";

let handler: RequestHandler;
let server: LoopbackServer;

beforeEach(async () => {
  handler = async (request) => new Response(`${request.method} ${request.url} ${await request.text()}`);
  server = await listenOnLoopback((request, connection) => handler(request, connection), {});
});
afterEach(() => server.close());

/** Sends bytes, and resolves to all that comes back until the server ends the connection. */
function exchange(...parts: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.origin).port), "127.0.0.1");
    let received = "";
    socket.setEncoding("latin1").on("data", (text) => received += text);
    socket.once("error", reject).once("end", () => resolve(received));
    socket.once("connect", () => parts.forEach((part) => socket.write(part)));
  });
}

function lastLine(received: string): string {
  return received.slice(received.lastIndexOf("\r\n\r\n") + 4);
}

describe("listenOnLoopback()", () => {
  it("responds to requests that arrive together, in order", async () => {
    const received = await exchange("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.0\r\nHost: h\r\n\r\n");
    assertEquals(received.match(/http:\/\/h\/\d/g), ["http://h/1", "http://h/2"]);
  });

  it("responds to a request that arrives byte by byte", async () => {
    const received = await exchange(..."POST /a HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody");
    assertEquals(received.includes("POST http://localhost/a body"), true);
  });

  it("keeps a path that begins with two slashes", async () => {
    const received = await exchange("GET //a//b HTTP/1.0\r\nHost: h\r\n\r\n");
    assertEquals(received.includes("GET http://h//a//b "), true);
  });

  it("sends no body in response to HEAD", async () => {
    const received = await exchange("HEAD / HTTP/1.0\r\n\r\n");
    assertEquals([received.slice(0, 12), lastLine(received)], ["HTTP/1.1 200", ""]);
  });

  it("refuses what is not HTTP", async () => {
    assertEquals((await exchange("\x16\x03\x01\r\n\r\n")).slice(0, 12), "HTTP/1.1 400");
  });

  it("ends the connection, where the handler rejects", async () => {
    handler = () => Promise.reject(new Error("no response"));
    assertEquals(await exchange("GET / HTTP/1.1\r\n\r\n"), "");
  });

  it("ends the connection, where the request cannot be made", async () => {
    assertEquals(await exchange("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), "");
  });

  it("ends the connection after a body that is not as long as declared", async () => {
    handler = () => Promise.resolve(new Response("abc", { headers: { "content-length": "9" } }));
    assertEquals(lastLine(await exchange("GET / HTTP/1.1\r\n\r\n")), "abc");
  });

  it("sends a body of unknown length in chunks, without the empty ones", async () => {
    const parts = ["ab", "", "c"].map((text) => new TextEncoder().encode(text));
    handler = () => Promise.resolve(new Response(ReadableStream.from(parts)));
    const received = await exchange("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    assertEquals(received.slice(received.indexOf("\r\n\r\n") + 4), "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  });

  it("aborts the request, when the client is gone", async () => {
    const aborted = new Promise<boolean>((resolve) => {
      handler = ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            resolve(signal.aborted);
            reject(signal.reason);
          });
          socket.destroy();
        });
    });
    const socket = connect(Number(new URL(server.origin).port), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\n\r\n");
    assertEquals(await aborted, true);
  });
});
