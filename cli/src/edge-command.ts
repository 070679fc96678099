import { on } from 'node:events';
import { dirname, join, resolve } from 'node:path';
import { type CameraProfile, type GatewayProfile, NgatuError } from '@ngatu/contract';
import { type AgentConfig, type CameraConfig, runAgent } from '@ngatu/edge';
import { loadProfile, type ProfileFile, resolveSecret } from '@ngatu/firmware-config';
import { AssetStore } from '@ngatu/models';
import { Command } from 'commander';
import type { Logger } from 'pino';
import { openLogger } from './logger.ts';
import { buildMasks } from './mask-config.ts';
import { describeDetector } from './model-option.ts';
import { runPart } from './part-process.ts';
import { PRODUCT_VERSION } from './product-version.ts';
import { buildSensors } from './sensor-config.ts';
import { findSmallNets } from './small-net-option.ts';

interface EdgeOptions {
  readonly profile: string;
  readonly data: string;
}

/** Finds faces with five landmarks. */
const EYE_MODEL = 'yunet-n-640';

/** `ngatu edge`: the agent of one gateway. */
export function buildCommand(): Command {
  return new Command('edge')
    .description('Watches the cameras of a gateway profile, and sends what it finds to the centre.')
    .requiredOption('--profile <file>', 'gateway profile (firmware-config/profiles)')
    .requiredOption('--data <folder>', 'folder of the outbox, the compressed ring and the evidence')
    .addHelpText('after', '\nSecrets come from the environment variables that the profile names.')
    .action(watch);
}

function watch(options: EdgeOptions): Promise<void> {
  return runPart(async ({ signal, ready }) => {
    const file = await loadProfile(options.profile);
    const logger = openLogger('edge');
    const config = await buildAgentConfig(options.profile, file, resolve(options.data), { logger, signal });
    await runAgent(config, { logger, onReady: ready, ...listenForReloads() }, signal);
  });
}

/** SIGHUP asks for the model of the profile again; at a terminal it ends the agent, as everybody expects. */
function listenForReloads(): Pick<Parameters<typeof runAgent>[1], 'reloads'> {
  if (process.stdin.isTTY) return {};
  return { reloads: (signal) => on(process, 'SIGHUP', { signal }) };
}

/** The detector that the profile file names now. */
async function findDetector(path: string, signal: AbortSignal): ReturnType<AgentConfig['detector']> {
  const { profile } = await loadProfile(path);
  const { model: name, minConfidence, threads } = profile.detector;
  const model = await new AssetStore().resolveModel(name, { signal });
  return describeDetector(model, { minConfidence, threads });
}

