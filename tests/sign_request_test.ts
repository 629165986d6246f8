import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CredentialsProviderError } from "../lib/errors.ts";
import { signRequest } from "../lib/sign_request.ts";
import { type ReceivedRequest, verifiedHeaders } from "./support/sigv4_verifier.ts";

const SECRET = "CANARY-secret";
const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: SECRET };
const TEMPORARY_KEYS = { ...KEYS, sessionToken: "CANARY-token" };
const OPTIONS = { credentials: KEYS, region: "us-east-1", service: "lambda" };
const DATE = new Date("2030-01-02T03:04:05Z");
const URL_TEXT = "https://lambda.us-east-1.amazonaws.com/";

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise<unknown>((resolve) => server === undefined ? resolve(undefined) : server.close(resolve));
  server = undefined;
});

/** A server that answers with `status` and keeps what it received. */
async function serve(status = 200, headers: Record<string, string> = {}) {
  const received: ReceivedRequest[] = [];
  server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const { method = "", url: target = "" } = request;
    received.push({
      method,
      target,
      headers: request.headers as ReceivedRequest["headers"],
      body: Buffer.concat(chunks),
    });
    response.writeHead(status, { "content-length": "0", ...headers }).end();
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return { received, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("signRequest()", () => {
  const BYTES = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
  const SENT: readonly (readonly [string, string, string, RequestInit])[] = [
    ["GET", "lambda", "/", {}],
    ["GET with a query", "lambda", "/2015-03-31/functions?b=%7e+x&a=1&a=(0)&%C3%BC", {}],
    ["GET with odd characters in its path", "execute-api", "/stage/@connections/a%3D=!'()*;ü", {}],
    ["GET of an S3 object", "s3", "/bucket/a%20b/!'()*+ü//x", {}],
    ["HEAD", "s3", "/bucket/key", { method: "HEAD" }],
    ["DELETE", "s3", "/bucket/key", { method: "DELETE" }],
    ["POST without a body", "lambda", "/", { method: "POST" }],
    ["POST with an empty body", "lambda", "/", { method: "POST", body: "" }],
    ["POST of a string", "lambda", "/", { method: "POST", body: "h\u00e9llo" }],
    ["POST of a form", "sts", "/", { method: "POST", body: new URLSearchParams({ Action: "GetCallerIdentity" }) }],
    ["PUT of bytes", "s3", "/bucket/key", { method: "PUT", body: BYTES }],
    ["PATCH with headers", "es", "/index/_doc/1", {
      method: "PATCH",
      body: "{}",
      headers: {
        "content-type": "application/json",
        "x-custom": " a   b ",
        accept: "application/json",
        "user-agent": "x",
      },
    }],
  ];
  for (const [name, service, target, init] of SENT) {
    it(`makes a signature that holds on the wire: ${name}`, async () => {
      const { received, origin } = await serve();
      const request = new Request(origin + target, init);
      const signed = await signRequest(request, { ...OPTIONS, credentials: TEMPORARY_KEYS, service });
      const response = await fetch(signed);
      assertEquals(response.status, 200);
      const names = verifiedHeaders(received[0]!, SECRET);
      assert(names !== undefined, JSON.stringify(received[0]?.headers));
      for (const name of ["host", "x-amz-date", "x-amz-security-token"]) assert(names.includes(name), name);
      assertEquals(names.includes("x-amz-content-sha256"), service === "s3");
      assertEquals(received[0]?.body, Buffer.from(await request.arrayBuffer()));
    });
  }

  it("takes the time from the option or from the clock of the runtime", async () => {
    const runtime = { now: () => DATE.getTime() };
    const byClock = await signRequest(new Request(URL_TEXT), { ...OPTIONS, runtime });
    const byOption = await signRequest(new Request(URL_TEXT), { ...OPTIONS, date: DATE });
    assertEquals(byClock.headers.get("x-amz-date"), "20300102T030405Z");
    assertEquals([...byOption.headers], [...byClock.headers]);
  });

  it("uses the clock of this program, when neither is given", async () => {
    const before = Math.floor(Date.now() / 1_000) * 1_000;
    const signed = await signRequest(new Request(URL_TEXT), OPTIONS);
    const time = signed.headers.get("x-amz-date")!.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z");
    assert(before <= Date.parse(time) && Date.parse(time) <= Date.now(), time);
  });

  it("keeps method, URL, headers and signal, and leaves the given request as it was", async () => {
    const controller = new AbortController();
    const init = { method: "PUT", body: "body", headers: { "X-Custom": "a" }, signal: controller.signal };
    const request = new Request(`${URL_TEXT}a?b=c`, init);
    const headers = [...request.headers];
    const signed = await signRequest(request, OPTIONS);
    assertEquals([signed.method, signed.url], ["PUT", `${URL_TEXT}a?b=c`]);
    assertEquals([signed.headers.get("x-custom"), await signed.text()], ["a", "body"]);
    assertEquals([[...request.headers], await request.text()], [headers, "body"]);
    controller.abort();
    assert(signed.signal.aborted);
  });

  it("signs a signed request anew, with other keys and at another time", async () => {
    const headers = { host: "other.example", "x-amz-content-sha256": "old" };
    const request = new Request(URL_TEXT, { method: "POST", body: "body", headers });
    const first = await signRequest(request, { ...OPTIONS, credentials: TEMPORARY_KEYS, date: DATE });
    const again = await signRequest(first, { ...OPTIONS, date: new Date("2030-01-02T03:14:05Z") });
    const fresh = await signRequest(request, { ...OPTIONS, date: new Date("2030-01-02T03:14:05Z") });
    assertEquals([...again.headers], [...fresh.headers]);
    assertEquals([again.headers.has("x-amz-security-token"), again.headers.has("host")], [false, false]);
  });

  it("sends the hash of the body for any service, when the request has a header for it", async () => {
    const request = new Request(URL_TEXT, { method: "POST", body: "", headers: { "X-Amz-Content-Sha256": "" } });
    const signed = await signRequest(request, { ...OPTIONS, service: "aoss" });
    const hashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assertEquals(signed.headers.get("x-amz-content-sha256"), hashOfNothing);
    assert(signed.headers.get("authorization")?.includes(";x-amz-content-sha256;"));
  });

  it("does not follow a redirect with the session token", async () => {
    const { received, origin } = await serve(307, { location: "/elsewhere" });
    const signed = await signRequest(new Request(origin), { ...OPTIONS, credentials: TEMPORARY_KEYS });
    const response = await fetch(signed);
    await response.body?.cancel();
    assertEquals([response.status, received.map(({ target }) => target)], [307, ["/"]]);
  });

  it("keeps redirect: error", async () => {
    assertEquals((await signRequest(new Request(URL_TEXT, { redirect: "error" }), OPTIONS)).redirect, "error");
  });

  it("rejects with ConfigurationError, when the body was read or is being read", async () => {
    const used = new Request(URL_TEXT, { method: "POST", body: "CANARY" });
    await used.text();
    const locked = new Request(URL_TEXT, { method: "POST", body: "CANARY" });
    locked.body?.getReader();
    for (const request of [used, locked]) {
      const error = await assertRejects(() => signRequest(request, OPTIONS), CredentialsProviderError);
      assertEquals(error.code, "ConfigurationError");
      assertEquals(error.message, "Cannot sign the request: its body was read already");
    }
  });

  it("rejects with the reason of the body, when reading it fails", async () => {
    const reason = new RangeError("disk failed");
    const body = new ReadableStream({ pull: (controller) => controller.error(reason) });
    const request = new Request(URL_TEXT, { method: "POST", body, duplex: "half" } as RequestInit);
    await assertRejects(() => signRequest(request, OPTIONS), RangeError, "disk failed");
  });

  it("rejects with ConfigurationError and no secret, when an option is missing or malformed", async () => {
    const WRONG = [
      undefined,
      {},
      { ...OPTIONS, region: undefined },
      { ...OPTIONS, service: " " },
      { ...OPTIONS, date: new Date(NaN) },
      { ...OPTIONS, credentials: { ...KEYS, sessionToken: "CANARY\r\nx-other: y" } },
    ];
    for (const options of WRONG) {
      const error = await assertRejects(
        () => signRequest(new Request(URL_TEXT), options as never),
        CredentialsProviderError,
      );
      assertEquals(error.code, "ConfigurationError");
      assertFalse(error.message.includes("CANARY"));
    }
  });
});
