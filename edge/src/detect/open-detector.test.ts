import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelManifest } from '@ngatu/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Frame } from '../frame/frame.ts';
import type { ModelFile } from '../model/model-file.ts';
import { encodeOnnx } from '../testing/onnx-writer.ts';
import { aYoloxManifest, aYoloxModel, type YoloxModelOptions } from '../testing/yolox-model.ts';
import type { Detection, RoadPart } from './detection.ts';
import { type DetectorConfig, openDetector } from './open-detector.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-detector-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function aFile(name: string, content: string | Uint8Array): ModelFile {
  const path = join(folder, name);
  writeFileSync(path, content);
  return { path, sha256: createHash('sha256').update(content).digest('hex') };
}

function aConfig(manifest: ModelManifest, file: ModelFile): DetectorConfig {
  return { manifest, file, minConfidence: 0.1, threads: 1 };
}

async function expectInvalid(config: DetectorConfig, reason: string | RegExp): Promise<void> {
  const opening = openDetector(config);
  await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID', retryable: false });
  await expect(opening).rejects.toThrow(reason);
  await expect(opening).rejects.toThrow(/^Cannot load model "m" as \w+: [^\n]+$/);
}

const YOLOX = { classes: 8, size: { width: 64, height: 64 } };

describe('openDetector, YOLOX', () => {
  const open = (file: ModelFile): DetectorConfig => aConfig(aYoloxManifest(YOLOX), file);
  const openModel = (
    written: Partial<YoloxModelOptions>,
    changes: Partial<ModelManifest> = {},
  ): DetectorConfig => {
    const file = aFile('m.onnx', aYoloxModel({ ...YOLOX, ...written }));
    return aConfig(aYoloxManifest(YOLOX, changes), file);
  };

  it.each([
    ['an empty file', ''],
    ['text', 'not a model'],
    ['bytes', Uint8Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256)],
    ['half a model', aYoloxModel(YOLOX).slice(0, 400)],
  ])('refuses %s', async (_, content) => {
    await expectInvalid(open(aFile('m.onnx', content)), 'as YOLOX');
  });

  it('refuses tensors of other names and names them', async () => {
    await expectInvalid(openModel({ input: 'data' }), 'inputs "images" expected, found "data"');
    await expectInvalid(openModel({ output: 'boxes' }), 'outputs "output" expected, found "boxes"');
  });

  it('refuses another version of the operators', async () => {
    await expectInvalid(openModel({ opset: 13 }), 'opset 11 expected, found 13');
  });

  it('refuses another size, a fixed one where it should be free, and another type', async () => {
    const found = 'found float32 [1, 3, 96, 64]';
    const other = openModel({ size: { width: 64, height: 96 } });
    await expectInvalid(other, `"images" float32 [1, 3, 64, 64] expected, ${found}`);
    const file = aFile('m.onnx', aYoloxModel(YOLOX));
    const free = aConfig(aYoloxManifest({ classes: 8 }), file);
    await expectInvalid(
      free,
      '"images" float32 [1, 3, height, width] expected, found float32 [1, 3, 64, 64]',
    );
    const bytes = aYoloxManifest(YOLOX);
    const inputs = bytes.inputs.map((input) => ({ ...input, dtype: 'uint8' as const }));
    await expectInvalid(openModel({}, { inputs }), 'float32 NCHW [1, 3, height, width] expected');
  });

  it('refuses another number of classes than the file has', async () => {
    await expectInvalid(
      openModel({ classes: 80 }),
      'float32 [1, 84, 13] expected, found float32 [1, 84, 85]',
    );
  });

  it('refuses labels that it cannot follow, and those beyond the classes', async () => {
    await expectInvalid(
      openModel({}, { labels: { 0: 'elephant' } }),
      'label 0 is "elephant": known are person',
    );
    await expectInvalid(openModel({}, { labels: { 8: 'car' } }), 'label 8 "car", but 8 classes');
  });

  it('refuses pictures laid in as it does not lay them', async () => {
    const { preprocessing } = aYoloxManifest(YOLOX);
    const other = (changes: Partial<typeof preprocessing>) =>
      openModel({}, { preprocessing: { ...preprocessing, ...changes } });
    await expectInvalid(other({ fit: 'pad' }), 'an input of fixed size is letterboxed or stretched');
    await expectInvalid(other({ place: 'centre' }), 'at the top left');
    await expectInvalid(other({ colourOrder: 'grey' }), 'colours expected');
    await expectInvalid(other({ sizeMultiple: 8 }), 'multiples of 8 do not hold whole cells of 32');
  });

  it('refuses weights that lie in another file, before the runtime looks for it', async () => {
    const tensor = { name: 'images', shape: [1, 3, 64, 64] };
    const bytes = encodeOnnx({
      inputs: [tensor],
      outputs: [{ name: 'output', shape: [1, 84, 13] }],
      nodes: [{ type: 'Identity', inputs: ['w'], outputs: ['output'] }],
      weights: [{ name: 'w', shape: [1, 84, 13], values: [], outsideFile: '../../etc/passwd' }],
    });
    await expectInvalid(open(aFile('m.onnx', bytes)), 'a part of its weights lies in another file');
  });

  it('takes models of its task only', async () => {
    const file = aFile('m.onnx', 'x');
    const reader = aConfig(aYoloxManifest(YOLOX, { task: 'plate-detector' }), file);
    await expect(openDetector(reader)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: 'Cannot load model "m": it is a plate-detector, no road-user-detector',
    });
  });

  it('looks at the digest before the content', async () => {
    const { path } = aFile('m.onnx', 'not a model');
    const config = open({ path, sha256: '0'.repeat(64) });
    await expect(openDetector(config)).rejects.toMatchObject({ code: 'MODEL_DIGEST_MISMATCH' });
  });

  it('names a file that is not there', async () => {
    const config = open({ path: join(folder, 'none.onnx'), sha256: '0'.repeat(64) });
    await expect(openDetector(config)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('a model that somebody drops in', () => {
  /** Black, with bright cells of 8 px: their blue is the objectness, green and red are the even and the odd classes. */
  function aFrame(
    width: number,
    height: number,
    cells: readonly (readonly [x: number, y: number, bgr: number[]])[],
  ): Frame {
    const pixels = Buffer.alloc(width * height * 3);
    for (const [x, y, bgr] of cells)
      for (let row = y; row < y + 8; row++)
        for (let column = x; column < x + 8; column++) pixels.set(bgr, (row * width + column) * 3);
    const time = { index: 0, mediaTimeMs: 0, capturedAtMs: 0, clockErrorMs: 0 };
    return {
      session: 's',
      ...time,
      width,
      height,
      sourceWidth: 2 * width,
      sourceHeight: 2 * height,
      pixels,
      lamps: [],
    };
  }
  async function look(
    config: DetectorConfig,
    frame: Frame,
  ): Promise<{ found: Detection[]; parts: RoadPart[] }> {
    const detector = await openDetector(config);
    const parts: RoadPart[] = [];
    try {
      return { found: await detector.detect(frame, parts), parts };
    } finally {
      await detector.close();
    }
  }
  const drop = (options: YoloxModelOptions, changes: Partial<ModelManifest>): DetectorConfig =>
    aConfig(aYoloxManifest(options, changes), aFile('own.onnx', aYoloxModel(options)));

  it('runs with its own number of classes, labels and free size, by its manifest alone', async () => {
    const options = { classes: 3, input: 'pictures', output: 'boxes', opset: 13 };
    const labels = { 1: 'bus', 2: 'traffic-light' };
    const preprocessing = { ...aYoloxManifest(options).preprocessing, padValue: 0 };
    const cells = [
      [16, 24, [255, 0, 250]],
      [48, 8, [255, 200, 0]],
    ] as const;
    const { found, parts } = await look(
      drop(options, { labels, preprocessing }),
      aFrame(
        90,
        50,
        cells.map(([x, y, bgr]) => [x, y, [...bgr]]),
      ),
    );
    expect(found.map(({ label, box }) => [label, box.map(Math.round)])).toEqual([['bus', [32, 48, 48, 64]]]);
    expect(parts.map(({ label, box }) => [label, box.map(Math.round)])).toEqual([
      ['traffic-light', [96, 16, 112, 32]],
    ]);
    expect(found[0]?.confidence).toBeCloseTo(250 / 255 - 0.001, 3);
  });

  it('runs with a fixed size, colours in the other order and values of its own', async () => {
    const options = { classes: 1, size: { width: 64, height: 32 } };
    // values 0–1 with red first: the first plane holds a 255th, so that nothing is sure enough
    const small: ModelManifest['preprocessing'] = {
      colourOrder: 'rgb',
      mean: [0],
      std: [255],
      fit: 'letterbox',
      place: 'top-left',
      padValue: 0,
    };
    const preprocessing = { ...small, std: [1] };
    const frame = aFrame(64, 32, [[8, 8, [0, 255, 255]]]);
    const labels = { 0: 'motorbike' };
    const { found } = await look(drop(options, { labels, preprocessing }), frame);
    expect(found.map(({ label, box }) => [label, box.map(Math.round)])).toEqual([
      ['motorbike', [16, 16, 32, 32]],
    ]);
    expect((await look(drop(options, { labels, preprocessing: { ...small } }), frame)).found).toEqual([]);
    expect((await look(drop(options, { labels }), frame)).found).toEqual([]);
  });
});
