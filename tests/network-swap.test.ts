import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  findSchemaIssues,
  type ModelManifest,
  NgatuError,
  NodeNetwork,
  type Telemetry,
} from '@ngatu/contract';
import { build } from 'esbuild';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentNetworks, type NetworkWish } from '../edge/src/agent-networks.ts';
import type { NetworkFile } from '../edge/src/model/model-file.ts';
import { PictureProcess } from '../edge/src/pipeline/picture-process.ts';
import { aCarriedNetwork } from '../edge/src/testing/carried-network.ts';
import { drawLamp } from '../edge/src/testing/lamp-picture.ts';
import { aYoloxManifest, aYoloxModel } from '../edge/src/testing/yolox-model.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
const logger = pino({ level: 'silent' });
const { signal } = new AbortController();
const FINDER = { classes: 2, size: { width: 64, height: 64 } };
/** Without pictures nothing is seen of the subject, and the finding names the networks that would have looked. */
const PLATE_JOB = {
  ...{ width: 64, height: 48, frames: [], sights: [], momentMs: 0, capturedAtMs: 0 },
  subject: { trackId: 1, label: 'car', box: [0, 0, 10, 10], occupants: [] },
} as const;

let folder: string;
let module: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-networks-'));
  module = join(folder, 'pictures.mjs');
  await build({
    stdin: {
      contents: `import { runPictureHost } from './edge/src/pipeline/picture-host.ts'; await runPictureHost();`,
      resolveDir: REPOSITORY,
      loader: 'ts',
    },
    ...{
      outfile: module,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    },
    external: ['sharp', 'onnxruntime-node', 'pino', '@tensorflow/*'],
  });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the node runs: a list of wishes that a test changes under it. */
let wishes: NetworkWish[];
let told: Telemetry[];
let pictures: PictureProcess;
let networks: AgentNetworks | undefined;
beforeEach(() => {
  wishes = [];
  told = [];
  openPictures();
});
afterEach(async () => {
  await networks?.[Symbol.asyncDispose]();
  networks = undefined;
  pictures[Symbol.dispose]();
});

function openPictures(idleMs = 60_000): void {
  pictures = new PictureProcess({
    program: { module, args: [] },
    ...{ logger, idleMs, limitMs: 50_000 },
    onProblem: (problem) => networks?.lose(problem),
  });
}

async function openNetworks(beforeRun: () => void = () => undefined): Promise<AgentNetworks> {
  networks = await AgentNetworks.open({
    ...{ site: 'hanoi', node: 'gate-1', logger, clock: { nowMs: () => Date.now() } },
    outbox: { append: (entries) => entries.map(({ body }) => told.push(body as Telemetry)) },
    source: async () => wishes,
    pictures,
  });
  beforeRun();
  await networks.run(signal);
  return networks;
}

const wish = (use: NetworkWish['use'], network: NetworkFile): NetworkWish => ({
  ...{ use, name: network.manifest.name },
  find: () => Promise.resolve(network),
});

function keep(name: string, bytes: Uint8Array, manifest: ModelManifest): NetworkFile {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { manifest: { ...manifest, name }, file: { path, sha256 } };
}

const aFinder = (name = 'finder'): NetworkFile =>
  keep(name, aYoloxModel(FINDER), aYoloxManifest(FINDER, { task: 'plate-detector', labels: { 1: 'plate' } }));

/** A network that the repository carries under another name and digest: a field of its file that nobody reads says who made it. */
function aCopy(carried: string, name: string, changes: Partial<ModelManifest> = {}): NetworkFile {
  const { manifest, file } = aCarriedNetwork(carried, changes);
  const maker = Buffer.from(name);
  return keep(
    name,
    Buffer.concat([readFileSync(file.path), Buffer.from([0x12, maker.length]), maker]),
    manifest,
  );
}

async function namesThatRead(): Promise<string[] | undefined> {
  const { finding } = await pictures.readPlate(PLATE_JOB, signal);
  return finding.reason === 'subject-unseen' ? finding.models.map(({ name }) => name) : undefined;
}

