import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ImdsEmulator, type ImdsFault, type ServedEmulator, serveEmulator } from "../../lib/testing/mod.ts";
import { moduleUrl, runProgram } from "../support/run_program.ts";

const INSTANCE_ID = "/latest/meta-data/instance-id";

async function serve(fault?: ImdsFault): Promise<ServedEmulator> {
  const emulator = new ImdsEmulator({ tokens: "optional" });
  if (fault !== undefined) emulator.inject(fault, { times: Infinity });
  return await serveEmulator(emulator);
}

/** A program that serves a faulty emulator, sends it one request, closes it, and says so. */
function program(fault: ImdsFault): string {
  return `import { ImdsEmulator, serveEmulator } from "${moduleUrl("lib/testing/mod.ts")}";
    const emulator = new ImdsEmulator({ tokens: "optional" });
    emulator.inject(${JSON.stringify(fault)}, { times: Infinity });
    const { endpoint, close } = await serveEmulator(emulator);
    await fetch(endpoint + "${INSTANCE_ID}", { signal: AbortSignal.timeout(500) }).then((r) => r.text()).catch(() => {});
    await close();
    console.log("closed");`;
}

describe("serveEmulator()", () => {
  it("responds on a loopback port until it is closed", async () => {
    const { endpoint, close } = await serve();
    const response = await fetch(endpoint + INSTANCE_ID);
    assertEquals([response.status, await response.text()], [200, "i-0123456789abcdef0"]);
    await close();
    await assertRejects(() => fetch(endpoint));
  });

  it("listens on the port that it is given, and frees it when closed", async () => {
    const free = await serve();
    await fetch(free.endpoint).then((response) => response.text());
    await free.close();
    const port = Number(new URL(free.endpoint).port);
    const { endpoint, close } = await serveEmulator(new ImdsEmulator(), { port });
    assertEquals(endpoint, free.endpoint);
    await assertRejects(() => serveEmulator(new ImdsEmulator(), { port }));
    await close();
  });

  it("may be closed twice", async () => {
    const { close } = await serve();
    await close();
    await close();
  });

  it("ends requests in progress when it is closed", async () => {
    const emulator = new ImdsEmulator({ tokens: "optional" });
    emulator.inject("hang", { times: Infinity });
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => arrived = resolve);
    const { endpoint, close } = await serveEmulator({
      handle(request, connection) {
        arrived();
        return emulator.handle(request, connection);
      },
    });
    const pending = assertRejects(() => fetch(endpoint + INSTANCE_ID));
    await arrival;
    await close();
    await pending;
  });

  const faults: readonly ImdsFault[] = ["hang", "reset", "truncated", "drip", "oversized"];
  for (const fault of faults) {
    it(`lets the program end after ${fault}`, async () => {
      assertEquals(await runProgram(program(fault)), { exitCode: 0, stdout: "closed\n", stderr: "" });
    });
  }
});
