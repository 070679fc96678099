import { resolve } from 'node:path';
import type { CameraProfile, GatewayProfile } from '@ngatu/contract';
import { type AgentConfig, type CameraConfig, runAgent } from '@ngatu/edge';
import { loadProfile, type ProfileFile, resolveSecret } from '@ngatu/firmware-config';
import { AssetStore } from '@ngatu/models';
import { Command } from 'commander';
import { openLogger } from './logger.ts';
import { describeDetector, limitScene } from './model-option.ts';
import { runPart } from './part-process.ts';
import { PRODUCT_VERSION } from './product-version.ts';

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
    const config = await buildAgentConfig(file, resolve(options.data), signal);
    await runAgent(config, { logger: openLogger('edge'), onReady: ready }, signal);
  });
}

async function buildAgentConfig(
  { profile, scenes }: ProfileFile,
  dataDir: string,
  signal: AbortSignal,
): Promise<AgentConfig> {
  const { model: name, minConfidence, threads } = profile.detector;
  const model = await new AssetStore().resolveModel(name, { signal });
  return {
    site: profile.site,
    node: profile.node,
    version: PRODUCT_VERSION,
    dataDir,
    broker: buildBroker(profile.broker),
    upload: { url: profile.upload.url, token: resolveSecret(profile.upload.token) },
    detector: describeDetector(model, { minConfidence, threads }),
    outbox: profile.outbox,
    evidence: profile.evidence,
    signals: profile.signals.map(buildSignal),
    cameras: profile.cameras.map((camera) => {
      const built = buildCamera(camera, scenes);
      return { ...built, scene: limitScene(built.scene, model) };
    }),
  };
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
