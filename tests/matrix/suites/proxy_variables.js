// Whatever the proxy variables say, no metadata request reaches the proxy, and NO_PROXY exempts only where it surely does.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Project } from "../support/package.js";
import { recordingProxy } from "../support/recording_proxy.js";
import { BUNS, DENOS, NODES } from "../support/runtimes.js";

const EXEMPTIONS = JSON.parse(readFileSync(`${import.meta.dirname}/../../data/no_proxy.json`, "utf8"));
const VARIABLES = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
/** Stands for the address of the proxy. */
const PROXY = Symbol("proxy");

const project = new Project();
const servers = {};
before(async () => {
  const { ImdsEmulator, serveEmulator } = await project.import("@rolecreds/aws/testing");
  servers.ipv4 = await serveEmulator(new ImdsEmulator());
  servers.ipv6 = await serveEmulator(new ImdsEmulator(), { ipv6: true });
});
after(async () => {
  for (const server of Object.values(servers)) await server.close();
  project.remove();
});

/** Retrieves beside a proxy that nothing may reach; its result is the source, or the code of the error. */
async function retrieve(runtime, { endpoint }, variables, flags = []) {
  const proxy = await recordingProxy();
  try {
    const values = Object.entries(variables).map(([name, value]) => [name, value === PROXY ? proxy.url : value]);
    const options = { args: [endpoint], env: Object.fromEntries(values), flags };
    const { source, code } = await project.run(runtime, "retrieve.js", options);
    assert.deepEqual(proxy.requests, []);
    return source ?? code;
  } finally {
    proxy.close();
  }
}

/** The value of a variable with the parts of an endpoint filled in. */
function fill(value, { endpoint }) {
  const { hostname: host, port } = new URL(endpoint);
  const parts = { host, port, address: host.replaceAll(/[[\]]/g, ""), range: "127.0.0.0/8", start: "127.0." };
  return value.replaceAll(/\{(\w+)\}/g, (_, part) => parts[part]);
}

function itHoldsForExemptions(runtime, isDirect, env = {}) {
  for (const { name, variables, exempt, ipv6 } of EXEMPTIONS) {
    it(`with NO_PROXY: ${name}`, async () => {
      const server = ipv6 ? servers.ipv6 : servers.ipv4;
      const filled = Object.entries(variables).map(([variable, value]) => [variable, fill(value, server)]);
      const result = await retrieve(runtime, server, { ...env, http_proxy: PROXY, ...Object.fromEntries(filled) });
      assert.equal(result, isDirect || exempt ? "EC2RoleProvider" : "ImdsProxyError");
    });
  }
}

for (const deno of DENOS) {
  describe(`${deno.name} goes directly`, { concurrency: 2 }, () => {
    itHoldsForExemptions(deno, true);
    for (const variable of VARIABLES) {
      it(`with ${variable}`, async () => {
        assert.equal(await retrieve(deno, servers.ipv4, { [variable]: PROXY }), "EC2RoleProvider");
      });
      it(`with ${variable}, which may not be read`, async () => {
        const flags = [`--allow-net=${new URL(servers.ipv4.endpoint).host}`, "--allow-env=AWS_*"];
        assert.equal(await retrieve(deno, servers.ipv4, { [variable]: PROXY }, flags), "EC2RoleProvider");
      });
    }
  });
}

for (const bun of BUNS) {
  const isDirect = bun.version === undefined;
  describe(`${bun.name} goes directly${isDirect ? "" : " or refuses"}`, { concurrency: 2 }, () => {
    itHoldsForExemptions(bun, isDirect);
    for (const variable of VARIABLES) {
      it(`with ${variable}`, async () => {
        const result = await retrieve(bun, servers.ipv4, { [variable]: PROXY });
        assert.equal(result, isDirect ? "EC2RoleProvider" : "ImdsProxyError");
      });
    }
  });
}

for (const node of NODES.filter(({ version }) => ["22", "24", "26"].includes(version))) {
  describe(`${node.name} with NODE_USE_ENV_PROXY goes directly or refuses`, { concurrency: 2 }, () => {
    itHoldsForExemptions(node, false, { NODE_USE_ENV_PROXY: "1" });
    it("where only https goes through a proxy", async () => {
      const variables = { NODE_USE_ENV_PROXY: "1", https_proxy: PROXY };
      assert.equal(await retrieve(node, servers.ipv4, variables), "EC2RoleProvider");
    });
  });
}
