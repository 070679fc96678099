import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, type GatewayProfile, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import { AgentFever, type FeverGateConfig } from './agent-fever.ts';
import { MASK_ASSETS, type MaskConfig, runMasks } from './agent-masks.ts';
import { AgentNetworks, type NetworkSource } from './agent-networks.ts';
import { AgentSensors } from './agent-sensors.ts';
import { EvidenceFiles } from './evidence/evidence-files.ts';
import { RoadUserLog } from './evidence/road-user-sight.ts';
import { CHAIN_MARK, EvidenceSealer } from './evidence/seal-chain.ts';
import { SegmentRing } from './evidence/segment-ring.ts';
import { Outbox } from './outbox/outbox.ts';
import { type CameraConfig, CameraWorker } from './pipeline/camera-worker.ts';
import { runDeliveryReport, runEvidenceBudget } from './pipeline/delivery-report.ts';
import { DetectorSeat, type DetectorSource } from './pipeline/detector-seat.ts';
import {
  type EvidenceWorkerOptions,
  runEvidenceRetention,
  runEvidenceWorker,
} from './pipeline/evidence-worker.ts';
import { limitScene } from './pipeline/limit-scene.ts';
import { type Reloadable, runReloads } from './pipeline/model-seat.ts';
import { PictureProcess, type PictureProgram } from './pipeline/picture-process.ts';
import type { SharedDetector } from './pipeline/shared-detector.ts';
import { type SignalSourceConfig, SignalSources } from './pipeline/signal-sources.ts';
import type { SensorConfig } from './sensor/sensor-sample.ts';
import type { BrokerAddress } from './uplink/broker-connection.ts';
import { ByteAccount } from './uplink/byte-account.ts';
import { DirectiveBook } from './uplink/directive-book.ts';
import { EvidenceUpload } from './uplink/evidence-upload.ts';
import { runUplink } from './uplink/uplink.ts';

/** What one agent runs: a profile with its scenes loaded, its secrets resolved and its model found. */
export interface AgentConfig {
  readonly site: string;
  readonly node: string;
  readonly version: string;
  /** Everything that must survive a restart lies here. */
  readonly dataDir: string;
  /** Folder of the node's keys and certificates. */
  readonly identityDir: string;
  readonly broker: BrokerAddress;
  readonly upload: {
    readonly url: string;
    readonly token?: string;
    readonly budget: GatewayProfile['upload']['budget'];
    /** Folder of the identity that is shown to an `https://` address. */
    readonly identityDir?: string;
  };
  /** Asked at the start, and again with every reload. */
  readonly detector: DetectorSource;
  /** Which networks are used beside it; asked as often. */
  readonly networks: NetworkSource;
  readonly outbox: GatewayProfile['outbox'];
  readonly evidence: GatewayProfile['evidence'];
  /** The process that makes the pictures of an event, and reads plates. */
  readonly pictures: PictureProgram;
  /** Whether the plates of flagged road users are read, and in how many pictures at most. */
  readonly plates: Pick<GatewayProfile['plates'], 'read' | 'frames'>;
  readonly cameras: readonly CameraConfig[];
  /** Sources of signal phases beside the lamps. */
  readonly signals: readonly SignalSourceConfig[];
  /** Devices that measure something beside the cameras. */
  readonly sensors: readonly SensorConfig[];
  /** Gates at which people are screened for fever. */
  readonly feverGates: readonly FeverGateConfig[];
  /** Path of the program that each of them runs in a thread: the built `thermal-program.ts`. */
  readonly thermalProgram: string;
  /** Cameras on which mask wearing is watched. */
  readonly masks: MaskConfig;
}

/** Kept of one camera's compressed stream at most, bytes; the duration of the profile is usually the nearer bound. */
const RING_MAX_BYTES = 2 * 1024 ** 3;
const SEGMENT_MS = 2_000;

const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const SHARED = { clock: CLOCK, random: Math.random };

/**
 * Runs the edge agent of one gateway until the signal. A camera that fails keeps trying and leaves the others alone; a
 * failure of the disk or of the code ends the process, and its supervisor starts it again.
 * @param given.detector where it fails at the start, the last model that worked serves; see `DetectorSeat`
 * @param deps.onReady called when the first frame of any camera was analysed
 * @param deps.reloads says when the sources of the models are to be asked again, until its signal
 * @throws NgatuError MODEL_INVALID, MODEL_DIGEST_MISMATCH, FILE_UNREADABLE, IDENTITY_INVALID, OUTBOX_LOCKED, PERMISSION_DENIED,
 *   DISK_FULL
 */