const states = (use: NodeNetwork['use']) => networks?.states.filter((state) => state.use === use) ?? [];

const RANK = ['first', 'second', 'third'];

/** Each of them is one thing that may be wrong with a file, and what it is called. */
const FAULTS: [string, string, (sound: NetworkFile) => NetworkFile][] = [
  [
    'a wrong digest',
    'MODEL_DIGEST_MISMATCH',
    ({ manifest, file }) => ({ manifest, file: { ...file, sha256: '0'.repeat(64) } }),
  ],
  [
    'a file that disappeared',
    'FILE_UNREADABLE',
    ({ manifest, file }) => ({ manifest, file: { ...file, path: `${file.path}.gone` } }),
  ],
  [
    'another opset',
    'MODEL_INVALID',
    ({ manifest, file }) => ({ manifest: { ...manifest, runtime: { kind: 'onnx', opset: 8 } }, file }),
  ],
  [
    'another shape',
    'MODEL_INVALID',
    ({ manifest, file }) => ({
      manifest: {
        ...manifest,
        outputs: manifest.outputs.map((output) => ({ ...output, shape: [1, 2, 3, 4, 5] })),
      },
      file,
    }),
  ],
  [
    'another task',
    'MODEL_INVALID',
    ({ manifest, file }) => ({ manifest: { ...manifest, task: 'person-embedding' }, file }),
  ],
  [
    'half a file',
    'MODEL_INVALID',
    ({ manifest, file }) => keep(manifest.name, readFileSync(file.path).subarray(0, 300), manifest),
  ],
];

