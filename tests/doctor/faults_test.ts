import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { DiagnoseOptions } from "../../mod.ts";
import {
  EcsEmulator,
  type EcsErrorCode,
  EksEmulator,
  type EksErrorCode,
  type Emulator,
  type FaultName,
  ImdsEmulator,
  StsEmulator,
  type StsErrorCode,
} from "../../lib/testing/mod.ts";
import { FakeRuntime } from "../support/fake_runtime.ts";
import { findingsOf, firstProblem } from "../support/findings.ts";
import { readTable } from "../support/tables.ts";

type Service = "imds" | "ecs" | "eks" | "sts";

interface Row {
  readonly name: string;
  readonly emulator: Service;
  /** The check that must fail first, by the step that the fault hits. */
  readonly checks: Readonly<Record<string, string>>;
  readonly faults: readonly string[];
  readonly status: string;
  readonly says: readonly string[];
}

/** All names; the compiler says when one is missing. */
const NAMED: Readonly<Record<FaultName, true>> = {
  ...{ hang: true, reset: true, truncated: true, drip: true, html: true, oversized: true, binary: true },
  ...{ redirect: true, throttled: true, gzip: true, wrongLength: true, closed: true, endlessHeaders: true },
};
const ECS: Readonly<Record<EcsErrorCode, true>> = {
  ...{ NoIdInRequest: true, InvalidIdInRequest: true, NoCredentialsAssociated: true, CredentialsUninitialized: true },
  ...{ InternalServerError: true },
};
const EKS: Readonly<Record<EksErrorCode, true>> = {
  ...{ AccessDeniedException: true, ExpiredTokenException: true, InternalServerException: true },
  ...{ InvalidParameterException: true, InvalidRequestException: true, InvalidTokenException: true },
  ...{ ResourceNotFoundException: true, ServiceUnavailableException: true, ThrottlingException: true },
};
const STS: Readonly<Record<StsErrorCode, true>> = {
  ...{ AccessDenied: true, ExpiredToken: true, ExpiredTokenException: true, IDPCommunicationError: true },
  ...{ IDPRejectedClaim: true, IncompleteSignature: true, InternalFailure: true, InvalidAction: true },
  ...{ InvalidClientTokenId: true, InvalidIdentityToken: true, InvalidParameterValue: true },
  ...{ MalformedPolicyDocument: true, MissingAuthenticationToken: true, MissingParameter: true },
  ...{ PackedPolicyTooLarge: true, RegionDisabledException: true, RequestExpired: true, RequestLimitExceeded: true },
  ...{ ServiceUnavailable: true, SignatureDoesNotMatch: true, Throttling: true, UnrecognizedClientException: true },
  ValidationError: true,
};
/** Every fault of each step. */
const FAULTS: Readonly<Record<Service, Readonly<Record<string, readonly object[]>>>> = {
  imds: {
    token: [NAMED, { azure: true, hopLimit: true }],
    list: [NAMED, { azure: true }],
    document: [NAMED, { azure: true }],
    item: [NAMED, { azure: true }],
  },
  ecs: { credentials: [NAMED, ECS] },
  eks: { credentials: [NAMED, EKS] },
  sts: { AssumeRole: [NAMED, STS], AssumeRoleWithWebIdentity: [NAMED, STS], GetCallerIdentity: [NAMED, STS] },
};

const ROLE = "arn:aws:iam::123456789012:role/emulated-role";
const [ID, SECRET] = ["AKIAEMULATED00000001", "emulated-secret-access-key"];
const CONFIG = `[profile a]\nsource_profile = b\nrole_arn = ${ROLE}\n` +
  `[profile b]\naws_access_key_id = ${ID}\naws_secret_access_key = ${SECRET}\n`;

/** A machine that has one source of credentials, and the service that they come from. */
function setUp(service: Service, step: string): { emulator: Emulator; options: DiagnoseOptions } {
  const runtime = new FakeRuntime();
  const { variables, files } = runtime;
  const emulator = { imds: ImdsEmulator, ecs: EcsEmulator, eks: EksEmulator, sts: StsEmulator }[service];
  const made = new emulator({ runtime });
  runtime.answer = made.fetch;
  if (service === "imds") files["/sys/class/dmi/id/sys_vendor"] = "Amazon EC2\n";
  if (service === "ecs") variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/emulated-task";
  if (service === "eks") {
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://169.254.170.23/v1/credentials";
    variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/token";
    files["/token"] = "emulated-service-account-token";
  }
  if (step === "AssumeRoleWithWebIdentity") {
    variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
    variables["AWS_ROLE_ARN"] = ROLE;
    files["/token"] = "emulated-web-identity-token";
  }
  const isRole = step === "AssumeRole";
  const sharedConfig = isRole || step === "GetCallerIdentity" ? { config: CONFIG } : {};
  const profile = isRole ? { profile: "a" } : step === "GetCallerIdentity" ? { profile: "b", online: true } : {};
  return { emulator: made as Emulator, options: { sharedConfig, runtime, ...profile } };
}

describe("diagnose(), for every fault of the emulators", () => {
  const rows = readTable<Row>("doctor_faults");
  for (const { name, emulator: service, checks, faults, status, says } of rows) {
    for (const [step, check] of Object.entries(checks)) {
      for (const fault of faults) {
        it(`${name}: ${service} ${step} ${fault} is ${status} of ${check}`, async () => {
          const { emulator, options } = setUp(service, step);
          emulator.inject(fault as FaultName, { on: step, times: Infinity });
          const found = firstProblem(await findingsOf(options));
          assertEquals([found?.check, found?.status], [check, status], JSON.stringify(found));
          const text = `${found?.message} ${found?.hint}`;
          const code = Object.hasOwn(NAMED, fault) || service === "imds" ? "" : fault.replace(/Exception$/, "");
          for (const part of [...says, code]) assert(text.includes(part), `${text} lacks ${part}`);
        });
      }
    }
  }

  it("there is a row for each fault of each step", () => {
    for (const [service, steps] of Object.entries(FAULTS)) {
      for (const [step, groups] of Object.entries(steps)) {
        const expected = groups.flatMap((group) => Object.keys(group)).sort();
        const found = rows.filter(({ emulator, checks }) => emulator === service && Object.hasOwn(checks, step))
          .flatMap(({ faults }) => faults).sort();
        assertEquals(found, expected, `${service} ${step}`);
      }
    }
  });
});
