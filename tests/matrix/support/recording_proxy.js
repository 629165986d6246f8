// A proxy that answers nothing useful, and remembers what arrived.
import { createServer } from "node:http";

/** Listens on loopback. `requests` are lines such as `GET http://host/path` and `CONNECT host:port`. */
export async function recordingProxy() {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  server.on("connect", ({ url }, socket) => {
    requests.push(`CONNECT ${url}`);
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
