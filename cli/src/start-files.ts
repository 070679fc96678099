import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { GatewayProfile, SensorProfile } from '@ngatu/contract';
import { asStorageError } from '@ngatu/contract';
import {
  formatProfile,
  type MosquittoOptions,
  type ProfileFile,
  renderMosquittoConfig,
} from '@ngatu/firmware-config';
import { loadSecrets } from './data-folder.ts';

/** Ports of 127.0.0.1; they stay the same while parts come and go. */
export interface StartPorts {
  readonly broker: number;
  readonly ingestor: number;
  readonly camera: number;
  readonly console: number;
  /** Where the simulated street sensor answers; without it the profile's sensors are left out. */
  readonly sensor?: number;
  /** Where the simulated thermal camera answers; without it the profile's fever gates and the sensors of their rooms are left out. */
  readonly gate?: number;
  /**
   * Where the ingestor takes evidence over TLS. With it all that nodes and centre say to each other goes over mutual TLS (`broker`
   * speaks it then); without it in the clear, with passwords.
   */
  readonly upload?: number;
}

export interface StartSecrets extends Record<string, string> {
  readonly nodePassword: string;
  readonly ingestorPassword: string;
  readonly uploadToken: string;
  readonly internalToken: string;
}

/** Where the parts of `ngatu start` keep what they keep. */
export interface StartPaths {
  readonly data: string;
  /** The certificate authority. */
  readonly authority: string;
  readonly run: string;
  readonly broker: string;
  readonly brokerConfig: string;
  readonly cloud: string;
  readonly edge: string;
  readonly camera: string;
  readonly profile: string;
}

export function buildStartPaths(data: string): StartPaths {
  const run = join(data, 'run');
  return {
    data,
    authority: join(data, 'authority'),
    run,
    broker: join(data, 'broker'),
    brokerConfig: join(data, 'broker', 'mosquitto.conf'),
    cloud: join(data, 'cloud'),
    edge: join(data, 'edge'),
    camera: join(data, 'camera'),
    profile: join(run, 'gateway.yaml'),
  };
}

/** The secrets between the parts, made at the first start. */
export function loadStartSecrets(paths: StartPaths): StartSecrets {
  const random = () => randomBytes(24).toString('base64url');
  return loadSecrets(join(paths.data, 'secrets.json'), () => ({
    nodePassword: random(),
    ingestorPassword: random(),
    uploadToken: random(),
    internalToken: random(),
  }));
}

/** Name of the ingestor at the broker. */
export const INGESTOR_USER = 'ingestor';

interface EffectiveProfile {
  readonly source: ProfileFile;
  readonly model: string;
  readonly ports: StartPorts;
}

/** The profile of the demonstration with the addresses of the parts that were really started. */
export function buildEffectiveProfile({ source, model, ports }: EffectiveProfile): GatewayProfile {
  const { profile, file } = source;
  return {
    ...profile,
    broker: describeBroker(profile, ports),
    upload: describeUpload(profile, ports),
    detector: { ...profile.detector, model },
    cameras: profile.cameras.map((camera) => ({
      ...camera,
      url: `rtsp://127.0.0.1:${ports.camera}/${camera.name}`,
      scene: resolve(dirname(file), camera.scene),
    })),
    sensors: describeSensors(source, ports),
    feverGates: ports.gate === undefined ? [] : describeGates(profile, ports.gate),
  };
}

/** Those that a simulator answers for. */
function describeSensors({ profile, file }: ProfileFile, ports: StartPorts): GatewayProfile['sensors'] {
  return profile.sensors.flatMap((sensor) => {
    const source = describeSensorSource(sensor.source, ports);
    if (source === undefined) return [];
    const template =
      sensor.template === undefined ? {} : { template: resolve(dirname(file), sensor.template) };
    return [{ ...sensor, source, ...template }];
  });
}

