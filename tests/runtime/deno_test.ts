import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { RequestNotSentError } from "../../lib/errors.ts";
import { type DenoNamespace, denoRuntime } from "../../lib/runtime/deno.ts";

const URL_V4 = "http://169.254.169.254/latest/api/token";
const PROXY = { https_proxy: "http://user:canary@proxy.example:3128" };

function fakeDeno(granted: readonly string[], env: Record<string, string> = {}, os = "linux") {
  const touched: string[] = [];
  const clients: unknown[] = [];
  const deno = {
    build: { os },
    permissions: {
      querySync: ({ name, variable, path, host }: Readonly<Record<string, string>>) => ({
        state: granted.includes(`${name}=${variable ?? path ?? host}`) || granted.includes(name ?? "")
          ? "granted"
          : "prompt",
      }),
    },
    env: {
      get(name: string) {
        touched.push(name);
        return env[name];
      },
    },
    stat(path: string) {
      touched.push(path);
      return Promise.resolve({ isFile: true, size: 1 });
    },
    readFile(path: string) {
      touched.push(path);
      return Promise.resolve(new Uint8Array([0x61]));
    },
    createHttpClient(options: object) {
      clients.push(options);
      return {};
    },
  };
  return { runtime: denoRuntime(deno as unknown as DenoNamespace), touched, clients };
}

async function refusal(send: () => Promise<unknown>): Promise<string> {
  const { reason, message, hint } = await assertRejects(send, RequestNotSentError);
  return `${reason}: ${message}. ${hint}`;
}

describe("denoRuntime()", () => {
  it("takes what is not granted for absent, without touching it", async () => {
    const { runtime, touched } = fakeDeno([], { HOME: "/home/me" });
    assertEquals(runtime.env("HOME"), undefined);
    assertEquals(await runtime.readTextFile("/home/me/.aws/config"), undefined);
    assertEquals(touched, []);
  });

  it("reads what is granted", async () => {
    const { runtime } = fakeDeno(["env=HOME", "read=/config"], { HOME: "/home/me" });
    assertEquals(runtime.env("HOME"), "/home/me");
    assertEquals(await runtime.readTextFile("/config"), "a");
  });

  it("names the flag, when it may not connect", async () => {
    assertEquals(
      await refusal(() => fakeDeno(["env"]).runtime.fetchDirect(URL_V4, {})),
      "permission: Deno has no permission to connect to 169.254.169.254:80. Start Deno with --allow-net=169.254.169.254:80.",
    );
  });
});

describe("denoRuntime().fetchDirect()", () => {
  const before = globalThis.fetch;
  let sent: unknown[];
  beforeEach(() => {
    sent = [];
    globalThis.fetch = (_, init) => {
      sent.push(init);
      return Promise.resolve(new Response());
    };
  });
  afterEach(() => void (globalThis.fetch = before));

  const direct = { proxy: { transport: "tcp", hostname: "169.254.169.254", port: 80 } };
  const cases = [
    ["no client, where no proxy is set", ["env", "net"], {}, "linux", []],
    ["no client, where a proxy is for https only", ["env", "net"], PROXY, "linux", []],
    ["a direct client, where a proxy is set", ["env", "net"], { HTTP_PROXY: "http://proxy" }, "linux", [direct]],
    [
      "a direct client, where NO_PROXY names the host",
      ["env", "net"],
      {
        ALL_PROXY: "http://proxy",
        NO_PROXY: "169.254.169.254",
      },
      "linux",
      [direct],
    ],
    ["a direct client, where a variable may not be read", ["net", "env=http_proxy"], {}, "linux", [direct]],
    [
      "no client, where the variables for https may not be read",
      [
        "net",
        ...["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map((name) => `env=${name}`),
      ],
      {},
      "linux",
      [],
    ],
    ["a direct client on Windows, for its system settings", ["env", "net"], {}, "windows", [direct]],
  ] as const;
  for (const [name, granted, env, os, expected] of cases) {
    it(`uses ${name}`, async () => {
      const { runtime, clients } = fakeDeno(granted, env, os);
      await runtime.fetchDirect(URL_V4, { method: "GET" });
      await runtime.fetchDirect(URL_V4, { method: "GET" });
      assertEquals(clients, [...expected]);
      const init = expected.length === 0 ? { method: "GET" } : { method: "GET", client: {} };
      assertEquals(sent, [init, init]);
    });
  }

  it("refuses https where a proxy applies: the direct client speaks without TLS", async () => {
    assertEquals(
      await refusal(() => fakeDeno(["env", "net"], PROXY).runtime.fetchDirect("https://imds.example/", {})),
      "proxy: the variable https_proxy sets a proxy for this URL. Use an http: endpoint, or unset https_proxy.",
    );
  });

  it("names no variable for https on Windows, where the settings of the system may apply all the same", async () => {
    for (const env of [PROXY, {}]) {
      const { runtime } = fakeDeno(["env", "net"], env, "windows");
      assertMatch(await refusal(() => runtime.fetchDirect("https://imds.example/", {})), /\. Use an http: endpoint\.$/);
    }
  });

  it("names the variable that is set, though others may not be read", async () => {
    const { runtime } = fakeDeno(["net", "env=https_proxy"], PROXY);
    assertMatch(await refusal(() => runtime.fetchDirect("https://imds.example/", {})), /, or unset https_proxy\.$/);
  });

  it("names the variables to grant, where https may go through a proxy", async () => {
    const granted = ["net", "env=https_proxy", "env=all_proxy"];
    assertEquals(
      await refusal(() => fakeDeno(granted).runtime.fetchDirect("https://imds.example/", {})),
      "proxy: a proxy may apply: there is no permission to read HTTPS_PROXY, ALL_PROXY. " +
        "Use an http: endpoint, or grant --allow-env=HTTPS_PROXY,ALL_PROXY.",
    );
  });
});
