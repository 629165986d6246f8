// The ways to set a dispatcher for every `fetch` of a Node program. `only` is the one version of undici that obeys a way.
import http from "node:http";
import net from "node:net";

const through = (dispatcher) => () => (options, handler) => dispatcher.dispatch(options, handler);
const setter = (make) => (undici, proxy) => undici.setGlobalDispatcher(make(undici, proxy));

const connectTo = (proxy) => (_, done) => {
  const socket = net.connect(new URL(proxy).port, "127.0.0.1", () => done(null, socket));
};

/** Undici's plain agent, and what tests use; nothing is between it and the server. */
export const DIRECT_WAYS = [
  { name: "undici imported", set: () => {} },
  { name: "Agent", set: setter(({ Agent }) => new Agent()) },
  {
    name: "Agent with limits",
    set: setter(({ Agent }) => new Agent({ keepAliveTimeout: 1_000, connections: 1, connect: { timeout: 1_000 } })),
  },
  { name: "MockAgent", set: setter(({ MockAgent }) => new MockAgent()) },
];

const PROXY_WAYS = [
  { name: "ProxyAgent", set: setter(({ ProxyAgent }, proxy) => new ProxyAgent(proxy)) },
  {
    name: "EnvHttpProxyAgent",
    set: setter(({ EnvHttpProxyAgent }, proxy) => new EnvHttpProxyAgent({ httpProxy: proxy, noProxy: "" })),
  },
  {
    name: "RetryAgent of a ProxyAgent",
    set: setter(({ ProxyAgent, RetryAgent }, proxy) => new RetryAgent(new ProxyAgent(proxy), { maxRetries: 0 })),
  },
  {
    name: "ProxyAgent.compose()",
    set: setter(({ ProxyAgent }, proxy) => new ProxyAgent(proxy).compose((dispatch) => dispatch)),
  },
  {
    name: "Agent.compose()",
    set: setter(({ Agent, ProxyAgent }, proxy) => new Agent().compose(through(new ProxyAgent(proxy)))),
  },
  {
    name: "a subclass of ProxyAgent that is called Agent",
    set: setter(({ ProxyAgent }, proxy) => new (class Agent extends ProxyAgent {})(proxy)),
  },
  {
    name: "a subclass of Agent with a dispatch of its own",
    set: setter(({ Agent: Plain, ProxyAgent }, proxy) => {
      class Agent extends Plain {
        dispatch = through(new ProxyAgent(proxy))();
      }
      return new Agent();
    }),
  },
  {
    name: "a subclass of EnvHttpProxyAgent with a dispatch of its own",
    set: setter(({ EnvHttpProxyAgent, ProxyAgent }, proxy) => {
      const proxyAgent = new ProxyAgent(proxy);
      return new (class extends EnvHttpProxyAgent {
        dispatch(options, handler) {
          return proxyAgent.dispatch(options, handler);
        }
      })();
    }),
  },
  {
    name: "Agent with a dispatch of its own",
    set: setter(({ Agent, ProxyAgent }, proxy) =>
      Object.assign(new Agent(), { dispatch: through(new ProxyAgent(proxy))() })
    ),
  },
  {
    name: "Agent with the interceptors option",
    only: "undici6",
    set: setter(({ Agent, ProxyAgent }, proxy) => {
      const interceptor = through(new ProxyAgent(proxy));
      return new Agent({ interceptors: { Agent: [interceptor], Pool: [interceptor], Client: [interceptor] } });
    }),
  },
  {
    name: "Agent with interceptors set later",
    only: "undici6",
    set: setter(({ Agent, ProxyAgent }, proxy) =>
      Object.assign(new Agent(), { interceptors: [through(new ProxyAgent(proxy))] })
    ),
  },
  {
    name: "Agent with a factory",
    set: setter(({ Agent, Pool }, proxy) => new Agent({ factory: () => new Pool(proxy) })),
  },
  {
    name: "Agent with a connect function",
    set: setter(({ Agent }, proxy) => new Agent({ connect: connectTo(proxy) })),
  },
  { name: "Pool", set: setter(({ Pool }, proxy) => new Pool(proxy)) },
  {
    name: "MockAgent with a connect function",
    set: setter(({ MockAgent }, proxy) => new MockAgent({ connect: connectTo(proxy) })),
  },
  { name: "an object", set: setter(({ ProxyAgent }, proxy) => ({ dispatch: through(new ProxyAgent(proxy))() })) },
  {
    name: "http.setGlobalProxyFromEnv()",
    set: (_, proxy) => http.setGlobalProxyFromEnv({ http_proxy: proxy }),
  },
  {
    name: "ProxyAgent after install()", // last: it replaces `fetch`
    set: (undici, proxy) => {
      undici.install();
      undici.setGlobalDispatcher(new undici.ProxyAgent(proxy));
    },
  },
];

export const WAYS = [...DIRECT_WAYS, ...PROXY_WAYS];
