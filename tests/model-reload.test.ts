import { createHash } from 'node:crypto';
import { EventEmitter, on } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findSchemaIssues, NgatuError, NodeState, parseWithSchema, UploadBudget } from '@ngatu/contract';
import { type AgentConfig, runAgent } from '@ngatu/edge';
import { createAuthority, issueNodeIdentity } from '@ngatu/trust';
import { connectAsync } from 'mqtt';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NetworkSource } from '../edge/src/agent-networks.ts';
import type { NetworkFile } from '../edge/src/model/model-file.ts';
import { aCarriedNetwork } from '../edge/src/testing/carried-network.ts';
import { aYoloxManifest, aYoloxModel } from '../edge/src/testing/yolox-model.ts';
import { INGESTOR_USER, LoopbackBroker, NODE_USER, until } from './delivery/loopback-broker.ts';
import { NODE, SITE } from './delivery/message-builder.ts';

const BUDGET = parseWithSchema(UploadBudget, {}, { code: 'PROFILE_INVALID', what: 'a budget' });

let folder: string;
let broker: LoopbackBroker;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-reload-'));
  broker = await LoopbackBroker.start(folder);
  const authority = await createAuthority(join(folder, 'authority'), { name: 'Test' });
  await issueNodeIdentity(authority, { site: SITE, node: NODE, dir: join(folder, 'identity') });
});
afterAll(async () => {
  await broker.kill();
  rmSync(folder, { recursive: true, force: true });
});

const aDetector = (name: string, classes: number): ReturnType<AgentConfig['detector']> => {
  const bytes = aYoloxModel({ classes });
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const manifest = aYoloxManifest({ name, classes, sha256, sizeBytes: bytes.length });
  return Promise.resolve({ manifest, file: { path, sha256 }, minConfidence: 0.1, threads: 1 });
};

/** A gateway without cameras: its models, its uplink and its state. */
function aConfig(
  detector: AgentConfig['detector'],
  networks: AgentConfig['networks'] = async () => [],
): AgentConfig {
  return {
    ...{ site: SITE, node: NODE, version: '1.0.0', dataDir: join(folder, 'data') },
    ...{ detector, networks },
    identityDir: join(folder, 'identity'),
    broker: { url: broker.url, username: NODE_USER.name, password: NODE_USER.password },
    upload: { url: 'http://127.0.0.1:1', budget: BUDGET },
    outbox: { maxBytes: 10_000_000 },
    evidence: { beforeMs: 0, afterMs: 0, retentionDays: 1, maxBytes: 200_000_000, stillOffsetMs: 100 },
    pictures: { module: '', args: [] },
    plates: { read: false, frames: 1 },
    ...{ cameras: [], signals: [], sensors: [], feverGates: [], thermalProgram: '', masks: { cameras: [] } },
  };
}

/** A node whose models are asked for again at each ring, and what it says about itself at the broker. */
async function runNode(config: AgentConfig) {
  const states: NodeState[] = [];
  const { name, password } = INGESTOR_USER;
  const client = await connectAsync(broker.url, {
    username: name,
    password,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  client.on('message', (_, payload) => states.push(JSON.parse(payload.toString()) as NodeState));
  await client.subscribeAsync(`ngatu/v1/${SITE}/${NODE}/state`);

  const stop = new AbortController();
  const bell = new EventEmitter();
  const reloads = (signal: AbortSignal) => on(bell, 'reload', { signal });
  const deps = { logger: pino({ level: 'silent' }), onReady: () => undefined, reloads };
  const running = runAgent(config, deps, stop.signal);
  return {
    states,
    running,
    reload: () => bell.emit('reload'),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all([running, client.endAsync(true)]);
    },
  };
}

it('an agent that is told of another model says in its state which one serves, and why another does not', async () => {
  let source = () => aDetector('first', 1);
  await using node = await runNode(aConfig(() => source()));
  const { states, running, reload } = node;
  const model = () => states.at(-1)?.model;
  await Promise.race([running, until('the first model serves', () => model()?.name === 'first')]);

  source = () => aDetector('second', 8);
  reload();
  await until('the second model serves', () => model()?.name === 'second');
  expect(model()?.refused).toBeUndefined();

  source = () => Promise.reject(new NgatuError('MODEL_DIGEST_MISMATCH', 'another file'));
  reload();
  await until('the third is refused', () => model()?.refused !== undefined);
  expect(model()).toMatchObject({
    name: 'second',
    refused: { code: 'MODEL_DIGEST_MISMATCH', message: 'another file' },
  });
  expect(states.flatMap((state) => findSchemaIssues(NodeState, state))).toEqual([]);
});

it('says the same of each network beside the detector: carried, not supplied, refused, and taken by a reload', async () => {
  const lamp = aCarriedNetwork('lamp-state');
  const broken = { ...lamp, file: { ...lamp.file, sha256: '0'.repeat(64) } };
  const absent = () => Promise.reject(new NgatuError('ASSET_UNAVAILABLE', 'offline'));
  let helmet: () => Promise<NetworkFile> = absent;
  let lampNow = lamp;
  const wishes: NetworkSource = async () => [
    { use: 'lamp', name: 'lamp-state', find: async () => lampNow },
    { use: 'helmet', name: 'helmet-head', find: () => helmet() },
  ];
  await using node = await runNode(aConfig(() => aDetector('first', 1), wishes));
  const { states, running, reload } = node;
  const networks = () => states.at(-1)?.networks ?? [];
  await Promise.race([running, until('the detector serves', () => states.at(-1)?.model?.name === 'first')]);
  expect(networks()).toMatchObject([
    { use: 'lamp', name: 'lamp-state', sha256: lamp.file.sha256, since: expect.any(String) },
    { use: 'helmet', name: 'helmet-head', refused: { code: 'ASSET_UNAVAILABLE' } },
  ]);
  expect(networks()[0]).not.toHaveProperty('refused');
  expect(networks()[1]).not.toHaveProperty('sha256');

  lampNow = broken;
  helmet = async () => aCarriedNetwork('helmet-head');
  reload();
  await until('the helmet network serves', () => networks()[1]?.sha256 !== undefined);
  expect(networks()).toMatchObject([
    { sha256: lamp.file.sha256, refused: { name: 'lamp-state', code: 'MODEL_DIGEST_MISMATCH' } },
    { name: 'helmet-head' },
  ]);
  expect(networks()[1]).not.toHaveProperty('refused');
  expect(states.flatMap((state) => findSchemaIssues(NodeState, state))).toEqual([]);
});
