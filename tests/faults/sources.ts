import {
  type CachedProvider,
  fromContainerMetadata,
  fromInstanceMetadata,
  fromTemporaryCredentials,
  fromWebToken,
  type Runtime,
} from "../../mod.ts";
import { EcsEmulator, EksEmulator, type Emulator, ImdsEmulator, StsEmulator } from "../../lib/testing/mod.ts";

/** A service in memory, and a provider that retrieves from it. */
export interface Source {
  readonly emulator: Emulator;
  readonly provider: CachedProvider;
  /** Makes the service issue new credentials from now on, where it would give the same again. */
  readonly rotate: () => void;
  /** How long its credentials live. */
  readonly lifetimeMs: number;
}

/** The most requests of one retrieval, in the table of faults. */
export const MAX_REQUESTS = 6;
/** The shortest pause after a failed refresh. */
export const MIN_BACKOFF_MINUTES = 5;
/** What the emulator of STS accepts. */
export const ROLE_ARN = "arn:aws:iam::123456789012:role/emulated-role";
export const WEB_IDENTITY_TOKEN = "emulated-web-identity-token";
export const KEYS = { accessKeyId: "AKIAEMULATED00000001", secretAccessKey: "emulated-secret-access-key" };

const HOUR_MS = 3_600_000;

/** Makes a source whose program has `client` for a runtime, and whose service has `service`. */
type MakeSource = (client: Partial<Runtime>, service: Partial<Runtime>) => Source;

export const SOURCES: Readonly<Record<string, MakeSource>> = {
  "IMDS": (client, service) => {
    const emulator = new ImdsEmulator({ runtime: service });
    return source(emulator, client, 6, (settings) => fromInstanceMetadata(settings));
  },
  "ECS": (client, service) => {
    const emulator = new EcsEmulator({ runtime: service });
    const awsContainerCredentialsRelativeUri = emulator.relativeUri;
    return source(emulator, client, 6, (settings) => {
      return fromContainerMetadata({ awsContainerCredentialsRelativeUri, ...settings });
    });
  },
  "EKS": (client, service) => {
    const emulator = new EksEmulator({ tokens: ["a-token"], runtime: service });
    const location = {
      awsContainerCredentialsFullUri: "http://169.254.170.23/v1/credentials",
      awsContainerAuthorizationToken: "a-token",
    };
    return source(emulator, client, 6, (settings) => fromContainerMetadata({ ...location, ...settings }));
  },
  "STS web identity": (client, service) => {
    const emulator = new StsEmulator({ runtime: service });
    const role = { webIdentityToken: WEB_IDENTITY_TOKEN, roleArn: ROLE_ARN };
    return source(emulator, client, 1, (settings) => fromWebToken({ ...role, ...settings }));
  },
  "STS AssumeRole": (client, service) => {
    const emulator = new StsEmulator({ runtime: service });
    const role = { params: { RoleArn: ROLE_ARN }, masterCredentials: KEYS };
    return source(emulator, client, 1, (settings) => fromTemporaryCredentials({ ...role, ...settings }));
  },
};

interface Settings {
  readonly sharedConfig: Record<never, never>;
  readonly logger: null;
  readonly runtime: Partial<Runtime>;
}

function source(
  emulator: Emulator,
  client: Partial<Runtime>,
  lifetimeHours: number,
  connect: (settings: Settings) => CachedProvider,
): Source {
  const runtime = { ...client, fetch: emulator.fetch, fetchDirect: emulator.fetch };
  const provider = connect({ sharedConfig: {}, logger: null, runtime });
  const rotate = () => void (emulator as { rotate?: () => void }).rotate?.();
  return { emulator, provider, rotate, lifetimeMs: lifetimeHours * HOUR_MS };
}

/** Empties the log of an emulator, which would grow without end, and returns how many requests were in it. */
export function takeRequests({ requests }: Emulator): number {
  return (requests as unknown as unknown[]).splice(0).length;
}
