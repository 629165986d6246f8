/**
 * An emulator of EC2's instance metadata service, for your own tests: in memory as a `fetch`, or on a loopback port.
 *
 * ```ts
 * import { fromInstanceMetadata } from "@rolecreds/aws";
 * import { ImdsEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const emulator = new ImdsEmulator({ role: "web-server" });
 * const credentials = await fromInstanceMetadata({ runtime: { fetch: emulator.fetch } })();
 * assertEquals(credentials.source, "EC2RoleProvider");
 * assertEquals(emulator.requests.map(({ method }) => method), ["PUT", "GET", "GET"]);
 * ```
 *
 * @module
 */
export { type EmulatedRequest, ImdsEmulator, type ImdsEmulatorOptions, type RoleDocument } from "./emulator.ts";
export type { FaultScope, ImdsFault } from "./faults.ts";
export { type ServedEmulator, serveEmulator, type ServeOptions } from "./serve.ts";
export type { Runtime } from "../runtime.ts";