export async function runAgent(
  given: AgentConfig,
  deps: { logger: Logger; onReady: () => void; reloads?: (signal: AbortSignal) => AsyncIterable<unknown> },
  signal: AbortSignal,
): Promise<void> {
  const { logger } = deps;
  const stateDir = join(given.dataDir, 'state');
  await makeFolder(stateDir);
  const { site, node, identityDir } = given;
  const sealer = await EvidenceSealer.open({ dir: identityDir, site, node, logger });
  using outbox = Outbox.open({
    file: join(given.dataDir, 'outbox.sqlite'),
    maxBytes: given.outbox.maxBytes,
    origin: { site, node },
    clock: CLOCK,
    logger,
    // A manifest that a breaking disk took back may stand in the chain at the centre.
    fragileMarks: [CHAIN_MARK],
  }).outbox;
  const seat = await DetectorSeat.open({
    ...{ site, node, outbox, clock: CLOCK, logger, source: given.detector },
    file: join(stateDir, 'detector.json'),
  });
  const { detector } = seat;
  const cameras = given.cameras.map((camera) => ({ ...camera, scene: limitScene(camera.scene, seat) }));
  const config = { ...given, cameras };
  using pictures = new PictureProcess({
    program: config.pictures,
    logger,
    onProblem: (problem) => networks.lose(problem),
  });
  await using networks = await AgentNetworks.open({
    ...{ site, node, outbox, clock: CLOCK, logger, source: given.networks, pictures },
  });
  const files = await EvidenceFiles.open(join(config.dataDir, 'evidence'));
  const rings = await openRings(config, logger);
  const watch = openWatch(config, {
    detector,
    networks,
    outbox,
    rings,
    stateDir,
    logger,
    onReady: deps.onReady,
  });
  const evidence = {
    ...{ files, sealer, rings, pictures, roadUsers: watch.roadUsers },
    ...describePlates(config, networks, pictures),
  };
  try {
    await runTogether(
      [
        () => detector.opened,
        ...(deps.reloads === undefined ? [] : [listenForReloads([seat, networks], deps.reloads)]),
        (stop) => networks.run(stop),
        ...watch.tasks,
        ...listEvidenceTasks(config, networks, { ...evidence, outbox, logger }),
        ...listCentreTasks(config, { files, outbox, seat, networks, directives: watch.directives, logger }),
      ],
      signal,
    );
  } finally {
    await Promise.allSettled([...rings.values()].map((ring) => ring.close()));
    await detector.close();
  }
}

type Task = (signal: AbortSignal) => Promise<void>;

function listenForReloads(
  places: readonly Reloadable[],
  reloads: (signal: AbortSignal) => AsyncIterable<unknown>,
): Task {
  return (stop) => runReloads(places, reloads(stop), stop);
}

interface WatchParts {
  readonly detector: SharedDetector;
  readonly networks: AgentNetworks;
  readonly outbox: Outbox;
  readonly rings: ReadonlyMap<string, SegmentRing>;
  readonly stateDir: string;
  readonly logger: Logger;
  readonly onReady: () => void;
}

/** The cameras with what they know beside their pictures. */
function openWatch(config: AgentConfig, { logger, onReady, ...parts }: WatchParts) {
  const { site, node, version, broker } = config;
  const file = join(parts.stateDir, 'directives.json');
  const directives = DirectiveBook.open({ file, clock: CLOCK, logger });
  const signals = new SignalSources({ configs: config.signals, broker, site, node, logger, ...SHARED });
  const { feverGates: gates, thermalProgram } = config;
  const fever = new AgentFever({
    ...{ ...parts, gates, thermalProgram, site, node, logger, ...SHARED },
    eyeModel: parts.networks.eye,
  });
  const sensors = new AgentSensors({
    ...parts,
    sensors: config.sensors,
    site,
    node,
    logger,
    ...SHARED,
    onFigures: (figures) => fever.noteSensors(figures),
  });
  const roadUsers = new Map<string, RoadUserLog>();
  const workers = config.cameras.map((camera) => {
    const ring = parts.rings.get(camera.name);
    if (ring === undefined) throw new RangeError(`no ring for camera "${camera.name}"`);
    const seen = new RoadUserLog();
    roadUsers.set(camera.name, seen);
    return new CameraWorker({
      ...{ ...parts, site, node, version, camera, ring, signals, roadUsers: seen, ...SHARED },
      nets: parts.networks.frameNets,
      directivesAt: (name, capturedAtMs) => directives.at(name, capturedAtMs),
      logger: logger.child({ camera: camera.name }),
      onFirstFrame: onceReady(onReady),
      onTelemetry: (telemetry) => sensors.noteCamera(telemetry),
    });
  });
  const tasks: Task[] = [
    ...workers.map(
      (worker): Task =>
        (stop) =>
          worker.run(stop),
    ),
    (stop) => signals.run(stop),
    (stop) => sensors.run(stop),
    (stop) => fever.run(stop),
  ];
  return { tasks, directives, roadUsers };
}

