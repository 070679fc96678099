import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anOnnxModel, aTfjsModel } from '../testing/model-builder.ts';
import type { ModelFile } from './model-file.ts';
import { type DetectorConfig, openDetector } from './open-detector.ts';

const CENTERNET = { input: 'tower_0/images', output: 'tower_0/detections', shape: [1, 512, 512, 3] };

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

function aConfig(format: DetectorConfig['format'], files: readonly ModelFile[]): DetectorConfig {
  return { format, name: 'm', files, minConfidence: 0.1, threads: 1 };
}

function anUnknownOperator(): object {
  const text = JSON.stringify(aTfjsModel(CENTERNET)).replace('"Identity"', '"Nil"');
  return JSON.parse(text) as object;
}

async function expectInvalid(config: DetectorConfig, reason: string | RegExp): Promise<void> {
  const opening = openDetector(config);
  await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID', retryable: false });
  await expect(opening).rejects.toThrow(reason);
  await expect(opening).rejects.toThrow(/^Cannot load model "m" as \w+: [^\n]+$/);
}

describe('openDetector, YOLOX', () => {
  const open = (...files: ModelFile[]): DetectorConfig => aConfig('yolox-onnx', files);

  it.each([
    ['an empty file', ''],
    ['text', 'not a model'],
    ['bytes', Uint8Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256)],
    ['half a model', anOnnxModel({ input: 'images', output: 'output', shape: [1, 3, 64, 64] }).slice(0, 40)],
  ])('refuses %s', async (_, content) => {
    await expectInvalid(open(aFile('m.onnx', content)), 'as YOLOX');
  });

  it('refuses a model with other tensors and names them', async () => {
    const file = aFile('m.onnx', anOnnxModel({ input: 'data', output: 'scores', shape: [1, 3, 64, 64] }));
    await expectInvalid(
      open(file),
      'tensors "images" and "output" expected, found inputs data; outputs scores',
    );
  });

  it('refuses a model whose tensors have the right names and another shape', async () => {
    const file = aFile('m.onnx', anOnnxModel({ input: 'images', output: 'output', shape: [1, 3, 64, 64] }));
    await expectInvalid(open(file), 'output [1, 84, 85] expected, found [1, 3, 64, 64]');
  });

  it('takes one file', async () => {
    const file = aFile('m.onnx', 'x');
    await expectInvalid(open(), 'one file expected, 0 given');
    await expectInvalid(open(file, file), 'one file expected, 2 given');
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

describe('openDetector, CenterNet', () => {
  const open = (topology: unknown, ...weights: (string | Uint8Array)[]): DetectorConfig => {
    const content = typeof topology === 'string' ? topology : JSON.stringify(topology);
    const files = weights.map((bytes, index) => aFile(`m.${index}.bin`, bytes));
    return aConfig('centernet-tfjs', [aFile('m.json', content), ...files]);
  };

  it.each([
    ['text', 'not a model', 'it is not JSON'],
    ['a list', [1, 2], 'it is not a TensorFlow.js graph model'],
    [
      'a layers model',
      aTfjsModel(CENTERNET, { format: 'layers-model' }),
      'it is not a TensorFlow.js graph model',
    ],
    [
      'one without topology',
      aTfjsModel(CENTERNET, { modelTopology: 7 }),
      'it is not a TensorFlow.js graph model',
    ],
    ['one without weights', aTfjsModel(CENTERNET, { weightsManifest: {} }), 'it has no manifest of weights'],
    [
      'a broken list of weights',
      aTfjsModel(CENTERNET, { weightsManifest: [{ paths: ['a'] }] }),
      'no manifest',
    ],
    ['an unknown operator', anUnknownOperator(), 'Nil'],
  ])('refuses %s', async (_, topology, reason) => {
    await expectInvalid(open(topology, ''), reason);
  });

  it('refuses weights that are too short, too long, too many or of an unknown type', async () => {
    const weights = (dtype: string): object =>
      aTfjsModel(CENTERNET, {
        weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'w', shape: [2, 3], dtype }] }],
      });
    await expectInvalid(open(weights('float32'), new Uint8Array(23)), 'its weights have 24 bytes, 23 given');
    await expectInvalid(open(weights('float32'), new Uint8Array(25)), 'its weights have 24 bytes, 25 given');
    await expectInvalid(open(weights('float32')), 'it names 1 files of weights, 0 given');
    await expectInvalid(open(weights('float32'), '', ''), 'it names 1 files of weights, 2 given');
    await expectInvalid(open(weights('complex9'), ''), 'its weight "w" is of type complex9');
  });

  it('refuses a model with other tensors and names them', async () => {
    const model = aTfjsModel({ input: 'image', output: 'boxes', shape: [1, 300, 300, 3] });
    const expected = 'tensors "tower_0/images [1, 512, 512, 3]" and "tower_0/detections" expected';
    await expectInvalid(open(model, ''), `${expected}, found inputs image [1, 300, 300, 3]; outputs boxes`);
  });

  it('refuses a model whose tensors have the right names and another shape', async () => {
    const reason = '"tower_0/detections" float32 [1, 100, 6] expected, found float32 [1, 512, 512, 3]';
    await expectInvalid(open(aTfjsModel(CENTERNET), ''), reason);
  });

  it('refuses to be given nothing', async () => {
    await expectInvalid(aConfig('centernet-tfjs', []), 'no file was named');
  });

  it('looks at the digest of every file before the content', async () => {
    const [topology, weights] = open('not a model', 'weights').files;
    for (const files of [
      [topology, { ...weights, sha256: '0'.repeat(64) }],
      [{ ...topology, sha256: '0'.repeat(64) }, weights],
    ]) {
      const config = aConfig('centernet-tfjs', files as ModelFile[]);
      await expect(openDetector(config)).rejects.toMatchObject({ code: 'MODEL_DIGEST_MISMATCH' });
    }
  });
});
