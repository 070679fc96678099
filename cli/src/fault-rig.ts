import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type FaultDisk, type FaultPart, type FaultTarget, QUIET, RunFolder } from '@ngatu/benchmarks';
import type { GatewayProfile } from '@ngatu/contract';
import { loadProfile, type ProfileFile } from '@ngatu/firmware-config';
import { findRepositoryRoot } from '@ngatu/models';
import type { ChosenDemo } from './demo.ts';
import { FaultClock } from './fault-clock.ts';
import { LoopDisk } from './fault-disk.ts';
import { FaultLine } from './fault-relay.ts';
import { chooseFreePorts } from './port.ts';
import {
  buildEffectiveProfile,
  buildStartPaths,
  loadStartSecrets,
  type StartPaths,
  type StartPorts,
  writeStartFiles,
} from './start-files.ts';
import { listStartIdentities, prepareIdentities } from './start-identity.ts';
import { buildParts } from './start-parts.ts';
import { type PartEvent, type PartSpec, Supervisor } from './supervisor.ts';

export interface FaultRigOptions {
  readonly demo: ChosenDemo;
  /** Folder of the run; the caller owns it. */
  readonly data: string;
  /** Pictures a second that the agent looks at: as few as will do leave the machine to the faults. */
  readonly maxFps: number;
  readonly seed: number;
  readonly onEvent: (event: PartEvent) => void;
}

/** Name of the node that has no cameras. */
export const SECOND_NODE = 'gateway-2';
const DISK_BYTES = 3 * 1024 ** 3;
const NODE_EVERY_MS = 200;
const SHORT_CLIP = { beforeMs: 2_000, afterMs: 1_000 };
const NODE_READY_MS = 30_000;
/** A process waits before this gate until the file named first is gone, and then becomes what it is to be. */
const GATE = 'while [ -e "$0" ]; do sleep 0.02; done; exec "$@"';

/**
 * The product as `ngatu start` runs it (its parts, its files, its supervisor) with what a fault campaign needs in between: lines that can
 * be cut, disks that can be filled, clocks that can be set, gates that hold a part back, and a second node.
 */
export class FaultRig implements FaultTarget, AsyncDisposable {
  readonly folders: FaultTarget['folders'];
  readonly camera: string;
  readonly apiUrl: string;
  readonly journal: string;
  readonly links: { readonly uplink: FaultLine; readonly backbone: FaultLine };
  readonly disks: FaultTarget['disks'];
  readonly tracing: FaultTarget['tracing'];
  /** The profile that the agent runs, with its scene. */
  readonly profile: ProfileFile;
  readonly #paths: StartPaths;
  readonly #parts: Readonly<Record<FaultPart, PartSpec>>;
  readonly #controlPort: number;
  readonly #clocks: Partial<Record<FaultPart, FaultClock>>;
  readonly #mounted: readonly LoopDisk[];
  readonly #supervisor: Supervisor;

  private constructor(options: FaultRigOptions, built: BuiltRig) {
    const { paths, ports, parts, links, profile, disks, mounted, clocks } = built;
    this.#paths = paths;
    this.#parts = parts;
    this.#clocks = clocks;
    this.#mounted = mounted;
    this.#controlPort = built.controlPort;
    this.links = links;
    this.disks = disks;
    this.profile = profile;
    this.tracing = findTracer();
    this.camera = profile.profile.cameras[0]?.name ?? '';
    this.apiUrl = `http://127.0.0.1:${ports.console}`;
    this.journal = built.journal;
    this.folders = { edge: paths.edge, node: built.nodeFolder, cloud: paths.cloud, broker: paths.broker };
    this.#supervisor = new Supervisor({ folder: paths.run, onEvent: options.onEvent });
  }

  /** @throws NgatuError as `writeStartFiles` and `loadProfile` */
  static async open(options: FaultRigOptions): Promise<FaultRig> {
    return new FaultRig(options, await buildRig(options));
  }

  async start(signal: AbortSignal): Promise<void> {
    const { broker, ingestor, api, camera, edge, node } = this.#parts;
    for (const part of [broker, ingestor, camera, api, edge, node]) {
      signal.throwIfAborted();
      await this.#supervisor.start(part);
    }
  }

  stop(): Promise<void> {
    return this.#supervisor.stop();
  }

