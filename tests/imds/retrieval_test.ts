import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CredentialsProviderError, InstanceMetadataProvider, type InstanceMetadataProviderOptions } from "../../mod.ts";
import { ImdsEmulator, type ImdsEmulatorOptions, type ImdsFault, type ImdsStep } from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { readTable } from "../support/tables.ts";
import { wireLog } from "../support/wire_log.ts";

interface Step {
  /** What changes before the retrieval. */
  readonly faults?: readonly { readonly fault: ImdsFault; readonly on?: ImdsStep | "any"; readonly times?: number }[];
  readonly forever?: ImdsFault;
  readonly role?: string | null;
  readonly document?: Record<string, unknown>;
  readonly advanceSeconds?: number;
  readonly revokeTokens?: boolean;
  /** What the retrieval puts on the wire, and what comes of it. */
  readonly wire: readonly string[];
  readonly error?: string;
  readonly statusCode?: number;
  readonly tryNextLink?: boolean;
  readonly says?: string;
  readonly accountId?: string;
  readonly sleptMs?: readonly number[];
}

interface Row {
  readonly name: string;
  readonly emulator?: ImdsEmulatorOptions;
  readonly options?: InstanceMetadataProviderOptions;
  readonly env?: Record<string, string>;
  readonly steps: readonly Step[];
}

for (const table of ["imds_token", "imds_get", "imds_discovery", "imds_vectors"]) {
  describe(`InstanceMetadataProvider.retrieve(): ${table}`, () => {
    for (const row of readTable<Row>(table)) it(row.name, () => run(row));
  });
}

async function run({ emulator: emulated = {}, options = {}, env = {}, steps }: Row): Promise<void> {
  const runtime = new FakeRuntime(env);
  const emulator = new ImdsEmulator({ ...emulated, runtime });
  runtime.answer = emulator.fetch;
  const provider = new InstanceMetadataProvider({ ...options, runtime });
  for (const step of steps) {
    prepare(step, emulator, runtime);
    const seen = emulator.requests.length;
    const slept = runtime.slept.length;
    const result = await provider.retrieve().catch((error: unknown) => error);
    assertEquals(wireLog(emulator).slice(seen), step.wire);
    check(result, step);
    if (step.sleptMs !== undefined) assertEquals(runtime.slept.slice(slept), step.sleptMs);
  }
}

function prepare(step: Step, emulator: ImdsEmulator, runtime: FakeRuntime): void {
  emulator.recover();
  for (const { fault, ...scope } of step.faults ?? []) emulator.inject(fault, scope);
  if (step.forever !== undefined) emulator.inject(step.forever, { times: Infinity });
  if (step.role !== undefined) emulator.role = step.role;
  if (step.document !== undefined) emulator.document = step.document;
  if (step.revokeTokens === true) emulator.revokeTokens();
  runtime.time += (step.advanceSeconds ?? 0) * 1_000;
}

function check(result: unknown, { error, statusCode, tryNextLink, says, accountId }: Step): void {
  if (error === undefined) {
    if (result instanceof Error) throw result;
    assertEquals((result as { accountId?: string }).accountId, accountId);
    return;
  }
  assertInstanceOf(result, CredentialsProviderError);
  assertEquals(result.code, error);
  assertEquals(result.name, error.endsWith("Error") ? error : `${error}Error`);
  if (statusCode !== undefined) assertEquals(result.statusCode, statusCode);
  if (tryNextLink !== undefined) assertEquals(result.tryNextLink, tryNextLink);
  const told = `${result.message}\n${result.hint}`;
  assert(told.includes(says ?? ""), `${told} should say ${says}`);
  assert(result.hint !== undefined, `${error} should have a hint`);
  assert(!told.includes("emulated-imds-token"), "an error quotes the session token");
}
