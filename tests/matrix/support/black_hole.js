// An address that swallows packets, as 169.254.169.254 does on many networks outside EC2.
import { spawn } from "node:child_process";
import { connect } from "node:net";
import process from "node:process";

const LISTEN = `const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => process.stdout.write(String(server.address().port)));`;

/** A server that is stopped and whose queue is full: the kernel drops the packets of further connections (Linux). */
export async function blackHole() {
  const server = spawn(process.execPath, ["-e", LISTEN], { stdio: ["ignore", "pipe", "inherit"] });
  const port = Number(await new Promise((resolve) => server.stdout.once("data", resolve)));
  server.kill("SIGSTOP");
  const waiting = [];
  while (waiting.length < 10 && await isAccepted(port, waiting));
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close() {
      for (const socket of waiting) socket.destroy();
      server.kill("SIGKILL");
    },
  };
}

/** Without an answer in half a second a connection is in the hole: on loopback one takes a fraction of a millisecond. */
function isAccepted(port, waiting) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on(
      "error",
      () => {/* it is destroyed in the end */},
    );
    waiting.push(socket);
    setTimeout(resolve, 500, false);
  });
}
