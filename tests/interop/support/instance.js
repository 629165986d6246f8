// An EC2 instance with a role: the emulator on a socket, a provider that retrieves from it, and AWS, which knows its keys.
import { fromInstanceMetadata } from "../../../.build/mod.js";
import { ImdsEmulator, serveEmulator } from "../../../.build/lib/testing/mod.js";
import { serveAws } from "./aws_server.js";

export class Instance {
  /** How far the clock of the instance is ahead of the real one, with which clients sign. */
  aheadMs = 0;
  #servers = [];

  async start() {
    const runtime = {
      now: () => Date.now() + this.aheadMs,
      env: () => undefined,
    };
    this.imds = new ImdsEmulator({ runtime });
    const metadata = await serveEmulator(this.imds);
    this.aws = await serveAws(this.imds.issued);
    this.#servers = [metadata, this.aws];
    const { endpoint } = metadata;
    this.provider = fromInstanceMetadata({
      endpoint,
      sharedConfig: {},
      logger: null,
      runtime,
    });
    return this;
  }

  /** The key that signed the last request, and what AWS said to it. */
  get last() {
    return this.aws.requests.at(-1);
  }

  /** How many requests for credentials IMDS got. */
  get retrievals() {
    return this.imds.requests.filter(({ step }) => step === "document").length;
  }

  async stop() {
    for (const server of this.#servers) await server.close();
  }
}
