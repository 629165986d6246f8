import { listenOnLoopback, type LoopbackServer, type RequestHandler } from "../runtime/loopback.ts";
import { mayListen } from "../runtime/terminal.ts";
import type { Option } from "./arguments.ts";
import { Failure } from "./command.ts";

/** The option for the port of {@linkcode listen}. */
export const PORT_OPTION: Option = {
  placeholder: "PORT",
  range: [0, 65_535],
  summary: "the port on 127.0.0.1; default: any free one",
};

const STATES: Readonly<Record<string, readonly [state: string, hint: string]>> = {
  EADDRINUSE: ["the port is in use", "Choose another --port, or leave it out for any free one."],
  EACCES: ["this user may not use the port", "Choose a --port of 1024 or higher."],
};

/**
 * Serves a handler on a loopback port; 0 for any free one.
 *
 * @throws {Failure} If that is not possible.
 */
export async function listen(handler: RequestHandler, port: number): Promise<LoopbackServer> {
  const action = `Cannot listen on port ${port} of 127.0.0.1`;
  if (!mayListen(port)) {
    throw new Failure(`${action}: Deno has no permission`, "Start Deno with --allow-net=127.0.0.1.");
  }
  try {
    return await listenOnLoopback(handler, { port });
  } catch (error) {
    const { code } = error as { readonly code?: string };
    const [state, hint] = STATES[code ?? ""] ?? [code ?? "the system refused", undefined];
    throw new Failure(`${action}: ${state}`, hint);
  }
}
