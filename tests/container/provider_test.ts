import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  ContainerProvider,
  type ContainerProviderOptions,
  CredentialsProviderError,
  fromContainerMetadata,
} from "../../mod.ts";
import { parseContainerFailure } from "../../lib/container/document.ts";
import { type ContainerTarget, containerTarget } from "../../lib/container/settings.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { printed } from "../support/printed.ts";
import { readTable } from "../support/tables.ts";

const CANARY = "canary-secret";
const RELATIVE = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/1" };
const DOCUMENT = {
  AccessKeyId: "ASIAEXAMPLE",
  SecretAccessKey: CANARY,
  Token: CANARY,
  Expiration: "2026-01-01T06:00:00Z",
};

interface TargetRow {
  readonly name: string;
  readonly env: Record<string, string>;
  readonly options?: ContainerProviderOptions;
  readonly url?: string | null;
  readonly allowed?: boolean;
  readonly token?: ContainerTarget["token"];
  readonly warns?: readonly string[];
  readonly error?: string;
}

describe("containerTarget()", () => {
  for (
    const { name, env, options = {}, url, allowed, token, warns = [], error } of readTable<TargetRow>(
      "container_targets",
    )
  ) {
    it(name, () => {
      const warnings: string[] = [];
      const resolve = () => containerTarget(options, (variable) => env[variable], (message) => warnings.push(message));
      if (error !== undefined) {
        const thrown = assertThrows(resolve, CredentialsProviderError);
        assertEquals([thrown.code, thrown.recoverable, thrown.tryNextLink], [
          "ContainerConfigurationError",
          false,
          false,
        ]);
        assert(thrown.message.includes(error), thrown.message);
        assertMatch(thrown.hint ?? "", /^(Correct AWS_CONTAINER_\w+; ECS|Use https, or one of 169\.254\.170\.2, )/);
        assertFalse(printed(thrown).join().includes(CANARY));
        return;
      }
      const target = resolve();
      if (allowed === true) assert(target !== undefined);
      else assertEquals(target?.url.href ?? null, url);
      if (token !== undefined) assertEquals({ ...token, name: "" }, { ...target?.token, name: "" } as typeof token);
      assertEquals(warnings.length, warns.length);
      warns.forEach((part, index) => assert(warnings[index]?.startsWith(part), warnings[index]));
    });
  }
});

interface FakeResponse {
  readonly status: number;
  readonly body?: string;
  readonly headers: Record<string, string>;
  readonly long?: boolean;
}

interface ResponseRow {
  readonly name: string;
  readonly env?: Record<string, string>;
  readonly responses: readonly (FakeResponse | "reset")[];
  readonly requests: number;
  readonly slept?: readonly number[];
  readonly accountId?: string;
  readonly error?: string;
  readonly statusCode?: number;
  readonly containerCode?: string;
  readonly says?: string;
}

function respondWith(runtime: FakeRuntime, responses: readonly (FakeResponse | "reset")[]): RequestInit[] {
  const sent: RequestInit[] = [];
  runtime.answer = (_url, init) => {
    const response = responses[sent.length];
    sent.push(init);
    if (response === undefined) return Promise.reject(new Error("one request too many"));
    if (response === "reset") return Promise.reject(new TypeError(CANARY));
    const body = response.long === true ? CANARY.repeat(6_000) : response.body ?? "";
    return Promise.resolve(new Response(body, { status: response.status, headers: response.headers }));
  };
  return sent;
}

describe("parseContainerFailure()", () => {
  const cases: readonly (readonly [text: string, failure: object])[] = [
    ["", {}],
    [" \n", {}],
    ["Not found", { message: "Not found" }],
    ["\n (AccessDenied): no\n", { code: "AccessDenied", message: "(AccessDenied): no" }],
    ["[1a]:(Denied): no", { code: "Denied", message: "[1a]:(Denied): no" }],
    ["[1a]: \t(Denied): no", { code: "Denied", message: "[1a]:  (Denied): no" }],
    ["no (Denied)", { message: "no (Denied)" }],
    ["[1a]: no (Denied)", { message: "[1a]: no (Denied)" }],
    ['{"code": "Denied"}', { code: "Denied" }],
    ['{"code": 1, "Message": "no"}', { message: "no" }],
  ];
  for (const [text, failure] of cases) {
    it(`reads ${JSON.stringify(text)}`, () => assertEquals<object>(parseContainerFailure(text), failure));
  }
});

