/**
 * Emulators of the services that issue credentials, for your own tests: in memory as a `fetch`, or on a loopback port.
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
export type { EmulatedCredentials, RoleDocument } from "./credentials.ts";
export { type ContainerStep, EcsEmulator, type EcsEmulatorOptions, type EcsErrorCode, type EcsFault } from "./ecs.ts";
export { EksEmulator, type EksEmulatorOptions, type EksErrorCode, type EksFault } from "./eks.ts";
export {
  type EmulatedRequest,
  Emulator,
  type EmulatorOptions,
  type FaultScope,
  type ReceivedRequest,
} from "./emulator.ts";
export type { Fault, FaultName } from "./faults.ts";
export { ImdsEmulator, type ImdsEmulatorOptions, type ImdsFault, type ImdsStep } from "./imds.ts";
export {
  LoginEmulator,
  type LoginEmulatorOptions,
  type LoginFault,
  type LoginKeyForm,
  type LoginRefusal,
  type LoginStep,
} from "./login.ts";
export { SsoEmulator, type SsoEmulatorOptions, type SsoStep } from "./sso.ts";
export type { EmulatedResponse } from "./response.ts";
export { type ServedEmulator, serveEmulator, type ServeOptions } from "./serve.ts";
export type { EmulatedAccessKey, SignatureErrorCode } from "./signature.ts";
export { type EmulatedRole, StsEmulator, type StsEmulatorOptions, type StsFault, type StsStep } from "./sts.ts";
export type { StsAction } from "./sts_parameters.ts";
export type { StsErrorCode } from "./sts_response.ts";
export type { RawConnection } from "../runtime/loopback.ts";
export type { Runtime } from "../runtime.ts";