function describeSensorSource(
  source: SensorProfile['source'],
  ports: StartPorts,
): SensorProfile['source'] | undefined {
  if (source.kind === 'modbus-tcp' && ports.sensor !== undefined)
    return { ...source, host: '127.0.0.1', port: ports.sensor };
  if (source.kind === 'http' && ports.gate !== undefined)
    return { ...source, url: moveToPort(source.url, ports.gate) };
  return undefined;
}

function describeGates({ feverGates }: GatewayProfile, port: number): GatewayProfile['feverGates'] {
  return feverGates.map((gate) =>
    gate.input.kind === 'http'
      ? { ...gate, input: { ...gate.input, url: moveToPort(gate.input.url, port) } }
      : gate,
  );
}

/** The same path of the loopback. */
function moveToPort(url: string, port: number): string {
  return `http://127.0.0.1:${port}${new URL(url).pathname}`;
}

function describeBroker({ node }: GatewayProfile, ports: StartPorts): GatewayProfile['broker'] {
  if (ports.upload !== undefined) return { url: `mqtts://127.0.0.1:${ports.broker}` };
  const password = { env: 'NGATU_BROKER_PASSWORD' };
  return { url: `mqtt://127.0.0.1:${ports.broker}`, username: node, password };
}

function describeUpload({ upload }: GatewayProfile, ports: StartPorts): GatewayProfile['upload'] {
  const { token: _token, ...rest } = upload;
  if (ports.upload !== undefined) return { ...rest, url: `https://127.0.0.1:${ports.upload}` };
  return { ...rest, url: `http://127.0.0.1:${ports.ingestor}`, token: { env: 'NGATU_UPLOAD_TOKEN' } };
}

/** How the broker listens: to certificates, or to the passwords of the node and of the ingestor. */
function describeListeners(
  paths: StartPaths,
  { profile, ports, secrets }: { profile: GatewayProfile; ports: StartPorts; secrets: StartSecrets },
): Pick<MosquittoOptions, 'port' | 'tls' | 'users'> {
  const { site, node } = profile;
  // Only what controllers say on this very broker; another one has its own permissions.
  const signalTopics = profile.signals.flatMap(({ source }) =>
    source.kind === 'mqtt' && source.broker === undefined ? [source.topic] : [],
  );
  const acl = { role: 'node', site, node, signalTopics } as const;
  if (ports.upload === undefined) {
    const users = [
      { name: node, password: secrets.nodePassword, acl },
      { name: INGESTOR_USER, password: secrets.ingestorPassword, acl: { role: 'ingestor' } as const },
    ];
    return { port: ports.broker, users };
  }
  const identityDir = join(paths.broker, 'identity');
  const tls = { host: '127.0.0.1', port: ports.broker, identityDir };
  return { users: [], tls: signalTopics.length === 0 ? tls : { ...tls, signalListeners: [acl] } };
}

/**
 * Writes what the parts read: the broker's configuration and the effective profile.
 * @throws NgatuError DISK_FULL, PERMISSION_DENIED
 */
export function writeStartFiles(
  paths: StartPaths,
  options: { profile: GatewayProfile; ports: StartPorts; secrets: StartSecrets },
): void {
  const { profile } = options;
  const broker = renderMosquittoConfig({
    dataDir: paths.broker,
    ...describeListeners(paths, options),
    // Changing to another account would clear the signal that ends the broker with its supervisor.
    ...(process.getuid?.() === 0 ? { runAs: 'root' } : {}),
  });
  try {
    for (const folder of [paths.run, paths.broker, paths.cloud, paths.edge, paths.camera]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600 });
    write(paths.brokerConfig, broker.config);
    write(broker.passwordPath, broker.passwordFile);
    write(broker.aclPath, broker.aclFile);
    write(paths.profile, `# Made by ngatu start.\n${formatProfile(profile)}`);
  } catch (error) {
    throw asStorageError(error, `write to the data folder ${paths.data}`);
  }
}