type EvidenceParts = Pick<
  EvidenceWorkerOptions,
  'outbox' | 'files' | 'sealer' | 'rings' | 'pictures' | 'plates' | 'roadUsers' | 'logger'
>;

function describePlates(
  { plates }: AgentConfig,
  networks: AgentNetworks,
  desk: PictureProcess,
): Pick<EvidenceWorkerOptions, 'plates'> {
  if (!plates.read) return {};
  return {
    plates: () => (networks.readsPlates ? { desk, maxFrames: plates.frames } : 'model-missing'),
  };
}

function listEvidenceTasks(
  { site, node, version, evidence, masks }: AgentConfig,
  networks: AgentNetworks,
  parts: EvidenceParts,
): Task[] {
  const options = { ...parts, site, node, evidence, clock: CLOCK };
  const { outbox, logger } = parts;
  return [
    (stop) => runEvidenceWorker(options, stop),
    (stop) => runEvidenceRetention(options, stop),
    (stop) => runEvidenceBudget({ outbox, maxBytes: evidence.maxBytes, logger }, stop),
    (stop) =>
      runMasks(
        masks,
        {
          ...{ site, node, version, outbox, evidence: parts, logger, ...SHARED },
          networks: networks.masks(MASK_ASSETS),
        },
        stop,
      ),
  ];
}

interface CentreParts {
  readonly files: EvidenceFiles;
  readonly outbox: Outbox;
  readonly seat: DetectorSeat;
  readonly networks: AgentNetworks;
  readonly directives: DirectiveBook;
  readonly logger: Logger;
}

/** What carries messages and files to the centre, and tells what it cost. */
function listCentreTasks(
  config: AgentConfig,
  { files, outbox, seat, networks, directives, logger }: CentreParts,
): Task[] {
  const { site, node, version, broker, upload, evidence } = config;
  const cameras = config.cameras.map(({ name }) => name);
  const account = new ByteAccount();
  const uploads = new EvidenceUpload({
    ...{ queue: outbox, site, node, ...upload, retentionDays: evidence.retentionDays, logger, ...SHARED },
    locate: (sha256) => files.path(sha256),
  });
  const uplink = {
    outbox,
    broker,
    site,
    node,
    cameras,
    version,
    directives,
    account,
    detector: seat,
    networks,
    logger,
  };
  return [
    (stop) => runDeliveryReport({ site, node, outbox, account, uploads, clock: CLOCK, logger }, stop),
    (stop) => runUplink({ ...uplink, requests: uploads, ...SHARED }, stop),
    (stop) => uploads.run(stop),
  ];
}

/** Runs all until the signal; where one fails, the others are stopped and its error is thrown. */
async function runTogether(
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(both);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
    }),
  );
  if (failure !== undefined && !signal.aborted) throw failure.error;
}

async function openRings(config: AgentConfig, logger: Logger): Promise<Map<string, SegmentRing>> {
  const rings = new Map<string, SegmentRing>();
  for (const { name, ringDurationMs } of config.cameras) {
    const ring = await SegmentRing.open({
      dir: join(config.dataDir, 'ring', name),
      maxDurationMs: ringDurationMs,
      maxBytes: RING_MAX_BYTES,
      segmentMs: SEGMENT_MS,
      log: logger.child({ camera: name }),
    });
    rings.set(name, ring);
  }
  return rings;
}

function onceReady(onReady: () => void): () => void {
  let said = false;
  return () => {
    if (said) return;
    said = true;
    onReady();
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new NgatuError('PERMISSION_DENIED', `Cannot make ${path}: ${errorMessage(cause)}`, { cause });
  }
}
