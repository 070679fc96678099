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
  return Promise.resolve({ manifest, files: [{ path, sha256 }], minConfidence: 0.1, threads: 1 });
};

/** A gateway without cameras: its models, its uplink and its state. */
function aConfig(detector: AgentConfig['detector']): AgentConfig {
  return {
    ...{ site: SITE, node: NODE, version: '1.0.0', dataDir: join(folder, 'data'), detector },
    identityDir: join(folder, 'identity'),
    broker: { url: broker.url, username: NODE_USER.name, password: NODE_USER.password },
    upload: { url: 'http://127.0.0.1:1', budget: BUDGET },
    outbox: { maxBytes: 10_000_000 },
    evidence: { beforeMs: 0, afterMs: 0, retentionDays: 1, maxBytes: 200_000_000, stillOffsetMs: 100 },
    pictures: { program: { module: '', args: [] }, models: {} },
    plates: { read: false, frames: 1 },
    smallNets: {},
    ...{ cameras: [], signals: [], sensors: [], feverGates: [], thermalProgram: '', masks: { cameras: [], models: [] } },
  };
}

it('an agent that is told of another model says in its state which one serves, and why another does not', async () => {
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
  let source = () => aDetector('first', 1);
  const reloads = (signal: AbortSignal) => on(bell, 'reload', { signal });
  const deps = { logger: pino({ level: 'silent' }), onReady: () => undefined, reloads };
  const running = runAgent(
    aConfig(() => source()),
    deps,
    stop.signal,
  );
  try {
    const model = () => states.at(-1)?.model;
    await Promise.race([running, until('the first model serves', () => model()?.name === 'first')]);

    source = () => aDetector('second', 8);
    bell.emit('reload');
    await until('the second model serves', () => model()?.name === 'second');
    expect(model()?.refused).toBeUndefined();

    source = () => Promise.reject(new NgatuError('MODEL_DIGEST_MISMATCH', 'another file'));
    bell.emit('reload');
    await until('the third is refused', () => model()?.refused !== undefined);
    expect(model()).toMatchObject({
      name: 'second',
      refused: { code: 'MODEL_DIGEST_MISMATCH', message: 'another file' },
    });
    expect(states.flatMap((state) => findSchemaIssues(NodeState, state))).toEqual([]);
  } finally {
    stop.abort();
    await Promise.all([running, client.endAsync(true)]);
  }
});
