import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A request to STS. */
export interface StsRequest {
  readonly authorization: string;
  readonly parameters: URLSearchParams;
}

/** An STS on a loopback port that assumes every role, whoever asks. */
export class FakeSts implements AsyncDisposable {
  readonly requests: StsRequest[] = [];
  /** Resolves with the first request. */
  readonly requested: Promise<void>;
  readonly #server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk);
    request.on("end", () => {
      const { authorization = "" } = request.headers;
      this.requests.push({ authorization, parameters: new URLSearchParams(body) });
      this.#wake();
      response.end(RESPONSE);
    });
  });
  #wake: () => void = () => {};

  constructor() {
    this.requested = new Promise((resolve) => this.#wake = resolve);
  }

  /** Starts to listen; resolves to its URL. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const RESPONSE = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>
  <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
  </Credentials></AssumeRoleResult></AssumeRoleResponse>`;
