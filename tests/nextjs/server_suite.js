// A real Next.js server: its `fetch` stores responses on disk, with `fetchCache` also those that say "no-store".
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import process from "node:process";
import { EcsEmulator, ImdsEmulator, serveEmulator, StsEmulator } from "../../dist/lib/testing/mod.js";

const FOLDER = import.meta.dirname;
const NEXT = `${FOLDER}/node_modules/next/dist/bin/next`;
const CANARY = "canary-of-a-bare-request";
const EMULATORS = { imds: new ImdsEmulator(), ecs: new EcsEmulator(), sts: new StsEmulator() };
const KEY_REGEXP = /ASIAEMULATED\w{8}/;

let bareRequests = 0;
const bareServer = createServer((_request, response) => response.end(`${CANARY}-${++bareRequests}`));
const closers = [];
let origin;
let server;

async function listen() {
  await new Promise((resolve) => bareServer.listen(0, "127.0.0.1", resolve));
  const urls = { BARE_URL: `http://127.0.0.1:${bareServer.address().port}/` };
  for (const [name, emulator] of Object.entries(EMULATORS)) {
    const { endpoint, close } = await serveEmulator(emulator);
    closers.push(close);
    urls[`${name.toUpperCase()}_URL`] = endpoint + (emulator.relativeUri ?? "");
  }
  return urls;
}

before(async () => {
  const urls = await listen();
  const env = { PATH: process.env.PATH, HOME: "/nonexistent", NEXT_TELEMETRY_DISABLED: "1", CI: "1", ...urls };
  rmSync(`${FOLDER}/.next`, { recursive: true, force: true });
  const build = spawnSync(process.execPath, [NEXT, "build"], { cwd: FOLDER, env, encoding: "utf8" });
  assert.equal(build.status, 0, build.stdout + build.stderr);
  server = spawn(process.execPath, [NEXT, "start", "--port", "0", "--hostname", "127.0.0.1"], {
    cwd: FOLDER,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  origin = await new Promise((resolve, reject) => {
    let printed = "";
    server.stdout.setEncoding("utf8").on("data", (text) => {
      printed += text;
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
      if (url !== undefined) resolve(url);
    });
    server.on("exit", (code) => reject(new Error(`Next.js ended with ${code}: ${printed}`)));
  });
}, { timeout: 120_000 });

after(async () => {
  server?.kill();
  bareServer.close();
  for (const close of closers) await close();
});

async function get(path) {
  const response = await fetch(origin + path);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}

async function keyFrom(path) {
  return KEY_REGEXP.exec(await get(path))?.[0];
}

/** The files below `.next` that hold a text, as it is or in base64, in which Next.js stores responses. */
function filesWith(text) {
  return readdirSync(`${FOLDER}/.next`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`)
    .filter((path) => {
      const content = readFileSync(path, "latin1");
      const encoded = content.match(/[A-Za-z0-9+/]{20,}=*/g) ?? [];
      return [content, ...encoded.map(decoded)].some((candidate) => candidate.includes(text));
    });
}

function decoded(base64) {
  return Buffer.from(base64, "base64").toString("latin1");
}

describe("in a Next.js server", () => {
  it("a bare fetch is stored on disk and served again, so this server does store", async () => {
    assert.equal(await get("/forced?bare"), await get("/forced?bare"));
    assert.equal(bareRequests, 1);
    assert.notEqual(filesWith(CANARY).length, 0);
  });

  for (const route of ["forced", "only", "page"]) {
    for (const [source, emulator] of Object.entries(EMULATORS)) {
      it(`/${route}: credentials from ${source} are new after a rotation`, async () => {
        const path = `/${route}?source=${source}`;
        const first = await keyFrom(path);
        assert.ok(emulator.issued.has(first));
        emulator.rotate?.();
        const second = await keyFrom(`${path}&rejected`);
        assert.ok(emulator.issued.has(second));
        assert.notEqual(second, first);
      });
    }
  }

  it("no secret is on disk", () => {
    const issued = Object.values(EMULATORS).flatMap((emulator) => [...emulator.issued.values()]);
    const tokens = EMULATORS.imds.requests.map(({ headers }) => headers["x-aws-ec2-metadata-token"]).filter(Boolean);
    assert.ok(issued.length >= 6 && tokens.length > 0);
    const secrets = issued.flatMap(({ secretAccessKey, sessionToken }) => [secretAccessKey, sessionToken]);
    for (const secret of [...secrets, ...tokens]) assert.deepEqual(filesWith(secret), []);
  });
});
