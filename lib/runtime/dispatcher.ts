import { RequestNotSentError } from "../errors.ts";
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

/** Names of base classes, which say nothing about a dispatcher. They are left out of messages. */
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
 * @throws {RequestNotSentError} Where the request may go through a proxy.
 * @see {@link https://nodejs.org/api/cli.html#node_use_env_proxy1}
 */
export function directDispatch(
  url: string,
  { env, versions }: Pick<NodeProcess, "env" | "versions">,
): { readonly dispatcher?: object } {
  const globals = globalThis as unknown as Readonly<Record<symbol, Dispatcher | undefined>>;
  const v1Dispatcher = globals[Symbol.for("undici.globalDispatcher.1")];
  const v2Dispatcher = globals[Symbol.for("undici.globalDispatcher.2")];
  // Undici 8 keeps its dispatcher under the symbol ".2", and under ".1" a wrapper of it for older versions.
  const used = Number(versions["undici"]?.split(".")[0]) >= 8 ? v2Dispatcher : v1Dispatcher;
  const isWrapper = v2Dispatcher !== undefined && v1Dispatcher?.constructor.wrapHandler !== undefined;
  const { protocol } = new URL(url);
  const suspects = (isWrapper ? [v2Dispatcher] : [v1Dispatcher, v2Dispatcher])
    .filter((dispatcher) => dispatcher !== undefined)
    .filter((dispatcher) => !isDirect(dispatcher, protocol));
  if (suspects[0] === undefined) return {}; // all dispatchers are direct
  // A suspect that this `fetch` does not use comes first, and is refused below: the program may call the `fetch` of
  // another version of undici.
  const suspect = suspects.find((dispatcher) => dispatcher !== used) ?? suspects[0];
  // the agent that EnvHttpProxyAgent uses for hosts in NO_PROXY
  const direct = symbolProperty(suspect, "no proxy agent");
  if (suspect !== used || !isPlainAgent(direct)) throw refusal(suspect, CUSTOM_HINT);
  if (!isExempt(url, (name) => env[name])) throw refusal(suspect, exemptionHint(url));
  return { dispatcher: direct };
}

function refusal(dispatcher: Dispatcher, hint: string): RequestNotSentError {
  const classes = classesOf(dispatcher).filter((name) => !BASE_CLASSES.includes(name)).join(" extends ");
  const found = classes === "Agent"
    ? "an Agent with changed code or options"
    : classes === ""
    ? "an object of an unknown class"
    : `an object of the class ${printable(classes)}`;
  return new RequestNotSentError("proxy", `the global dispatcher of fetch may use a proxy: it is ${found}`, hint);
}

function classesOf(value: object | null): readonly string[] {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null ? [] : [String(prototype.constructor.name), ...classesOf(prototype)];
}

function isDirect(dispatcher: Dispatcher, protocol: string): boolean {
  return isPlainAgent(dispatcher) || isPlainMock(dispatcher) ||
    (isOwnDispatch(dispatcher) && isPlainAgent(symbolProperty(dispatcher, `${protocol.slice(0, -1)} proxy agent`)));
}

/** A new Agent of each class, for comparison; created at the first use. */
let newAgents: WeakMap<object, object> | undefined;

/**
 * Whether this is undici's Agent without options that lead elsewhere. It is recognised by its internal symbols: in
 * minified code the class has another name, and a subclass may have the same name. Its functions are compared with
 * those of a new object of the same class.
 */
function isPlainAgent(value: unknown): value is Dispatcher {
  if (!isDispatcher(value) || !isOwnDispatch(value) || symbolProperty(value, "clients") === undefined) return false;
  newAgents ??= new WeakMap();
  const plain = newAgents.get(value.constructor) ?? new value.constructor();
  newAgents.set(value.constructor, plain);
  return hasPlainOptions(value) &&
    ["factory", "dispatch interceptors"].every((name) =>
      String(symbolProperty(value, name)) === String(symbolProperty(plain, name))
    );
}

/**
 * Whether `dispatch` is undici's own: a class of undici defines a method under a symbol "dispatch" and inherits
 * `dispatch()` from its base class. False for a subclass and for a Proxy.
 */
function isOwnDispatch(dispatcher: Dispatcher): boolean {
  const prototype = Object.getPrototypeOf(dispatcher);
  const base = Object.getPrototypeOf(prototype);
  return symbolProperty(prototype, "dispatch") !== undefined && !Object.hasOwn(prototype, "dispatch") &&
    Object.hasOwn(base, "dispatch") && dispatcher.dispatch === base.dispatch;
}

function isPlainMock(dispatcher: Dispatcher): boolean {
  const prototype = Object.getPrototypeOf(dispatcher);
  return symbolProperty(dispatcher, "is mock active") !== undefined && Object.hasOwn(prototype, "deactivate") &&
    dispatcher.dispatch === prototype.dispatch && hasPlainOptions(dispatcher) &&
    isPlainAgent(symbolProperty(dispatcher, "agent"));
}

function hasPlainOptions(dispatcher: Dispatcher): boolean {
  const { connect, tls, interceptors, socketPath } = (symbolProperty(dispatcher, "options") ?? {}) as AgentOptions;
  return [interceptors, socketPath, connect?.socketPath, connect?.path].every((option) => option === undefined) &&
    typeof connect !== "function" && typeof tls !== "function";
}

function isDispatcher(value: unknown): value is Dispatcher {
  return typeof value === "object" && value !== null && "dispatch" in value;
}

/** The value that undici stores under a symbol with this description. */
function symbolProperty(owner: object, name: string): unknown {
  const key = Object.getOwnPropertySymbols(owner).find(({ description }) => description === name);
  return key === undefined ? undefined : (owner as Record<symbol, unknown>)[key];
}
