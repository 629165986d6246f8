// Whatever proxy a Node program sets, no metadata request reaches it, and the error says what was recognised.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DIRECT_WAYS } from "../programs/ways.js";
import { Project } from "../support/package.js";
import { recordingProxy } from "../support/recording_proxy.js";
import { NODES } from "../support/runtimes.js";

const UNDICIS = ["undici6", "undici7", "undici8"];
/** Beside the port, the path has it: a request over a replaced connection does not name the host. */
const CONTROL = "http://127.0.0.2:60000/60000";

const project = new Project();
let server;
before(async () => {
  const { ImdsEmulator, serveEmulator } = await project.import(
    "@rolecreds/aws/testing",
  );
  server = await serveEmulator(new ImdsEmulator());
});
after(async () => {
  await server.close();
  project.remove();
});

/** Runs a program beside a proxy; what reached that, without the control requests, and whether one of them did. */
async function runBesideProxy(
  node,
  program,
  argsOf,
  { env = {}, flags = [] } = {},
) {
  const proxy = await recordingProxy();
  try {
    const output = await project.run(node, program, {
      args: argsOf(proxy.url),
      env: { http_proxy: proxy.url, ...env },
      flags,
    });
    const captured = proxy.requests.filter((request) => !/:?\b60\d\d\d\b/.test(request));
    return {
      output,
      captured,
      isProxied: (port) => proxy.requests.some((request) => request.includes(port)),
    };
  } finally {
    proxy.close();
  }
}

function assertRefused({ code, message, hint }, name, recognised) {
  assert.equal(code, "ImdsProxyError", `${name}: ${message}`);
  assert.match(message, recognised, name);
  assert.match(hint, /NO_PROXY|runtime: \{ fetchDirect \}/, name);
}

for (const node of NODES) {
  describe(node.name, () => {
    /** Node 22.21 and 24 know both, 20 and 22.3 none. */
    for (
      const [name, options] of [
        ["NODE_USE_ENV_PROXY", { env: { NODE_USE_ENV_PROXY: "1" } }],
        ["--use-env-proxy", { flags: ["--use-env-proxy"] }],
      ]
    ) {
      it(`sends nothing through the proxy of ${name}`, async (t) => {
        if (["20.16", "20", "22.3"].includes(node.version)) {
          return t.skip("unknown to this version");
        }
        const args = () => [server.endpoint, CONTROL];
        const { output, captured, isProxied } = await runBesideProxy(
          node,
          "retrieve.js",
          args,
          options,
        );
        assert.deepEqual([captured, isProxied("60000")], [[], true]);
        assertRefused(output, name, /EnvHttpProxyAgent/);
        assert.match(output.hint, /Add 127\.0\.0\.1 to NO_PROXY/);
      });
    }

    for (const undici of UNDICIS) {
      it(`sends nothing through a dispatcher of ${undici}, unless it is a plain agent`, async (t) => {
        if (
          undici === "undici8" && ["20.16", "20", "22.3"].includes(node.version)
        ) return t.skip("does not load it");
        const address = `${import.meta.dirname}/../node_modules/${undici}/index.js`;
        const args = (proxy) => [server.endpoint, proxy, address];
        const { output, captured, isProxied } = await runBesideProxy(
          node,
          "dispatchers.js",
          args,
        );
        assert.deepEqual(captured, []);
        const unknown = [
          ...(Number(node.version) >= 24 ? [] : ["http.setGlobalProxyFromEnv()"]),
          ...(undici === "undici6" ? ["ProxyAgent after install()"] : []),
        ];
        assert.deepEqual(
          output.filter(({ isUnknown }) => isUnknown).map(({ name }) => name),
          unknown,
        );
        // The `fetch` of Node 26 does not use what undici 6 sets; it is refused all the same.
        const isObeyed = (name) =>
          undici !== "undici6" || node.version !== "26" ||
          name.startsWith("http.");
        for (
          const { name, control, source, ...error } of output.filter((
            { isUnknown },
          ) => !isUnknown)
        ) {
          const isDirect = DIRECT_WAYS.some((way) => way.name === name);
          assert.equal(
            isProxied(control),
            !isDirect && isObeyed(name),
            `${name} was set`,
          );
          if (isDirect) {
            assert.equal(
              source,
              "EC2RoleProvider",
              `${name}: ${error.message}`,
            );
          } else {assertRefused(
              error,
              name,
              /global dispatcher of fetch may use a proxy, it is \w/,
            );}
        }
      });
    }
  });
}
