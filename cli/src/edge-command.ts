import { join, resolve } from 'node:path';
import { type CameraProfile, type GatewayProfile, NgatuError } from '@ngatu/contract';
import { type AgentConfig, type CameraConfig, runAgent } from '@ngatu/edge';
import { loadProfile, type ProfileFile, resolveSecret } from '@ngatu/firmware-config';
import { AssetStore } from '@ngatu/models';
import { Command } from 'commander';
import type { Logger } from 'pino';
import { openLogger } from './logger.ts';
import { buildMasks } from './mask-config.ts';
import { describeDetector, limitScene } from './model-option.ts';
import { runPart } from './part-process.ts';
import { PRODUCT_VERSION } from './product-version.ts';
import { buildSensors } from './sensor-config.ts';

interface EdgeOptions {
  readonly profile: string;
  readonly data: string;
}

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
    const config = await buildAgentConfig(file, resolve(options.data), { logger, signal });
    await runAgent(config, { logger, onReady: ready }, signal);
  });
}

async function buildAgentConfig(
  file: ProfileFile,
  dataDir: string,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<AgentConfig> {
  const { profile, scenes } = file;
  const { model: name, minConfidence, threads } = profile.detector;
  const identityDir = resolve(profile.identity?.folder ?? join(dataDir, 'identity'));
  const model = await new AssetStore().resolveModel(name, { signal });
  const cameras = profile.cameras.map((camera) => {
    const built = buildCamera(camera, scenes);
    return { ...built, scene: limitScene(built.scene, model) };
  });
  return {
    site: profile.site,
    node: profile.node,
    version: PRODUCT_VERSION,
    dataDir,
    identityDir,
    broker: certify(buildBroker(profile.broker), identityDir),
    upload: certify(buildUpload(profile.upload), identityDir),
    detector: describeDetector(model, { minConfidence, threads }),
    outbox: profile.outbox,
    evidence: profile.evidence,
    pictures: {
      program: { module: process.argv[1] ?? '', args: ['pictures'] },
      models: await findBlurModels(profile.privacy, logger, signal),
    },
    signals: profile.signals.map(buildSignal),
    sensors: buildSensors(file),
    feverGates: profile.feverGates.map(buildFeverGate),
    masks: await buildMasks(profile, cameras, { logger, signal }),
    cameras,
  };
}

/**
 * What finds faces and plates, as far as it can be had. Without it the agent runs all the same, and blurs whole road users.
 */
async function findBlurModels(
  { faceModel, plateModel }: GatewayProfile['privacy'],
  logger: Logger,
  signal: AbortSignal,
): Promise<AgentConfig['pictures']['models']> {
  const store = new AssetStore();
  const find = async (name: string | undefined) => {
    if (name === undefined) return undefined;
    try {
      const { path, sha256 } = await store.resolve(name, { signal });
      return { name, path, sha256 };
    } catch (error) {
      if (!(error instanceof NgatuError) || error.code !== 'ASSET_UNAVAILABLE') throw error;
      logger.warn({ code: error.code, asset: name }, 'not supplied: whole road users are blurred instead');
      return undefined;
    }
  };
  const face = await find(faceModel);
  const plate = await find(plateModel);
  return { ...(face === undefined ? {} : { face }), ...(plate === undefined ? {} : { plate }) };
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
  ...gate
}: GatewayProfile['feverGates'][number]): AgentConfig['feverGates'][number] {
  if (input.kind !== 'mqtt') return { ...gate, input };
  const { password, ...rest } = input;
  return {
    ...gate,
    input: password === undefined ? rest : { ...rest, password: resolveSecret(password) },
  };
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
