import {
  type ContainerStep,
  EcsEmulator,
  type EcsErrorCode,
  EksEmulator,
  type EksErrorCode,
  type Emulator,
  type FaultName,
  ImdsEmulator,
  type ImdsFault,
  type ImdsStep,
  StsEmulator,
  type StsErrorCode,
  type StsStep,
} from "../testing/mod.ts";
import type { Variables } from "./variables.ts";

/** The settings of an emulator that a command line can give. */
interface EmulatorSettings {
  readonly role: string | undefined;
  /** The lifetime of new credentials. */
  readonly ttlSeconds: number | undefined;
}

/** An emulator, and what the command needs to serve it. */
interface ServableEmulator {
  readonly emulator: Emulator;
  /** Issues new credentials; absent where each response has new credentials. */
  readonly rotate?: () => void;
  /** The variables that make AWS SDKs use the emulator, for the origin on which it listens. */
  readonly variables: (origin: string) => Variables;
}

/** A service that can be emulated. */
export interface EmulatedService {
  readonly summary: string;
  /** The options that the service supports. */
  readonly supports: readonly ("role" | "ttl" | "rotate")[];
  /** The steps of its protocol that a fault can be limited to. */
  readonly steps: readonly string[];
  /** The faults that only this service has, besides {@linkcode COMMON_FAULTS}. */
  readonly faults: readonly string[];
  readonly create: (settings: EmulatorSettings) => ServableEmulator;
}

/** The faults that every emulator has. */
export const COMMON_FAULTS: readonly string[] = names<FaultName>({
  hang: true,
  reset: true,
  truncated: true,
  drip: true,
  html: true,
  oversized: true,
  binary: true,
  redirect: true,
  throttled: true,
  gzip: true,
  wrongLength: true,
  closed: true,
  endlessHeaders: true,
});

const ACCOUNT = "123456789012";

/** The services by name. */
export const SERVICES: Readonly<Record<string, EmulatedService>> = {
  imds: {
    summary: "the instance metadata service of EC2",
    supports: ["role", "ttl", "rotate"],
    steps: names<ImdsStep>({ token: true, list: true, document: true, item: true }),
    faults: names<Exclude<Extract<ImdsFault, string>, FaultName>>({ azure: true, hopLimit: true }),
    create(settings) {
      const emulator = new ImdsEmulator(optionsOf(settings));
      const variables = (origin: string) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: origin });
      return { emulator, variables, rotate: () => emulator.rotate() };
    },
  },
  ecs: {
    summary: "the agent of ECS",
    supports: ["role", "ttl", "rotate"],
    steps: names<ContainerStep>({ credentials: true, other: true }),
    faults: names<EcsErrorCode>({
      NoIdInRequest: true,
      InvalidIdInRequest: true,
      NoCredentialsAssociated: true,
      CredentialsUninitialized: true,
      InternalServerError: true,
    }),
    create(settings) {
      const emulator = new EcsEmulator(optionsOf(settings));
      const variables = (origin: string) => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}${emulator.relativeUri}`,
      });
      return { emulator, variables, rotate: () => emulator.rotate() };
    },
  },
  eks: {
    summary: "the agent of EKS Pod Identity",
    supports: ["ttl", "rotate"],
    steps: names<ContainerStep>({ credentials: true, other: true }),
    faults: names<EksErrorCode>({
      AccessDeniedException: true,
      ExpiredTokenException: true,
      InternalServerException: true,
      InvalidParameterException: true,
      InvalidRequestException: true,
      InvalidTokenException: true,
      ResourceNotFoundException: true,
      ServiceUnavailableException: true,
      ThrottlingException: true,
    }),
    create(settings) {
      const emulator = new EksEmulator(optionsOf(settings));
      const variables = (origin: string) => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/v1/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: [...emulator.tokens][0],
      });
      return { emulator, variables, rotate: () => emulator.rotate() };
    },
  },
  sts: {
    summary: `STS; the role is arn:aws:iam::${ACCOUNT}:role/NAME`,
    supports: ["role"],
    steps: names<StsStep>({ AssumeRole: true, AssumeRoleWithWebIdentity: true, GetCallerIdentity: true, other: true }),
    faults: names<StsErrorCode>({
      AccessDenied: true,
      ExpiredToken: true,
      ExpiredTokenException: true,
      IDPCommunicationError: true,
      IDPRejectedClaim: true,
      IncompleteSignature: true,
      InternalFailure: true,
      InvalidAction: true,
      InvalidClientTokenId: true,
      InvalidIdentityToken: true,
      InvalidParameterValue: true,
      MalformedPolicyDocument: true,
      MissingAuthenticationToken: true,
      MissingParameter: true,
      PackedPolicyTooLarge: true,
      RegionDisabledException: true,
      RequestExpired: true,
      RequestLimitExceeded: true,
      ServiceUnavailable: true,
      SignatureDoesNotMatch: true,
      Throttling: true,
      UnrecognizedClientException: true,
      ValidationError: true,
    }),
    create({ role = "emulated-role" }) {
      const emulator = new StsEmulator({ roles: { [`arn:aws:iam::${ACCOUNT}:role/${role}`]: {} } });
      // the first key, which is the default
      const [[accessKeyId, { secretAccessKey }] = ["", { secretAccessKey: "" }]] = emulator.accessKeys;
      const variables = (origin: string) => ({
        AWS_ENDPOINT_URL_STS: origin,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      });
      return { emulator, variables };
    },
  },
};

function optionsOf({ role, ttlSeconds }: EmulatorSettings): { role?: string; lifetimeSeconds?: number } {
  return {
    ...(role === undefined ? {} : { role }),
    ...(ttlSeconds === undefined ? {} : { lifetimeSeconds: ttlSeconds }),
  };
}

/** Returns the keys of `all`; the type makes the compiler check that no name is missing. */
function names<T extends string>(all: Readonly<Record<T, true>>): readonly T[] {
  return Object.keys(all) as T[];
}