describe('the networks of a running node', () => {
  it('keep reading plates for every fault of another reader, and take the next sound one', {
    timeout: 240_000,
  }, async () => {
    const old = aCopy('plate-reader-vn', 'old-reader');
    const finder = aFinder();
    wishes = [wish('plate-finder', finder), wish('plate-reader', old)];
    const node = await openNetworks();
    expect(await namesThatRead()).toEqual(['finder', 'old-reader']);
    expect(told).toEqual([]);
    for (const [what, code, spoil] of FAULTS) {
      wishes = [
        wish('plate-finder', finder),
        wish('plate-reader', spoil(aCopy('plate-reader-vn', 'new-reader'))),
      ];
      await node.reload();
      expect([what, states('plate-reader')]).toMatchObject([
        what,
        [{ name: 'old-reader', sha256: old.file.sha256, refused: { name: 'new-reader', code } }],
      ]);
      expect(node.states.flatMap((state) => findSchemaIssues(NodeNetwork, state))).toEqual([]);
      expect(told.at(-1)?.measurements).toMatchObject([
        { metric: 'modelRefused', tags: { model: 'new-reader', use: 'plate-reader', code } },
      ]);
      expect(await namesThatRead()).toEqual(['finder', 'old-reader']);
    }
    wishes = [wish('plate-finder', finder), wish('plate-reader', aCopy('plate-reader-vn', 'new-reader'))];
    await node.reload();
    expect(states('plate-reader')).toMatchObject([{ name: 'new-reader' }]);
    expect(states('plate-reader')[0]).not.toHaveProperty('refused');
    expect(await namesThatRead()).toEqual(['finder', 'new-reader']);
  });

  it('refuse what is wrong with each kind of network at the start, and run without it', {
    timeout: 240_000,
  }, async () => {
    const sound = {
      'plate-finder': aFinder('a-finder'),
      'plate-reader': aCopy('plate-reader-vn', 'a-reader'),
      lamp: aCopy('lamp-state', 'a-lamp'),
      helmet: aCopy('helmet-head', 'a-helmet'),
      occupants: aCopy('occupant-count', 'a-counter'),
    } as const;
    for (const [what, code, spoil] of FAULTS) {
      wishes = Object.entries(sound).map(([use, network]) =>
        wish(use as keyof typeof sound, spoil({ ...network })),
      );
      const node = await openNetworks();
      expect([what, node.states.map(({ refused }) => refused?.code)]).toEqual([
        what,
        [code, code, code, code, code],
      ]);
      expect(node.states.every((state) => !('sha256' in state))).toBe(true);
      expect(node.readsPlates).toBe(false);
      expect(node.frameNets.lampNet).toBeUndefined();
      expect(node.frameNets.occupantNet).toBeUndefined();
      expect((await pictures.readPlate(PLATE_JOB, signal)).finding.reason).toBe('model-missing');
      await node[Symbol.asyncDispose]();
    }
  });

  it('change between two jobs while plates are read and lamps are looked at', {
    timeout: 120_000,
  }, async () => {
    const finder = aFinder();
    wishes = [
      wish('plate-finder', finder),
      wish('plate-reader', aCopy('plate-reader-vn', 'first')),
      wish('lamp', aCopy('lamp-state', 'lamp-one')),
    ];
    const node = await openNetworks();
    const crop = drawLamp({ lit: 'red' });
    let isChanging = true;
    const read: string[] = [];
    const lamps: unknown[] = [];
    const reading = (async () => {
      while (isChanging) read.push((await namesThatRead())?.at(-1) ?? 'none');
    })();
    const looking = (async () => {
      while (isChanging)
        lamps.push((await node.frameNets.lampNet?.read(crop, ['red', 'amber', 'green']))?.state);
    })();
    for (const name of ['second', 'third']) {
      wishes = [
        wish('plate-finder', finder),
        wish('plate-reader', aCopy('plate-reader-vn', name)),
        wish('lamp', aCopy('lamp-state', `lamp-${name}`)),
      ];
      await node.reload();
    }
    isChanging = false;
    await Promise.all([reading, looking]);
    read.push((await namesThatRead())?.at(-1) ?? 'none');
    expect(new Set(read)).toEqual(new Set(['first', 'second', 'third']));
    expect(read).toEqual(read.toSorted((a, b) => RANK.indexOf(a) - RANK.indexOf(b)));
    expect(new Set(lamps)).toEqual(new Set(['red']));
    expect(states('lamp')).toMatchObject([{ name: 'lamp-third' }]);
    wishes = [wish('plate-finder', finder), wish('plate-reader', aCopy('plate-reader-vn', 'third'))];
    await node.reload();
    expect(states('lamp')).toEqual([]);
    expect(node.frameNets.lampNet).toBeUndefined();
  });

  it('count riders while there is a network for it, and no longer', { timeout: 60_000 }, async () => {
    wishes = [wish('occupants', aCopy('occupant-count', 'a-counter'))];
    const node = await openNetworks();
    const street = { width: 96, height: 128, pixels: new Uint8Array(96 * 128 * 3).fill(110) };
    const { occupantNet } = node.frameNets;
    const shares = (await occupantNet?.count(street, [20, 20, 70, 120])) ?? [];
    expect(shares).toHaveLength(4);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
    wishes = [wish('occupants', aCopy('lamp-state', 'a-lamp'))];
    await node.reload();
    expect(states('occupants')).toMatchObject([
      { name: 'a-counter', refused: { name: 'a-lamp', code: 'MODEL_INVALID' } },
    ]);
    wishes = [];
    await node.reload();
    expect(node.frameNets.occupantNet).toBeUndefined();
    await expect(occupantNet?.count(street, [20, 20, 70, 120])).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      retryable: true,
    });
  });

  it('let a job that came before them wait', { timeout: 60_000 }, async () => {
    wishes = [wish('plate-finder', aFinder()), wish('plate-reader', aCopy('plate-reader-vn', 'a-reader'))];
    let early: ReturnType<typeof namesThatRead> | undefined;
    const node = await openNetworks(() => {
      expect(networks?.readsPlates).toBe(true);
      early = namesThatRead();
    });
    expect(await early).toEqual(['finder', 'a-reader']);
    expect(node.readsPlates).toBe(true);
  });

  it('use no reader of plates twice, whatever the order in which the profile names them', {
    timeout: 120_000,
  }, async () => {
    const [one, two] = [aCopy('plate-reader-vn', 'one'), aCopy('plate-reader-vn', 'two')];
    const broken = { ...two, file: { ...two.file, sha256: '0'.repeat(64) } };
    const readers = (...networks: readonly NetworkFile[]): NetworkWish[] => [
      wish('plate-finder', aFinder()),
      ...networks.map((network) => wish('plate-reader', network)),
    ];
    wishes = readers(one);
    const node = await openNetworks();
    wishes = readers(broken, one);
    await node.reload();
    expect(states('plate-reader')).toMatchObject([
      { name: 'one', sha256: one.file.sha256 },
      { name: 'two', refused: { code: 'MODEL_DIGEST_MISMATCH' } },
    ]);
    expect(states('plate-reader')[0]).not.toHaveProperty('refused');
    expect(await namesThatRead()).toEqual(['finder', 'one']);
    wishes = readers(two, one);
    await node.reload();
    expect((await namesThatRead())?.toSorted()).toEqual(['finder', 'one', 'two']);
    wishes = readers(two);
    await node.reload();
    expect(states('plate-reader')).toMatchObject([{ name: 'two' }]);
    expect(await namesThatRead()).toEqual(['finder', 'two']);
  });

  it('take with a reload what was not supplied at the start', { timeout: 60_000 }, async () => {
    const reader = aCopy('plate-reader-vn', 'late-reader');
    const absent = () => Promise.reject(new NgatuError('ASSET_UNAVAILABLE', 'offline'));
    wishes = [wish('plate-finder', aFinder()), { use: 'plate-reader', name: 'late-reader', find: absent }];
    const node = await openNetworks();
    expect(states('plate-reader')).toMatchObject([
      { name: 'late-reader', refused: { code: 'ASSET_UNAVAILABLE' } },
    ]);
    expect(node.readsPlates).toBe(false);
    wishes = [wish('plate-finder', aFinder()), wish('plate-reader', reader)];
    await node.reload();
    expect(node.readsPlates).toBe(true);
    expect(await namesThatRead()).toEqual(['finder', 'late-reader']);
  });

  it('say that a file was lost between two starts of the process of pictures, and take it again when it is back', {
    timeout: 60_000,
  }, async () => {
    pictures[Symbol.dispose]();
    openPictures(50);
    const reader = aCopy('plate-reader-vn', 'a-reader');
    wishes = [wish('plate-finder', aFinder()), wish('plate-reader', reader)];
    const node = await openNetworks();
    expect(await namesThatRead()).toEqual(['finder', 'a-reader']);
    renameSync(reader.file.path, `${reader.file.path}.away`);
    await expect
      .poll(async () => (await pictures.readPlate(PLATE_JOB, signal)).finding.reason, {
        ...{ timeout: 20_000, interval: 300 },
      })
      .toBe('model-failed');
    expect(states('plate-reader')).toMatchObject([
      { name: 'a-reader', refused: { code: 'FILE_UNREADABLE' } },
    ]);
    expect(states('plate-reader')[0]).not.toHaveProperty('sha256');
    expect((await pictures.readPlate(PLATE_JOB, signal)).finding.reason).toBe('model-missing');
    renameSync(`${reader.file.path}.away`, reader.file.path);
    await node.reload();
    expect(await namesThatRead()).toEqual(['finder', 'a-reader']);
    expect(states('plate-reader')[0]).not.toHaveProperty('refused');
  });

  it('are proved again where the process of pictures is killed meanwhile', { timeout: 60_000 }, async () => {
    let proofs = 0;
    const real = pictures;
    wishes = [wish('plate-finder', aFinder())];
    networks = await AgentNetworks.open({
      ...{ site: 'hanoi', node: 'gate-1', logger, clock: { nowMs: () => Date.now() } },
      outbox: { append: () => undefined },
      source: async () => wishes,
      pictures: {
        use: (given) => real.use(given),
        prove: (...parts) => {
          proofs += 1;
          const proving = real.prove(...parts);
          // the process is gone before it can answer
          if (proofs === 1) setTimeout(() => real[Symbol.dispose](), 20);
          return proving;
        },
      },
    });
    await networks.run(signal);
    expect(proofs).toBe(2);
    expect(states('plate-finder')).toMatchObject([{ name: 'finder', since: expect.any(String) }]);
  });
});