describe("ContainerProvider.retrieve(): responses", () => {
  for (const row of readTable<ResponseRow>("container_responses")) {
    it(row.name, async () => {
      const runtime = new FakeRuntime(row.env ?? RELATIVE);
      const sent = respondWith(runtime, row.responses);
      const result = await new ContainerProvider({ runtime }).retrieve().catch((error: unknown) => error);
      assertEquals(sent.length, row.requests);
      if (row.slept !== undefined) assertEquals(runtime.slept, row.slept);
      if (row.error === undefined) {
        if (result instanceof Error) throw result;
        assertEquals((result as { source: string }).source, "ContainerProvider");
        assertEquals((result as { accountId?: string }).accountId, row.accountId);
        return;
      }
      assertInstanceOf(result, CredentialsProviderError);
      const { code, statusCode, containerCode, recoverable, tryNextLink } = result;
      assertEquals([code, recoverable, tryNextLink], [row.error as typeof code, true, false]);
      if (row.statusCode !== undefined) assertEquals(statusCode, row.statusCode);
      assertEquals(containerCode, row.containerCode);
      assert(`${result.message}\n${result.hint}`.includes(row.says ?? ""), `${result.message}\n${result.hint}`);
      assert(result.hint !== undefined);
      assertFalse(printed(result).join().includes(CANARY), "the error quotes the response");
    });
  }
});

interface TokenRow {
  readonly name: string;
  readonly file?: string | null;
  readonly literal?: string;
  readonly header?: string | null;
  readonly error?: string;
  readonly says?: string;
}

describe("ContainerProvider.retrieve(): tokens", () => {
  for (const { name, file, literal, header, error, says = "" } of readTable<TokenRow>("container_tokens")) {
    it(name, async () => {
      const runtime = new FakeRuntime({ ...RELATIVE });
      if (file !== undefined) runtime.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/token";
      if (literal !== undefined) runtime.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = literal;
      if (typeof file === "string") runtime.files["/token"] = file === "ERROR" ? new Error(CANARY) : file;
      const sent = respondWith(runtime, [{ status: 200, headers: {}, body: JSON.stringify(DOCUMENT) }]);
      const provider = new ContainerProvider({ runtime });
      if (error === undefined) {
        await provider.retrieve();
        const headers = new Headers(sent[0]?.headers);
        assertEquals(headers.get("authorization"), header ?? null);
        assertEquals([...headers.keys()].sort(), header == null ? ["accept"] : ["accept", "authorization"]);
        return;
      }
      const thrown = await assertRejects(() => provider.retrieve(), CredentialsProviderError);
      assertEquals([thrown.code, sent.length, thrown.tryNextLink], [error as typeof thrown.code, 0, false]);
      assert(thrown.message.includes(says), thrown.message);
      assertFalse(printed(thrown).join().includes(CANARY));
    });
  }

  it("reads the variables and the token file again for each retrieval", async () => {
    const runtime = new FakeRuntime({ ...RELATIVE, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/token" });
    const ok = { status: 200, headers: {}, body: JSON.stringify(DOCUMENT) };
    const sent = respondWith(runtime, [ok, ok]);
    const provider = new ContainerProvider({ runtime });
    runtime.files["/token"] = "one";
    await provider.retrieve();
    runtime.files["/token"] = "two";
    await provider.retrieve();
    assertEquals(sent.map(({ headers }) => new Headers(headers).get("authorization")), ["one", "two"]);
  });
});

describe("fromContainerMetadata()", () => {
  it("sends one request, when a thousand callers start at once", async () => {
    const runtime = new FakeRuntime(RELATIVE);
    const sent = respondWith(runtime, [{ status: 200, headers: {}, body: JSON.stringify(DOCUMENT) }]);
    const provider = fromContainerMetadata({ runtime });
    await Promise.all(Array.from({ length: 1_000 }, () => provider()));
    assertEquals(sent.length, 1);
  });

  it("serves the cached credentials through an outage of the agent, past their expiration", async () => {
    const runtime = new FakeRuntime(RELATIVE);
    respondWith(runtime, [{ status: 200, headers: {}, body: JSON.stringify(DOCUMENT) }]);
    const provider = fromContainerMetadata({ runtime });
    await provider();
    runtime.answer = () => Promise.reject(new TypeError("the agent is gone"));
    runtime.time = Date.parse("2026-01-02T00:00:00Z");
    assertEquals((await provider()).accessKeyId, "ASIAEXAMPLE");
  });

  it("is not available where neither URI is set, so that a chain goes on", async () => {
    const error = await assertRejects(
      () => fromContainerMetadata({ runtime: new FakeRuntime() })(),
      CredentialsProviderError,
    );
    assertEquals([error.code, error.tryNextLink], ["NoCredentials", true]);
  });

  it("refuses options that are out of range, when created", () => {
    for (const options of [{ timeout: 0 }, { maxRetries: -1 }, { awsContainerCredentialsFullUri: " " }]) {
      assertEquals(
        assertThrows(() => fromContainerMetadata(options), CredentialsProviderError).code,
        "ConfigurationError",
      );
    }
  });
});
