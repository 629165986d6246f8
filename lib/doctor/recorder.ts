import type { Logger } from "../credentials.ts";
import type { Runtime } from "../runtime.ts";
import type { Finding } from "./finding.ts";

/**
 * A request to IMDS or to a container endpoint, and its response. `headers` are those of the request; they hold tokens.
 */
export interface Exchange {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sentAt: number;
  /** Absent while there is no response. */
  response?: { readonly status: number; readonly date: string | null };
}

/** Records what providers send with `fetchDirect`, and the warnings that they log. */
export class Recorder {
  /** The runtime to give to the providers. */
  readonly runtime: Runtime;
  /** Takes the place of their logger. */
  readonly logger: Logger = { warn: (message) => this.#warn(message) };
  /** Every direct request so far, oldest first. */
  readonly exchanges: Exchange[] = [];
  readonly #inner: Runtime;
  readonly #seen = new Set<string>();
  #warnings: string[] = [];
  #wake: () => void = () => {};

  constructor(runtime: Runtime) {
    this.#inner = runtime;
    this.runtime = { ...runtime, fetchDirect: (url, init) => this.#send(url, init) };
  }

  /** Resolves when the next request is sent. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** The warnings since the last call, each once. */
  takeWarnings(check: string): readonly Finding[] {
    const warnings = this.#warnings;
    this.#warnings = [];
    return warnings.map((message) => ({ check, status: "warning", message }));
  }

  #warn(message: string): void {
    if (!this.#seen.has(message)) this.#warnings.push(message);
    this.#seen.add(message);
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    const headers = Object.fromEntries(new Headers(init.headers));
    const exchange: Exchange = { url, headers, sentAt: this.#inner.now() };
    this.exchanges.push(exchange);
    this.#wake();
    const response = await this.#inner.fetchDirect(url, init);
    exchange.response = { status: response.status, date: response.headers.get("date") };
    return response;
  }
}
