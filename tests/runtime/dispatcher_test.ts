import { assertEquals, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { RequestNotSentError } from "../../lib/errors.ts";
import { directDispatch } from "../../lib/runtime/dispatcher.ts";

// What undici itself makes of these is tested in tests/matrix/. The names of the classes are those of minified code.

const URL_V4 = "http://169.254.169.254/latest/api/token";
const keys = ["1", "2"].map((place) => Symbol.for(`undici.globalDispatcher.${place}`));
const globals = globalThis as Record<symbol, unknown>;

function symbols(parts: Record<string, unknown>): Record<symbol, unknown> {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [Symbol(name), part]));
}

class d {}
class b extends d {
  dispatch(): void {}
}
class a extends b {
  constructor({ factory = () => "a pool", ...options }: { factory?: () => string; connect?: unknown } = {}) {
    super();
    Object.assign(this, symbols({ clients: new Map(), factory, options }));
  }
}
Object.assign(a.prototype, symbols({ dispatch: () => {} }));
class e extends b {
  constructor(noProxyAgent: object, httpProxyAgent: object) {
    super();
    Object.assign(this, symbols({ "no proxy agent": noProxyAgent, "http proxy agent": httpProxyAgent }));
  }
}
Object.assign(e.prototype, symbols({ dispatch: () => {} }));
class ProxyAgent extends b {
  override dispatch(): void {}
}
class w extends d {
  static wrapHandler(): void {}
  dispatch(): void {}
}

describe("directDispatch()", () => {
  const before = keys.map((key) => globals[key]);
  afterEach(() => keys.forEach((key, index) => globals[key] = before[index]));

  function dispatchWith(
    [first, second]: readonly (object | undefined)[],
    env: Record<string, string> = {},
    undici = "7",
  ) {
    [first, second].forEach((dispatcher, index) => globals[keys[index] as symbol] = dispatcher);
    return directDispatch(URL_V4, { env, versions: { undici: `${undici}.0.0` } });
  }

  function refusal(
    dispatchers: readonly (object | undefined)[],
    env: Record<string, string> = {},
    undici = "7",
  ): string {
    const error = assertThrows(() => dispatchWith(dispatchers, env, undici), RequestNotSentError);
    assertEquals(error.reason, "proxy");
    return `${error.message}. ${error.hint}`;
  }

  const custom = "Use the proxy for other requests only, or give a `fetch` without one as `runtime: { fetchDirect }`.";
  const found = (name: string, hint = custom) =>
    `the global dispatcher of fetch may use a proxy: it is an object of ${name}. ${hint}`;

  it("adds nothing where fetch was not used yet, and with a plain agent", () => {
    assertEquals(dispatchWith([undefined, undefined]), {});
    assertEquals(dispatchWith([new a(), undefined]), {});
    assertEquals(dispatchWith([new a({ connect: { timeout: 1 } }), undefined]), {});
    assertEquals(dispatchWith([new w(), new a()]), {});
    assertEquals(dispatchWith([new w(), new a()], {}, "8"), {});
  });

  it("refuses everything else, in either place, and names it", () => {
    assertEquals(refusal([new ProxyAgent(), undefined]), found("the class ProxyAgent extends b extends d"));
    assertEquals(refusal([new a(), new ProxyAgent()]), found("the class ProxyAgent extends b extends d"));
    assertEquals(refusal([new w(), new ProxyAgent()]), found("the class ProxyAgent extends b extends d"));
    assertEquals(refusal([{ dispatch() {} }, undefined]), found("an unknown class"));
    assertEquals(refusal([new w(), undefined]), found("the class w extends d"));
    assertEquals(refusal([new a({ connect: () => {} }), undefined]), found("the class a extends b extends d"));
    assertEquals(refusal([new a({ factory: () => "a proxy" }), undefined]), found("the class a extends b extends d"));
    assertEquals(refusal([new (class extends a {})(), undefined]), found("the class a extends b extends d"));
    assertEquals(
      refusal([Object.assign(new a(), { dispatch() {} }), undefined]),
      found("the class a extends b extends d"),
    );
  });

  it("makes the name of a class printable", () => {
    const Odd = { ["\u001b[2J\nAgent"]: class {} }["\u001b[2J\nAgent"] as new () => object;
    assertEquals(refusal([new Odd(), undefined]), found("the class [2J Agent"));
  });

  const fromEnvironment = new e(new a(), new ProxyAgent());

  it("refuses the proxy that Node takes from the environment, and names the exemption", () => {
    const hint = "Add 169.254.169.254 to NO_PROXY, and to no_proxy where it is set.";
    assertEquals(refusal([fromEnvironment, undefined]), found("the class e extends b extends d", hint));
    assertEquals(refusal([fromEnvironment, fromEnvironment]), found("the class e extends b extends d", hint));
    assertEquals(refusal([new w(), fromEnvironment], {}, "8"), found("the class e extends b extends d", hint));
  });

  it("sends with its agent for exempt hosts, where NO_PROXY names the host", () => {
    const env = { NO_PROXY: "169.254.169.254" };
    const [, agent] = [fromEnvironment, Object.getOwnPropertySymbols(fromEnvironment)[0]];
    const dispatcher = (fromEnvironment as unknown as Record<symbol, unknown>)[agent as symbol];
    assertEquals(dispatchWith([fromEnvironment, undefined], env).dispatcher, dispatcher);
    assertEquals(dispatchWith([new w(), fromEnvironment], env, "8").dispatcher, dispatcher);
  });

  it("does not trust NO_PROXY where fetch does not use that dispatcher, or another is in the other place", () => {
    const env = { NO_PROXY: "169.254.169.254" };
    assertEquals(refusal([new w(), fromEnvironment], env), found("the class e extends b extends d"));
    assertEquals(refusal([fromEnvironment, new ProxyAgent()], env), found("the class ProxyAgent extends b extends d"));
    assertEquals(
      refusal([new e(new ProxyAgent(), new ProxyAgent()), undefined], env),
      found("the class e extends b extends d"),
    );
  });

  it("adds nothing where the environment names no proxy for this scheme", () => {
    assertEquals(dispatchWith([new e(new a(), new a()), undefined]), {});
  });
});
