// Whatever proxy a Node program sets, no metadata request reaches it, and the error says what was recognised.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DIRECT_WAYS } from "../programs/ways.js";
import { Project } from "../support/package.js";
import { recordingProxy } from "../support/recording_proxy.js";
import { NODES } from "../support/runtimes.js";

const UNDICIS = ["undici6", "undici7", "undici8"];
const OLD_NODES = ["20.16", "20", "22.3"];
/** Control requests show whether a proxy is set. Their ports, from 61000 on, are not given to servers by themselves. */
const CONTROL_REGEXP = /\b610\d\d\b/;

const project = new Project();
let server;
before(async () => {
  const { ImdsEmulator, serveEmulator } = await project.import("@rolecreds/aws/testing");
  server = await serveEmulator(new ImdsEmulator());
});
after(async () => {
  await server.close();
  project.remove();
});

/** Runs a program beside a proxy: its output, and what reached the proxy, apart from the control requests. */
async function runBesideProxy(node, program, argsOf, { env = {}, flags = [] } = {}) {
  const proxy = await recordingProxy();
  try {
    const args = argsOf(proxy.url);
    const output = await project.run(node, program, { args, env: { http_proxy: proxy.url, ...env }, flags });
    const captured = proxy.requests.filter((request) => !CONTROL_REGEXP.test(request));
    return { output, captured, isProxied: (control) => proxy.requests.some((request) => request.includes(control)) };
  } finally {
    proxy.close();
  }
}

function assertRefused({ code, message, hint }, recognised, name) {
  assert.equal(code, "ImdsProxyError", `${name}: ${message}`);
  assert.match(message, recognised, name);
  assert.match(hint, /NO_PROXY|runtime: \{ fetchDirect \}/, name);
}

/** What a way to set a dispatcher must come to; `isObeyed` tells whether `fetch` uses that dispatcher at all. */
function assertSafe({ name, control, source, ...error }, isObeyed, isProxied) {
  const isDirect = DIRECT_WAYS.some((way) => way.name === name);
  assert.equal(isProxied(control), !isDirect && isObeyed, `${name} was set`);
  if (isDirect) assert.equal(source, "EC2RoleProvider", `${name}: ${error.message}`);
  else assertRefused(error, /global dispatcher of fetch may use a proxy: it is \w/, name);
}

const OWN_WAYS = [
  ["NODE_USE_ENV_PROXY", { env: { NODE_USE_ENV_PROXY: "1" } }],
  ["--use-env-proxy", { flags: ["--use-env-proxy"] }],
];

for (const node of NODES) {
  const isOld = OLD_NODES.includes(node.version);

  describe(node.name, () => {
    for (const [name, options] of OWN_WAYS) {
      it(`sends nothing through the proxy of ${name}`, async (t) => {
        if (isOld) return t.skip("unknown to this version");
        const args = () => [server.endpoint, "http://127.0.0.2:61000/"];
        const { output, captured, isProxied } = await runBesideProxy(node, "retrieve.js", args, options);
        assert.deepEqual([captured, isProxied(":61000")], [[], true]);
        assertRefused(output, /EnvHttpProxyAgent/, name);
        assert.match(output.hint, /Add 127\.0\.0\.1 to NO_PROXY/);
      });
    }

    for (const undici of UNDICIS) {
      it(`sends nothing through a dispatcher of ${undici}, unless it is a plain agent`, async (t) => {
        if (isOld && undici === "undici8") return t.skip("does not load it");
        const args = (proxy) => [server.endpoint, proxy, `${import.meta.dirname}/../node_modules/${undici}/index.js`];
        const { output, captured, isProxied } = await runBesideProxy(node, "dispatchers.js", args);
        assert.deepEqual(captured, []);
        assert.deepEqual(output.filter(({ isUnknown }) => isUnknown).map(({ name }) => name), [
          ...(Number(node.version) >= 24 ? [] : ["http.setGlobalProxyFromEnv()"]),
          ...(undici === "undici6" ? ["ProxyAgent after install()"] : []),
        ]);
        for (const result of output.filter(({ isUnknown }) => !isUnknown)) {
          // The `fetch` of Node 26 does not use what undici 6 sets; it is refused all the same.
          const isObeyed = undici !== "undici6" || node.version !== "26" || result.name.startsWith("http.");
          assertSafe(result, isObeyed, isProxied);
        }
      });
    }
  });
}
