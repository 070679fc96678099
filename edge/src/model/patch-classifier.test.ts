import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelManifest } from '@ngatu/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { anOnnxModel } from '../testing/model-builder.ts';
import { PatchClassifier } from './patch-classifier.ts';

const SHAPE = [1, 3, 1, 1];
/** Hands its patch of one pixel on: the colours are the scores. */
const BYTES = anOnnxModel({ input: 'pixels', output: 'scores', shape: SHAPE });
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function aModel(parts: Partial<ModelManifest> = {}, bytes: Uint8Array = BYTES) {
  const folder = await mkdtemp(join(tmpdir(), 'ngatu-patch-'));
  folders.push(folder);
  const path = join(folder, 'net.onnx');
  await writeFile(path, bytes);
  const manifest: ModelManifest = {
    schemaVersion: 1,
    name: 'net',
    task: 'lamp-state',
    purpose: 'A network of a test.',
    runtime: { kind: 'onnx', opset: 17 },
    files: [],
    inputs: [{ name: 'pixels', dtype: 'float32', shape: SHAPE, layout: 'NCHW' }],
    outputs: [{ name: 'scores', dtype: 'float32', shape: SHAPE }],
    preprocessing: { colourOrder: 'rgb', mean: [0], std: [1], fit: 'stretch' },
    decoding: { format: 'class-scores', classes: 3, activation: 'none' },
    labels: { '0': 'off', '1': 'red', '2': 'green' },
    thresholds: {},
    licence: {},
    attribution: 'Nobody',
    ...parts,
  };
  return { manifest, file: { path, sha256: digest(bytes) } };
}

describe('PatchClassifier', () => {
  it('gives the score of each label', async () => {
    const net = await PatchClassifier.open(await aModel(), 'lamp-state', ['off', 'red']);
    const scores = await net.classify(new Float32Array([0.25, 0.5, 0.125]));
    expect([...scores]).toEqual([
      ['off', 0.25],
      ['red', 0.5],
      ['green', 0.125],
    ]);
    await net.close();
  });

  it('turns what the graph says into shares where the manifest asks for it', async () => {
    const model = await aModel({ decoding: { format: 'class-scores', classes: 3, activation: 'softmax' } });
    const net = await PatchClassifier.open(model, 'lamp-state', ['off']);
    const scores = [...(await net.classify(new Float32Array([800, 799, -500]))).values()];
    expect(scores[0]).toBeCloseTo(1 / (1 + Math.exp(-1)));
    expect(scores.reduce((a, b) => a + b)).toBeCloseTo(1);
    await net.close();
  });

  it('refuses to hand on what is no number', async () => {
    const net = await PatchClassifier.open(await aModel(), 'lamp-state', ['off']);
    const refusal = net.classify(new Float32Array([Number.NaN, 0, 0]));
    await expect(refusal).rejects.toMatchObject({ code: 'MODEL_INVALID', retryable: true });
    await net.close();
  });

  it.each<[string, Partial<ModelManifest>, string]>([
    ['of another task', { task: 'helmet' }, 'it is a helmet, no lamp-state'],
    ['with other decoding', { decoding: { format: 'yunet', strides: [8] } }, 'class scores'],
    ['that lacks a label', { labels: { '0': 'off' } }, 'no label red'],
    ['whose tensors differ', { outputs: [{ name: 'other', dtype: 'float32', shape: SHAPE }] }, '"other"'],
    ['of another opset', { runtime: { kind: 'onnx', opset: 11 } }, 'opset 11 expected'],
  ])('refuses a model %s', async (_, parts, why) => {
    const opening = PatchClassifier.open(await aModel(parts), 'lamp-state', ['off', 'red']);
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(opening).rejects.toThrow(why);
  });

  it('refuses a file that is missing, another one, and rubbish of the right digest', async () => {
    const model = await aModel();
    const open = (file: { path: string; sha256: string }) =>
      PatchClassifier.open({ ...model, file }, 'lamp-state', ['off']);
    await expect(open({ ...model.file, path: `${model.file.path}.gone` })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
    await expect(open({ ...model.file, sha256: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'MODEL_DIGEST_MISMATCH',
    });
    const rubbish = new TextEncoder().encode('this is no network');
    await expect(
      PatchClassifier.open(await aModel({}, rubbish), 'lamp-state', ['off']),
    ).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});
