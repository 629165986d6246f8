import type { Runtime } from "../runtime.ts";
import { detectRuntime } from "../runtime/detect.ts";
import type { RawConnection } from "../runtime/loopback.ts";
import { untilAborted } from "../until_aborted.ts";
import { type EmulatedCredentials, emulatedCredentials } from "./credentials.ts";
import { type Fault, faultyResponse } from "./faults.ts";
import { type EmulatedResponse, textResponse, toResponse } from "./response.ts";

/** Options that every emulator has. */
export interface EmulatorOptions {
  /** How far the service's clock is ahead of the runtime's, in milliseconds. @default {0} */
  readonly skewMs?: number | undefined;
  /** Replaces parts of the detected runtime, such as the clock. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** A request as an emulator received it. It may contain secrets of the client. */
export interface ReceivedRequest {
  /** The method. */
  readonly method: string;
  /** The URL; over a socket, its host is that of the `Host` header. */
  readonly url: string;
  /** The path of the URL. */
  readonly path: string;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body; empty where there is none. */
  readonly body: string;
}

/** A request in the log of an emulator. */
export interface EmulatedRequest extends ReceivedRequest {
  /** The step of the protocol, as {@linkcode Emulator.inject} names it. */
  readonly step: string;
  /** The status of the response; 0 if there is none, or none yet. */
  readonly status: number;
}

/** Which requests have a fault. */
export interface FaultScope<Step extends string = string> {
  /** The step of the protocol. @default {"any"} */
  readonly on?: Step | "any" | undefined;
  /** How many requests; `Infinity` for all until {@linkcode Emulator.recover}. @default {1} */
  readonly times?: number | undefined;
}

interface InjectedFault {
  readonly fault: Fault;
  readonly on: string;
  remaining: number;
}

/**
 * What all emulators share: the clock, the log of requests, faults, and responses in memory as a `fetch`. Your own
 * server can call `handle`, as {@linkcode serveEmulator} does.
 *
 * A new emulator extends this class and implements only its service. `stepOf()` names the steps that faults can be
 * limited to; `respond()` gets a request as plain values and returns a response as plain values, for valid and invalid
 * requests. It gets the time from `now()`, numbers from `nextSerial()` and credentials from `issue()`. If tests should
 * be able to inject errors of the service by name, override `inject()` and turn the name into a {@linkcode Fault}.
 *
 * @since 0.1.0
 * @example A service with one path
 * ```ts
 * import { Emulator, type EmulatedRequest, type EmulatedResponse } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * class ClockEmulator extends Emulator<"time"> {
 *   constructor() {
 *     super("CLK", { runtime: { now: () => 0 } });
 *   }
 *   protected override stepOf(): "time" {
 *     return "time";
 *   }
 *   protected override respond({ path }: EmulatedRequest): EmulatedResponse {
 *     return path === "/time" ? { status: 200, body: `${this.now()}` } : { status: 404 };
 *   }
 * }
 *
 * const emulator = new ClockEmulator();
 * emulator.inject({ status: 503 }, { on: "time" });
 * assertEquals((await emulator.fetch("http://clock.test/time")).status, 503);
 * assertEquals(await (await emulator.fetch("http://clock.test/time")).text(), "0");
 * ```
 */
export abstract class Emulator<Step extends string = string> {
  readonly #name: string;
  readonly #skewMs: number;
  readonly #runtime: Runtime;
  readonly #faults: InjectedFault[] = [];
  readonly #requests: EmulatedRequest[] = [];
  readonly #issued = new Map<string, EmulatedCredentials>();
  #serial = 0;

  /**
   * Creates an emulator.
   *
   * @param name Up to four capital letters that tell the credentials it issues from those of other emulators.
   * @param options See {@linkcode EmulatorOptions}.
   */
  constructor(name: string, { skewMs = 0, runtime }: EmulatorOptions = {}) {
    this.#name = name;
    this.#skewMs = skewMs;
    this.#runtime = detectRuntime(runtime);
  }

  /** Every request so far, oldest first. */
  get requests(): readonly EmulatedRequest[] {
    return this.#requests;
  }

  /**
   * All credentials that this emulator has issued, by access key id. An `StsEmulator` can verify signatures with them.
   */
  get issued(): ReadonlyMap<string, EmulatedCredentials> {
    return this.#issued;
  }

  /**
   * Responds to a request, for your own server. Rejects if the connection is to be closed without a response. Some
   * faults need `connection`, which {@linkcode serveEmulator} passes.
   */
  readonly handle = (request: Request, connection?: RawConnection): Promise<Response> =>
    this.#respond(request, request.signal, connection);

  /** Responds in memory, in place of a runtime's `fetch`. */
  readonly fetch = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(input, init);
    const signal = init.signal ?? request.signal;
    return untilAborted(this.#respond(request, signal), signal);
  };

  /**
   * Injects a fault into the next requests of a step. Each fault applies to `times` requests; after that, the fault
   * that was injected next applies.
   *
   * @param fault The fault.
   * @param scope The requests that have it, and how many.
   */
  inject(fault: Fault, { on = "any", times = 1 }: FaultScope<Step> = {}): void {
    this.#faults.push({ fault, on, remaining: times });
  }

  /** Removes all injected faults. Requests that already have one keep it. */
  recover(): void {
    this.#faults.length = 0;
  }

  /** Returns the step of the protocol to which a request belongs. */
  protected abstract stepOf(request: ReceivedRequest): Step;

  /** Responds as the service does. */
  protected abstract respond(request: EmulatedRequest): EmulatedResponse | Promise<EmulatedResponse>;

  /** The clock of the service, in epoch milliseconds. */
  protected now(): number {
    return this.#runtime.now() + this.#skewMs;
  }

  /** The next serial number, from 1, for tokens, keys and ids. */
  protected nextSerial(): number {
    return ++this.#serial;
  }

  /** Issues new credentials that expire after `lifetimeSeconds`. */
  protected issue(lifetimeSeconds: number): EmulatedCredentials {
    const issuedAt = this.now();
    const expiresAt = issuedAt + lifetimeSeconds * 1_000;
    const credentials = emulatedCredentials(this.#name, this.nextSerial(), { issuedAt, expiresAt });
    this.#issued.set(credentials.accessKeyId, credentials);
    return credentials;
  }

  async #respond(request: Request, signal: AbortSignal, connection?: RawConnection): Promise<Response> {
    const { method, url } = request;
    // read before the body: afterwards Bun has no `content-type` any more
    const headers = Object.fromEntries(request.headers);
    const body = request.body === null ? "" : await request.text();
    const path = new URL(url).pathname;
    const received = { method, url, path, headers, body };
    const entry = { ...received, step: this.stepOf(received), status: 0 };
    this.#requests.push(entry);
    // the target of the fault "redirect"
    const respond = () => path === "/redirected" ? textResponse("redirected") : this.respond(entry);
    const fault = this.#takeFault(entry.step);
    const { sleep } = this.#runtime;
    const response = fault === undefined
      ? toResponse(await respond(), this.now())
      : await faultyResponse(fault, { respond, now: this.now(), sleep, signal, connection });
    entry.status = response.status;
    return response;
  }

  #takeFault(step: string): Fault | undefined {
    const injected = this.#faults.find(({ on, remaining }) => remaining > 0 && (on === "any" || on === step));
    if (injected === undefined) return undefined;
    injected.remaining--;
    return injected.fault;
  }
}
