import { RefusedRequest } from "../errors.ts";
import { printable } from "../printable.ts";
import type { NodeProcess } from "./builtin.ts";
import { exemptionHint, isExempt } from "./proxy.ts";

/** What undici, the `fetch` of Node, sends requests with: an agent, or something that replaces or wraps one. */
interface Dispatcher {
  readonly constructor: { new (): object; readonly name: string; readonly wrapHandler?: unknown };
  readonly dispatch: unknown;
}

/** The options of an Agent that can lead to a proxy. */
interface AgentOptions {
  readonly connect?: { readonly socketPath?: unknown; readonly path?: unknown };
  readonly tls?: unknown;
  readonly interceptors?: unknown;
  readonly socketPath?: unknown;
}

/** Classes that a message does not name, because every dispatcher has them. */
const BASE_CLASSES: readonly string[] = ["", "DispatcherBase", "Dispatcher", "EventEmitter", "Object"];
const CUSTOM_HINT =
  "Use the proxy for other requests only, or give a `fetch` without one as `runtime: { fetchDirect }`.";

/**
 * What to add to the options of Node's `fetch` so that a request goes through no proxy; mostly nothing.
 *
 * A program can replace the dispatcher of every `fetch` (`http.setGlobalProxyFromEnv()`, undici's `setGlobalDispatcher()`),
 * and Node does so by itself with `NODE_USE_ENV_PROXY` and `--use-env-proxy`. Only undici's plain Agent, alone or in a
 * MockAgent, is surely direct.
 *
 * @throws {RefusedRequest} Where the request may go through a proxy.
 * @see {@link https://nodejs.org/api/cli.html#node_use_env_proxy1}
 */
export function directDispatch(
  url: string,
  { env, versions }: Pick<NodeProcess, "env" | "versions">,
): { readonly dispatcher?: object } {
  const globals = globalThis as unknown as Readonly<Record<symbol, Dispatcher | undefined>>;
  const first = globals[Symbol.for("undici.globalDispatcher.1")];
  const second = globals[Symbol.for("undici.globalDispatcher.2")];
  // Undici 8 keeps its dispatcher in the second place, and a wrapper of it for older versions in the first.
  const used = Number(versions["undici"]?.split(".")[0]) >= 8 ? second : first;
  const isWrapper = second !== undefined && first?.constructor.wrapHandler !== undefined;
  const { protocol } = new URL(url);
  const others = (isWrapper ? [second] : [first, second])
    .filter((dispatcher) => dispatcher !== undefined)
    .filter((dispatcher) => !isDirect(dispatcher, protocol));
  if (others[0] === undefined) return {};
  const other = others.find((dispatcher) => dispatcher !== used) ?? others[0];
  const direct = part(other, "no proxy agent"); // the EnvHttpProxyAgent has it, for hosts that are exempt
  if (other !== used || !isPlainAgent(direct)) throw refusal(other, CUSTOM_HINT);
  if (!isExempt(url, (name) => env[name])) throw refusal(other, exemptionHint(url));
  return { dispatcher: direct };
}

function refusal(dispatcher: Dispatcher, hint: string): RefusedRequest {
  const classes = classesOf(dispatcher).filter((name) => !BASE_CLASSES.includes(name)).join(" extends ");
  const found = classes === "Agent"
    ? "Agent with code or options of its own"
    : printable(classes) || "of no known class";
  return new RefusedRequest("proxy", `the global dispatcher of fetch may use a proxy, it is ${found}`, hint);
}

function classesOf(value: object | null): readonly string[] {
  const itsClass = Object.getPrototypeOf(value);
  return itsClass === null ? [] : [String(itsClass.constructor.name), ...classesOf(itsClass)];
}

function isDirect(dispatcher: Dispatcher, protocol: string): boolean {
  return isPlainAgent(dispatcher) || isPlainMock(dispatcher) ||
    (isOwnDispatch(dispatcher) && isPlainAgent(part(dispatcher, `${protocol.slice(0, -1)} proxy agent`)));
}

/** A new agent for each class, created at the first use. */
let newAgents: WeakMap<object, object> | undefined;

/**
 * Whether this is undici's Agent without options that lead elsewhere. It is recognised by its parts: minified code has other
 * class names, and a subclass may have the same. What cannot be read from it is compared with a new one.
 */
function isPlainAgent(value: unknown): value is Dispatcher {
  if (!isDispatcher(value) || !isOwnDispatch(value) || part(value, "clients") === undefined) return false;
  newAgents ??= new WeakMap();
  const plain = newAgents.get(value.constructor) ?? new value.constructor();
  newAgents.set(value.constructor, plain);
  return hasPlainOptions(value) &&
    ["factory", "dispatch interceptors"].every((name) => String(part(value, name)) === String(part(plain, name)));
}

/** Whether a dispatcher sends as its class does, and its class is one of undici: no subclass, no Proxy around it. */
function isOwnDispatch(dispatcher: Dispatcher): boolean {
  const itsClass = Object.getPrototypeOf(dispatcher);
  const base = Object.getPrototypeOf(itsClass);
  return part(itsClass, "dispatch") !== undefined && !Object.hasOwn(itsClass, "dispatch") &&
    Object.hasOwn(base, "dispatch") && dispatcher.dispatch === base.dispatch;
}

function isPlainMock(dispatcher: Dispatcher): boolean {
  const itsClass = Object.getPrototypeOf(dispatcher);
  return part(dispatcher, "is mock active") !== undefined && Object.hasOwn(itsClass, "deactivate") &&
    dispatcher.dispatch === itsClass.dispatch && hasPlainOptions(dispatcher) && isPlainAgent(part(dispatcher, "agent"));
}

function hasPlainOptions(dispatcher: Dispatcher): boolean {
  const { connect, tls, interceptors, socketPath } = (part(dispatcher, "options") ?? {}) as AgentOptions;
  return [interceptors, socketPath, connect?.socketPath, connect?.path].every((option) => option === undefined) &&
    typeof connect !== "function" && typeof tls !== "function";
}

function isDispatcher(value: unknown): value is Dispatcher {
  return typeof value === "object" && value !== null && "dispatch" in value;
}

/** A part that undici keeps under a symbol of its own. */
function part(owner: object, name: string): unknown {
  const key = Object.getOwnPropertySymbols(owner).find(({ description }) => description === name);
  return key === undefined ? undefined : (owner as Record<symbol, unknown>)[key];
}
