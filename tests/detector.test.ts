import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ModelManifest } from '@ngatu/contract';
import { CloseUpDetector, type Detector, openDetector } from '@ngatu/edge';
import { AssetStore, findRepositoryRoot, type ResolvedAsset } from '@ngatu/models';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Detection } from '../edge/src/detect/detection.ts';
import type { Frame } from '../edge/src/frame/frame.ts';
import { computeIou } from '../edge/src/geometry/box.ts';

const run = promisify(execFile);
const store = new AssetStore();
const assets = {
  dynamic: await store.find('yolox-nano-dynamic'),
  fixed: await store.find('yolox-nano-416'),
  own: await store.find('road-users-nano'),
  video: await store.find('vtest'),
};

/** Size of vtest.avi, px. */
const WIDTH = 768;
const HEIGHT = 576;
/** Seconds of the clip from which pictures are taken. */
const INSTANTS = [0, 9, 20, 38, 56, 70];
/** The three persons in the first picture of vtest.avi, drawn by hand, xyxy. */
const FIRST_PERSONS = [
  [252, 219, 283, 309],
  [500, 157, 530, 233],
  [638, 240, 683, 322],
] as const;

function present(asset: ResolvedAsset | undefined): { path: string; sha256: string } {
  if (asset === undefined) throw new Error('an asset that was there is gone');
  return { path: asset.path, sha256: asset.sha256 };
}

function manifestOf(asset: ResolvedAsset | undefined): ModelManifest {
  const model = store.registry.find(asset?.asset.name ?? '');
  if (model === undefined) throw new Error('a model that was there is gone');
  return model.manifest;
}

function openYolox(asset: ResolvedAsset | undefined): Promise<Detector> {
  const file = present(asset);
  return openDetector({ manifest: manifestOf(asset), file, minConfidence: 0.1, threads: 1 });
}

/** One picture of the clip, scaled to `width` × `height`. */
async function readFrame(second: number, width = WIDTH, height = HEIGHT): Promise<Frame> {
  const options = ['-nostdin', '-v', 'error', '-ss', String(second), '-i', present(assets.video).path];
  const scale = `scale=${width}:${height}:flags=bilinear`;
  const output = ['-frames:v', '1', '-vf', scale, '-pix_fmt', 'bgr24', '-f', 'rawvideo', '-'];
  const { stdout } = await run('ffmpeg', [...options, ...output], { encoding: 'buffer', maxBuffer: 1 << 24 });
  const time = { index: 0, mediaTimeMs: second * 1000, capturedAtMs: second * 1000, clockErrorMs: 0 };
  const size = { width, height, sourceWidth: WIDTH, sourceHeight: HEIGHT };
  return { session: 's', ...time, ...size, pixels: stdout, lamps: [] };
}

/** Each person drawn by hand is found once, well enough placed and sure enough to begin a track. */
function expectPersons(found: readonly Detection[], minIou: number): void {
  for (const person of FIRST_PERSONS) {
    const hits = found.filter((detection) => computeIou(detection.box, person) >= minIou);
    expect(hits.map(({ label }) => label)).toEqual(['person']);
    expect(hits[0]?.confidence).toBeGreaterThanOrEqual(0.35);
  }
}

describe.skipIf(assets.dynamic === undefined || assets.video === undefined)('YOLOX with free axes', () => {
  let detector: Detector;
  beforeAll(async () => {
    detector = await openYolox(assets.dynamic);
  });
  afterAll(() => detector.close());

  it('finds the persons of a real picture, and the same again', async () => {
    const frame = await readFrame(0);
    const found = await detector.detect(frame);
    expectPersons(found, 0.6);
    expect(await detector.detect(frame)).toEqual(found);
  });

  it('gives boxes in source pixels for an odd analysis size', async () => {
    expectPersons(await detector.detect(await readFrame(0, 641, 479)), 0.6);
  });

  it('finds persons in a close-up that are too small for it in the look at the whole', async () => {
    const frame = await readFrame(0);
    const count = (found: readonly Detection[]) =>
      FIRST_PERSONS.filter((person) =>
        found.some(({ box, confidence }) => confidence >= 0.35 && computeIou(box, person) >= 0.5),
      ).length;
    const overviewWidth = 128;
    const overview = new CloseUpDetector(detector, { overviewWidth });
    expect(count(await overview.detect(frame))).toBeLessThan(FIRST_PERSONS.length);
    const closeUps = [{ box: [200, 120, 720, 360] as [number, number, number, number], enlarge: 0.7 }];
    const closer = new CloseUpDetector(detector, { closeUps, overviewWidth });
    const found = await closer.detect(frame);
    expect(count(found)).toBe(FIRST_PERSONS.length);
    expect(await closer.detect(frame)).toEqual(found);
  });

  it('carries the digest of its file', () => {
    expect(detector.model).toEqual({ name: 'yolox-nano-dynamic', sha256: assets.dynamic?.sha256 });
  });
});

