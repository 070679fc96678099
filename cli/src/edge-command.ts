import { on } from 'node:events';
import { dirname, join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { CameraProfile, GatewayProfile } from '@ngatu/contract';
import { type AgentConfig, type CameraConfig, runAgent } from '@ngatu/edge';
import { loadProfile, type ProfileFile, resolveSecret } from '@ngatu/firmware-config';
import { AssetStore } from '@ngatu/models';
import { Command } from 'commander';
import { openLogger } from './logger.ts';
import { buildMasks } from './mask-config.ts';
import { describeDetector } from './model-option.ts';
import { listNetworks } from './network-option.ts';
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

/**
 * How much the heap may grow between two collections. V8 chooses a tenth where little is allocated, and then marks the whole heap twice a second,
 * on threads of its own: with one camera that was a quarter of the agent's CPU time (27.7 s of a minute before, 21.0 s after, 22 MB more memory).
 */
const HEAP_GROWTH_PERCENT = 100;

function watch(options: EdgeOptions): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  return runPart(async ({ signal, ready }) => {
    const file = await loadProfile(options.profile);
    const logger = openLogger('edge');
    const config = buildAgentConfig(options.profile, file, resolve(options.data), signal);
    await runAgent(config, { logger, onReady: ready, ...listenForReloads() }, signal);
  });
}

/** SIGHUP asks for the models of the profile again; at a terminal it ends the agent, as everybody expects. */
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

function buildAgentConfig(
  path: string,
  file: ProfileFile,
  dataDir: string,
  signal: AbortSignal,
): AgentConfig {
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
    networks: () => listNetworks(path, signal),
    outbox: profile.outbox,
    evidence: profile.evidence,
    pictures: { module: process.argv[1] ?? '', args: ['pictures'] },
    plates: profile.plates,
    signals: profile.signals.map(buildSignal),
    sensors: buildSensors(file),
    feverGates: profile.feverGates.map(buildFeverGate),
    thermalProgram: join(dirname(process.argv[1] ?? ''), 'thermal-program.mjs'),
    masks: buildMasks(profile, cameras),
    cameras,
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