async function buildAgentConfig(
  path: string,
  file: ProfileFile,
  dataDir: string,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<AgentConfig> {
  const { profile, scenes } = file;
  const identityDir = resolve(profile.identity?.folder ?? join(dataDir, 'identity'));
  const cameras = profile.cameras.map((camera) => buildCamera(camera, scenes));
  return {
    site: profile.site,
    node: profile.node,
    version: PRODUCT_VERSION,
    dataDir,
    identityDir,
    broker: certify(buildBroker(profile.broker), identityDir),
    upload: certify(buildUpload(profile.upload), identityDir),
    detector: () => findDetector(path, signal),
    outbox: profile.outbox,
    evidence: profile.evidence,
    pictures: {
      program: { module: process.argv[1] ?? '', args: ['pictures'] },
      models: await findPictureModels(profile, logger, signal),
    },
    plates: profile.plates,
    smallNets: await findSmallNets(profile.smallNets, logger, signal),
    signals: profile.signals.map(buildSignal),
    sensors: buildSensors(file),
    feverGates: profile.feverGates.map(buildFeverGate),
    thermalProgram: join(dirname(process.argv[1] ?? ''), 'thermal-program.mjs'),
    eyeModel: await findEyeModel(profile, logger, signal),
    masks: await buildMasks(profile, cameras, { logger, signal }),
    cameras,
  };
}

/**
 * What finds faces and plates to blur, and what reads the plates of flagged road users, as far as it can be had. Without it the agent
 * runs all the same, blurs whole road users and says of each case that no plate was read.
 */
async function findPictureModels(
  { privacy: { faceModel, plateModel }, plates }: GatewayProfile,
  logger: Logger,
  signal: AbortSignal,
): Promise<AgentConfig['pictures']['models']> {
  const store = new AssetStore();
  const find = async (name: string | undefined, without: string) => {
    if (name === undefined) return undefined;
    try {
      const { path, sha256 } = await store.resolve(name, { signal });
      return { name, path, sha256 };
    } catch (error) {
      if (!(error instanceof NgatuError) || error.code !== 'ASSET_UNAVAILABLE') throw error;
      logger.warn({ code: error.code, asset: name }, `not supplied: ${without}`);
      return undefined;
    }
  };
  const face = await find(faceModel, 'whole road users are blurred instead');
  const plate = await find(plateModel, 'whole road users are blurred instead');
  const detector = plates.read ? await find(plates.detectorModel, 'no plate is read') : undefined;
  const readers = [];
  for (const name of plates.read ? plates.readerModels : []) {
    const reader = await find(name, 'plates are read without it');
    if (reader !== undefined) readers.push(reader);
  }
  return {
    ...(face === undefined ? {} : { face }),
    ...(plate === undefined ? {} : { plate }),
    ...(detector !== undefined && readers.length > 0 ? { reading: { detector, readers } } : {}),
  };
}

/** Over TLS the node shows who it is, and asks the same of the other side. */
function certify<T extends { readonly url: string }>(address: T, identityDir: string): T {
  return /^(mqtts|https):/.test(address.url) ? { ...address, identityDir } : address;
}

function buildUpload({ url, token, budget }: GatewayProfile['upload']): AgentConfig['upload'] {
  return { url, budget, ...(token === undefined ? {} : { token: resolveSecret(token) }) };
}

/** A broker of the profile with its secret. */
function buildBroker({ url, username, password }: GatewayProfile['broker']): AgentConfig['broker'] {
  return {
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: resolveSecret(password) }),
  };
}

function buildSignal({
  source,
  ...signal
}: GatewayProfile['signals'][number]): AgentConfig['signals'][number] {
  if (source.kind === 'input') return { ...signal, source };
  const { broker, ...rest } = source;
  return { ...signal, source: broker === undefined ? rest : { ...rest, broker: buildBroker(broker) } };
}

function buildFeverGate({
  input,
  visible,
  ...gate
}: GatewayProfile['feverGates'][number]): AgentConfig['feverGates'][number] {
  return {
    ...gate,
    input: input.kind === 'mqtt' ? withSecret(input) : input,
    ...(visible === undefined ? {} : { visible: withSecret(visible) }),
  };
}

function withSecret<T extends { readonly password?: { readonly env: string } }>({
  password,
  ...rest
}: T): Omit<T, 'password'> & { readonly password?: string } {
  return password === undefined ? rest : { ...rest, password: resolveSecret(password) };
}

/** What finds the eyes at gates with a visible camera. Without it they find the canthi by temperature alone. */
async function findEyeModel(
  { feverGates }: GatewayProfile,
  logger: Logger,
  signal: AbortSignal,
): Promise<AgentConfig['eyeModel']> {
  if (feverGates.every(({ visible }) => visible === undefined)) return undefined;
  try {
    const { path, sha256 } = await new AssetStore().resolve(EYE_MODEL, { signal });
    return { name: EYE_MODEL, path, sha256 };
  } catch (error) {
    if (!(error instanceof NgatuError) || error.code !== 'ASSET_UNAVAILABLE') throw error;
    logger.warn(
      { code: error.code, asset: EYE_MODEL },
      'not supplied: visible cameras of gates are not watched',
    );
    return undefined;
  }
}

function buildCamera(camera: CameraProfile, scenes: ProfileFile['scenes']): CameraConfig {
  const scene = scenes.get(camera.name);
  if (scene === undefined) throw new RangeError(`no scene was loaded for camera "${camera.name}"`);
  const { name, url, username, password, stallTimeoutMs, ringDurationMs } = camera;
  return {
    ...{ name, url, stallTimeoutMs, ringDurationMs, scene: scene.scene, sceneSha256: scene.sha256 },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: resolveSecret(password) }),
  };
}
