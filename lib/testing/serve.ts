import { listenOnLoopback } from "../runtime/loopback.ts";
import type { Emulator } from "./emulator.ts";

/** Options of {@linkcode serveEmulator}. */
export interface ServeOptions {
  /** The port; 0 for any free port. @default {0} */
  readonly port?: number | undefined;
  /** Listens on `[::1]`. @default {false} */
  readonly ipv6?: boolean | undefined;
}

/** An emulator on a socket. */
export interface ServedEmulator {
  /** The origin, such as `http://127.0.0.1:41234`: what to give as `endpoint`. */
  readonly endpoint: string;
  /** Stops listening and ends all connections; requests in progress are aborted. */
  close(): Promise<void>;
}

/**
 * Serves an emulator on a loopback port, on any of the three runtimes.
 *
 * @param emulator The emulator.
 * @param options See {@linkcode ServeOptions}.
 * @returns Its origin, and a function that stops it.
 * @since 0.1.0
 * @example Usage
 * ```ts
 * import { fromInstanceMetadata } from "@rolecreds/aws";
 * import { ImdsEmulator, serveEmulator } from "@rolecreds/aws/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const server = await serveEmulator(new ImdsEmulator());
 * const credentials = await fromInstanceMetadata({ endpoint: server.endpoint })();
 * assertEquals(credentials.source, "EC2RoleProvider");
 * await server.close();
 * ```
 */
export async function serveEmulator(
  emulator: Pick<Emulator, "handle">,
  options: ServeOptions = {},
): Promise<ServedEmulator> {
  const { origin, close } = await listenOnLoopback(emulator.handle, options);
  return { endpoint: origin, close };
}