describe.skipIf(assets.fixed === undefined || assets.video === undefined)('YOLOX of fixed size', () => {
  it('finds the persons of a larger and of a smaller picture', async () => {
    const detector = await openYolox(assets.fixed);
    try {
      expectPersons(await detector.detect(await readFrame(0)), 0.6);
      expectPersons(await detector.detect(await readFrame(0, 400, 300)), 0.5);
    } finally {
      await detector.close();
    }
  });
});

/** Looks at the same pictures with both; the IoU of each finding of `sure` with the best of `other` where it is 0.5 or more. */
async function compareOn(
  frames: readonly Frame[],
  reference: Detector,
  other: Detector,
): Promise<{ sure: number; hits: number[] }> {
  const persons = (detections: readonly Detection[]) => detections.filter(({ label }) => label === 'person');
  let sure = 0;
  const hits: number[] = [];
  for (const frame of frames) {
    const wanted = persons(await reference.detect(frame)).filter(({ confidence }) => confidence >= 0.5);
    const found = persons(await other.detect(frame));
    sure += wanted.length;
    for (const { box } of wanted) {
      const iou = Math.max(0, ...found.map((detection) => computeIou(detection.box, box)));
      if (iou >= 0.5) hits.push(iou);
    }
  }
  return { sure, hits };
}

const hasAll = Object.values(assets).every((asset) => asset !== undefined);

describe.skipIf(!hasAll)('agreement with YOLOX with free axes', () => {
  it.each([
    ['YOLOX of fixed size', () => openYolox(assets.fixed), 0.8],
    ['the network of this repository', () => openYolox(assets.own), 0.75],
  ] as const)('%s finds what it is sure of, in the same place', async (_, open, minMeanIou) => {
    const frames = await Promise.all(INSTANTS.map((instant) => readFrame(instant)));
    const [reference, other] = [await openYolox(assets.dynamic), await open()];
    const { sure, hits } = await compareOn(frames, reference, other);
    await Promise.all([reference.close(), other.close()]);
    expect(sure).toBeGreaterThanOrEqual(25);
    expect(hits.length / sure).toBeGreaterThanOrEqual(0.9);
    expect(hits.reduce((sum, iou) => sum + iou, 0) / hits.length).toBeGreaterThanOrEqual(minMeanIou);
  });
});

describe('real weights that are not whole', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-weights-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The file without its last third, under its own digest: as if the manifest had been made from a broken download. */
  async function truncate(asset: ResolvedAsset | undefined): Promise<{ path: string; sha256: string }> {
    const whole = await readFile(present(asset).path);
    const bytes = whole.subarray(0, Math.floor((whole.length * 2) / 3));
    const path = join(folder, 'truncated');
    await writeFile(path, bytes);
    return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  it.skipIf(assets.dynamic === undefined)('refuses YOLOX cut short', async () => {
    const cut = await truncate(assets.dynamic);
    const config = { manifest: manifestOf(assets.dynamic), minConfidence: 0.1, threads: 1 };
    const wrongDigest = { path: cut.path, sha256: present(assets.dynamic).sha256 };
    await expect(openDetector({ ...config, file: wrongDigest })).rejects.toMatchObject({
      code: 'MODEL_DIGEST_MISMATCH',
    });
    await expect(openDetector({ ...config, file: cut })).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});

const PROGRAM = `
import { createRequire } from 'node:module';
import { openDetector } from './edge/src/detect/open-detector.ts';
const isLoaded = (name) => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes(name));
const config = JSON.parse(process.argv[2]);
const detector = await openDetector(config);
await detector.close();
console.log(JSON.stringify([isLoaded('@tensorflow'), isLoaded('onnxruntime-node')]));
`;

describe('the bundled program', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-bundle-'));
    await symlink(join(findRepositoryRoot(), 'node_modules'), join(folder, 'node_modules'));
    await build({
      stdin: { contents: PROGRAM, resolveDir: findRepositoryRoot(), loader: 'ts' },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      external: ['onnxruntime-node', '@tensorflow/*'],
      logLevel: 'error',
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function openInProgram(config: object): Promise<unknown> {
    const options = { minConfidence: 0.1, threads: 1, ...config };
    const { stdout } = await run(process.execPath, [join(folder, 'stdin.mjs'), JSON.stringify(options)]);
    return JSON.parse(stdout);
  }

  it.skipIf(assets.dynamic === undefined)('opens YOLOX without loading TensorFlow.js', async () => {
    const file = present(assets.dynamic);
    expect(await openInProgram({ manifest: manifestOf(assets.dynamic), file })).toEqual([false, true]);
  });
});
