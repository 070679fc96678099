import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findRepositoryRoot } from '@ngatu/models';
import { INGESTOR_USER, type StartPaths, type StartPorts, type StartSecrets } from './start-files.ts';
import type { PartSpec } from './supervisor.ts';

const READY_TIMEOUT_MS = 30_000;
/** The camera may have to transcode its video first. */
const CAMERA_READY_TIMEOUT_MS = 180_000;

interface StartPlan {
  readonly paths: StartPaths;
  readonly ports: StartPorts;
  readonly secrets: StartSecrets;
  readonly cameras: readonly { readonly name: string; readonly videoPath: string }[];
}

export interface StartParts {
  readonly broker: PartSpec;
  readonly ingestor: PartSpec;
  readonly api: PartSpec;
  readonly camera: PartSpec;
  readonly edge: PartSpec;
  /** The simulated street sensor, where there is a port for it. */
  readonly sensor?: PartSpec;
  /** The simulated thermal camera of a fever gate, where there is a port for it. */
  readonly gate?: PartSpec;
}

/** A week of readings, which then begins anew. */
const STREET = { days: 7, intervalS: 10, seed: 1 } as const;

/** The processes of `ngatu start`. Secrets travel in the environment of those who need them. */
export function buildParts({ paths, ports, secrets, cameras }: StartPlan): StartParts {
  const ingestorUrl = `http://127.0.0.1:${ports.ingestor}`;
  const internal = { NGATU_INTERNAL_TOKEN: secrets.internalToken };
  const isCertified = ports.upload !== undefined;
  const upload = isCertified ? {} : { NGATU_UPLOAD_TOKEN: secrets.uploadToken };
  const passwordOf = (password: string) => (isCertified ? {} : { NGATU_BROKER_PASSWORD: password });
  return {
    broker: brokerPart(paths, ports.broker),
    ingestor: commandPart('ingestor', {
      args: [
        'cloud',
        'ingestor',
        `--data=${paths.cloud}`,
        `--port=${ports.ingestor}`,
        ...(isCertified
          ? [`--broker=mqtts://127.0.0.1:${ports.broker}`, `--upload-port=${ports.upload}`]
          : [`--broker=mqtt://127.0.0.1:${ports.broker}`, `--username=${INGESTOR_USER}`]),
      ],
      env: { ...internal, ...upload, ...passwordOf(secrets.ingestorPassword) },
    }),
    api: commandPart('api', {
      args: ['cloud', 'api', `--data=${paths.cloud}`, `--ingestor=${ingestorUrl}`, `--port=${ports.console}`],
      env: internal,
    }),
    camera: commandPart('camera', {
      args: [
        'camera',
        `--port=${ports.camera}`,
        `--cache=${paths.camera}`,
        ...cameras.map(({ name, videoPath }) => `${name}=${videoPath}`),
      ],
      readyTimeoutMs: CAMERA_READY_TIMEOUT_MS,
    }),
    edge: commandPart('edge', {
      args: ['edge', `--profile=${paths.profile}`, `--data=${paths.edge}`],
      env: { ...upload, ...passwordOf(secrets.nodePassword) },
      // It is ready with its first picture: while its camera is away it waits, and is not to be disturbed.
      readyTimeoutMs: Number.POSITIVE_INFINITY,
    }),
    ...(ports.sensor === undefined ? {} : { sensor: sensorPart(ports.sensor) }),
    ...(ports.gate === undefined ? {} : { gate: gatePart(ports.gate) }),
  };
}

function sensorPart(port: number): PartSpec {
  const { days, intervalS, seed } = STREET;
  const series = [`--days=${days}`, `--interval=${intervalS}`, `--seed=${seed}`];
  return commandPart('sensor', { args: ['simulate', 'sensors', `--port=${port}`, ...series] });
}

/** The place of its blackbody stands in the profile: the seed may not change without it. */
function gatePart(port: number): PartSpec {
  return commandPart('gate', { args: ['simulate', 'fever-gate', `--port=${port}`, '--seed=1'] });
}

function commandPart(
  name: string,
  options: { args: string[]; env?: Record<string, string>; readyTimeoutMs?: number },
): PartSpec {
  const program = join(findRepositoryRoot(), 'dist', 'ngatu.mjs');
  return {
    name,
    program: process.execPath,
    args: ['--enable-source-maps', program, ...options.args],
    env: options.env ?? {},
    ready: 'ipc',
    readyTimeoutMs: options.readyTimeoutMs ?? READY_TIMEOUT_MS,
  };
}

/** mosquitto has no channel to its supervisor: the kernel is asked to end it when the supervisor dies. */
function brokerPart(paths: StartPaths, port: number): PartSpec {
  return {
    name: 'broker',
    program: 'setpriv',
    args: ['--pdeathsig', 'KILL', 'mosquitto', '-c', paths.brokerConfig],
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` },
    ready: (signal) => waitForPort(port, signal),
    readyTimeoutMs: READY_TIMEOUT_MS,
  };
}

async function waitForPort(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      setTimeout(() => socket.destroy(), 1_000).unref();
      socket.on('connect', () => socket.end());
    });
    if (isOpen) return;
    await delay(25);
  }
}