  pidOf(part: FaultPart): number | undefined {
    const pid = new RunFolder(this.#paths.run).pidOf(part);
    return pid !== undefined && isThroughGate(pid) ? pid : undefined;
  }

  holdStart(part: FaultPart): () => void {
    const gate = gateOf(this.#paths, part);
    writeFileSync(gate, '');
    return () => rmSync(gate, { force: true });
  }

  get setClock(): FaultTarget['setClock'] {
    if (Object.keys(this.#clocks).length === 0) return undefined;
    return (part, error = { offsetS: 0, rate: 1 }) => this.#clocks[part]?.set(error);
  }

  async tellCamera(path: string): Promise<void> {
    const url = `http://127.0.0.1:${this.#controlPort}${path}`;
    const { status } = await fetch(url, { method: 'POST' });
    if (status !== 204) throw new RangeError(`the camera does not know ${path}`);
  }

  quietNode(): void {
    writeFileSync(`${this.journal}${QUIET}`, '');
  }

  readLog(part: FaultPart): Record<string, unknown>[] {
    return new RunFolder(this.#paths.run).logOf(part);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor.stop();
    for (const line of Object.values(this.links)) await line[Symbol.asyncDispose]();
    for (const clock of Object.values(this.#clocks)) clock[Symbol.dispose]();
    for (const disk of this.#mounted) disk[Symbol.dispose]();
  }
}

interface BuiltRig {
  readonly paths: StartPaths;
  readonly ports: StartPorts;
  readonly controlPort: number;
  readonly parts: Readonly<Record<FaultPart, PartSpec>>;
  readonly links: FaultRig['links'];
  readonly profile: ProfileFile;
  readonly disks: FaultTarget['disks'];
  readonly mounted: readonly LoopDisk[];
  readonly clocks: Partial<Record<FaultPart, FaultClock>>;
  readonly nodeFolder: string;
  readonly journal: string;
}

async function buildRig({ demo, data, maxFps, seed }: FaultRigOptions): Promise<BuiltRig> {
  const found = await chooseFreePorts(6);
  const [broker = 0, ingestor = 0, upload = 0, camera = 0, console = 0, controlPort = 0] = found;
  const ports = { broker, ingestor, upload, camera, console };
  const mounts = {
    edge: LoopDisk.mount(join(data, 'node-disk'), { sizeBytes: DISK_BYTES }),
    cloud: LoopDisk.mount(join(data, 'centre-disk'), { sizeBytes: DISK_BYTES }),
  };
  const paths = {
    ...buildStartPaths(data),
    edge: join(data, 'node-disk', 'agent'),
    cloud: join(data, 'centre-disk', 'cloud'),
  };
  const nodeFolder = join(data, 'node-disk', 'second-node');
  for (const folder of [nodeFolder, paths.run]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const uplink = await FaultLine.open([broker, upload], seed);
  const backbone = await FaultLine.open([broker, ingestor], seed + 1);
  const [uplinkBroker = 0, uplinkUpload = 0] = uplink.ports;
  const [backboneBroker = 0, backboneIngestor = 0] = backbone.ports;
  const uplinkPorts = { ...ports, broker: uplinkBroker, upload: uplinkUpload };
  const second = { site: demo.profile.profile.site, node: SECOND_NODE };
  await prepareIdentities(paths.authority, [
    ...listStartIdentities(paths, demo.profile.profile),
    { holder: { kind: 'node', ...second }, dir: join(nodeFolder, 'identity'), hosts: [] },
  ]);
  const secrets = loadStartSecrets(paths);
  const effective = buildEffectiveProfile({ source: demo.profile, model: demo.model, ports: uplinkPorts });
  const scenePath = join(paths.run, 'scene.yaml');
  writeStartFiles(paths, { profile: thinProfile(effective, scenePath), ports, secrets });
  writeThinScene(scenePath, demo.profile, maxFps);
  const profile = await loadProfile(paths.profile);
  const variants = await makeVariants(demo.videoPath, paths.camera);
  const { cameras } = demo;
  const own = buildParts({ paths, ports, secrets, cameras });
  const centre = {
    ingestor: buildParts({ paths, ports: { ...ports, broker: backboneBroker }, secrets, cameras }).ingestor,
    api: buildParts({ paths, ports: { ...ports, ingestor: backboneIngestor }, secrets, cameras }).api,
  };
  const journal = join(data, 'journal.txt');
  const clocks = openClocks(paths);
  const specs: Record<FaultPart, PartSpec> = {
    broker: own.broker,
    ...centre,
    edge: own.edge,
    camera: { ...own.camera, args: [...own.camera.args, `--control=${controlPort}`, ...variants] },
    node: describeSecondNode({
      ...{ site: second.site, folder: nodeFolder, journal },
      broker: `mqtts://127.0.0.1:${uplinkBroker}`,
    }),
  };
  const parts = { ...specs };
  for (const name of Object.keys(specs) as FaultPart[]) parts[name] = gated(specs[name], paths, clocks[name]);
  const mounted = Object.values(mounts).flatMap((disk) => (disk instanceof LoopDisk ? disk : []));
  return {
    ...{ paths, ports, controlPort, parts, profile, mounted, clocks, nodeFolder, journal },
    links: { uplink, backbone },
    disks: pairDisks(mounts),
  };
}

function pairDisks(mounts: Record<'edge' | 'cloud', LoopDisk | { missing: string }>): FaultTarget['disks'] {
  const { edge, cloud } = mounts;
  if ('missing' in edge) return edge;
  if ('missing' in cloud) return cloud;
  return { edge: edge satisfies FaultDisk, cloud };
}

function openClocks({ run }: StartPaths): Partial<Record<FaultPart, FaultClock>> {
  const clocks: Partial<Record<FaultPart, FaultClock>> = {};
  for (const part of ['edge', 'ingestor'] as const) {
    const clock = FaultClock.open(join(run, `${part}.clock`));
    if (clock !== undefined) clocks[part] = clock;
  }
  return clocks;
}

/** The scene at fewer pictures a second, and less of it in the evidence: blurring is most of what a case costs. */
function thinProfile(profile: GatewayProfile, scene: string): GatewayProfile {
  const evidence = { ...profile.evidence, ...SHORT_CLIP };
  return { ...profile, evidence, cameras: profile.cameras.map((camera) => ({ ...camera, scene })) };
}

function writeThinScene(path: string, { scenes }: ProfileFile, maxFps: number): void {
  const [found] = scenes.values();
  if (found === undefined) throw new RangeError('the profile of the demonstration has no camera');
  const { scene } = found;
  // Every JSON text is YAML.
  writeFileSync(path, JSON.stringify({ ...scene, analysis: { ...scene.analysis, maxFps } }));
}

function describeSecondNode(options: {
  site: string;
  folder: string;
  journal: string;
  broker: string;
}): PartSpec {
  const { site, folder, journal, broker } = options;
  return {
    name: 'node',
    program: process.execPath,
    args: [
      ...['--enable-source-maps', join(findRepositoryRoot(), 'dist', 'ngatu.mjs'), 'faults', 'node'],
      ...[`--site=${site}`, `--node=${SECOND_NODE}`, `--broker=${broker}`, `--data=${folder}`],
      ...[`--journal=${journal}`, `--every=${NODE_EVERY_MS}`],
    ],
    ready: 'ipc',
    readyTimeoutMs: NODE_READY_MS,
  };
}

/** The clip in another codec and in another size, short: what the camera shows while it is set up wrongly. */
async function makeVariants(video: string, folder: string): Promise<string[]> {
  const encodings = {
    codec: [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'bframes=0:log-level=error',
      '-tag:v',
      'hvc1',
    ],
    size: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-vf', 'scale=320:240'],
  };
  return Promise.all(
    Object.entries(encodings).map(async ([name, encoding]) => {
      const file = join(folder, `${name}.mp4`);
      const input = ['-nostdin', '-v', 'error', '-y', '-i', video, '-t', '10', '-an'];
      await promisify(execFile)('ffmpeg', [...input, ...encoding, '-g', '25', '-pix_fmt', 'yuv420p', file]);
      return `--variant=${name}=${file}`;
    }),
  );
}

function gateOf({ run }: StartPaths, part: FaultPart): string {
  return join(run, `${part}.gate`);
}

function gated(spec: PartSpec, paths: StartPaths, clock: FaultClock | undefined): PartSpec {
  return {
    ...spec,
    program: 'sh',
    args: ['-c', GATE, gateOf(paths, spec.name as FaultPart), spec.program, ...spec.args],
    env: { ...spec.env, ...clock?.env },
  };
}

/** False for one that is gone, and for one that still waits before its gate. */
function isThroughGate(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return name !== 'sh' && stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    // No such process.
    return false;
  }
}

function findTracer(): FaultTarget['tracing'] {
  const program = ['/usr/bin/strace', '/bin/strace'].find((path) => existsSync(path));
  return program === undefined ? { missing: 'strace is not installed' } : { program };
}
