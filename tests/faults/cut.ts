// The response of each step, cut after each of its bytes, over real sockets. `npm run test:faults` runs it on each runtime.
import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Framing, HOUR_MS, outcome, PAUSE_MS, RawServer, sourcesAt, STEPS, whole } from "./raw_server.ts";
import type { Emulator } from "../../lib/testing/mod.ts";
import { takeRequests } from "./sources.ts";

/** One request, once more on a client that had a response before, and each once more by Deno itself. */
const MAX_REQUESTS = 4;

/** Sends the responses of one step only up to `cutAt`; each on a connection of its own. */
class CuttingServer extends RawServer {
  cutAt = Infinity;
  /** How long the last whole response of the step was. */
  responseLength = 0;

  constructor(emulator: Emulator, step: string, framing: Framing) {
    super(emulator, (reply) => {
      const bytes = whole(reply, framing);
      const isCut = reply.step === step;
      if (isCut) this.responseLength = bytes.length;
      reply.socket.end(isCut ? bytes.subarray(0, this.cutAt) : bytes);
    });
  }
}

/** A refresh does not request the role name again: it is remembered. */
function itIf(applies: boolean): typeof it {
  return applies ? it : it.skip as typeof it;
}

for (const [name, step] of STEPS) {
  for (const framing of ["content-length", "chunked"] as const) {
    describe(`the response of ${name}, step ${step}, with ${framing}, cut after each byte`, () => {
      it("gives an error of this library, and never a part of the credentials", async () => {
        const { emulator, connect } = sourcesAt(Date.now)[name]!;
        using server = new CuttingServer(emulator, step, framing);
        const endpoint = await server.listen();
        const connected = () => connect(endpoint, { now: Date.now });
        assert("accessKeyId" in await outcome(connected(), emulator));
        const length = server.responseLength;
        for (let cutAt = 0; cutAt < length; cutAt++) {
          server.cutAt = cutAt;
          takeRequests(emulator);
          const result = await outcome(connected(), emulator);
          if (!isWhole(framing, length - cutAt)) assert("error" in result, `cut after ${cutAt} of ${length} bytes`);
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
          const result = await outcome(provider, emulator);
          assert("accessKeyId" in result, `cut after ${cutAt} of ${length} bytes`);
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
