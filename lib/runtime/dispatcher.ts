import { RefusedRequest } from "../errors.ts";
import { printable } from "../printable.ts";
import type { NodeProcess } from "./builtin.ts";
import { exemptionHint, isExempt } from "./proxy.ts";

/**
 * The object with which undici, the implementation of Node's `fetch`, sends requests: an agent, or what replaces or
 * wraps one.
 */
interface Dispatcher {
  readonly constructor: { new (): object; readonly name: string; readonly wrapHandler?: unknown };
  readonly dispatch: unknown;
}

/** Those options of an Agent with which requests can go through a proxy. */
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
 * Returns the options that make Node's `fetch` send a request through no proxy; in most cases none are needed.
 *
 * A program can replace the dispatcher of every `fetch` (`http.setGlobalProxyFromEnv()`, undici's
 * `setGlobalDispatcher()`), and Node does so by itself with `NODE_USE_ENV_PROXY` and `--use-env-proxy`. Only undici's
 * own Agent is certain to be direct: as the dispatcher, in a MockAgent, or in an EnvHttpProxyAgent that has no proxy
 * for the protocol.
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
  // Undici 8 keeps its dispatcher under the symbol ".2", and under ".1" a wrapper of it for older versions.
  const used = Number(versions["undici"]?.split(".")[0]) >= 8 ? second : first;
  const isWrapper = second !== undefined && first?.constructor.wrapHandler !== undefined;
  const { protocol } = new URL(url);
  const others = (isWrapper ? [second] : [first, second])
    .filter((dispatcher) => dispatcher !== undefined)
    .filter((dispatcher) => !isDirect(dispatcher, protocol));
  if (others[0] === undefined) return {};
  const other = others.find((dispatcher) => dispatcher !== used) ?? others[0];
  const direct = part(other, "no proxy agent"); // the agent that EnvHttpProxyAgent uses for hosts in NO_PROXY
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
 * Whether this is undici's Agent without options that lead elsewhere. It is recognised by its internal symbols: in
 * minified code the class has another name, and a subclass may have the same name. Its functions are compared with
 * those of a new object of the same class.
 */
function isPlainAgent(value: unknown): value is Dispatcher {
  if (!isDispatcher(value) || !isOwnDispatch(value) || part(value, "clients") === undefined) return false;
  newAgents ??= new WeakMap();
  const plain = newAgents.get(value.constructor) ?? new value.constructor();
  newAgents.set(value.constructor, plain);
  return hasPlainOptions(value) &&
    ["factory", "dispatch interceptors"].every((name) => String(part(value, name)) === String(part(plain, name)));
}

/**
 * Whether `dispatch` is undici's own: a class of undici defines a method under a symbol "dispatch" and inherits
 * `dispatch()` from its base class. False for a subclass and for a Proxy.
 */
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
