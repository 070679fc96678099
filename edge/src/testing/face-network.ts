import type { ModelManifest } from '@ngatu/contract';
import type { VerifiedNetwork } from '../model/model-file.ts';
import { encodeOnnx } from './onnx-writer.ts';
import { aYoloxManifest } from './yolox-model.ts';

const STRIDES = [8, 16, 32];
const SHAPE = [1, 3, 640, 640];

/** A network with the tensors of YuNet that finds nobody in a black picture: every output is its input. `changes` take the place of what stands in its manifest. */
export function aFaceNetwork(changes: Partial<ModelManifest> = {}, opset = 11): VerifiedNetwork {
  const names = ['cls', 'obj', 'bbox', 'kps'].flatMap((part) => STRIDES.map((stride) => `${part}_${stride}`));
  const outputs = names.map((name) => ({ name, shape: SHAPE }));
  const bytes = encodeOnnx({
    inputs: [{ name: 'input', shape: SHAPE }],
    outputs,
    nodes: names.map((name) => ({ type: 'Identity', inputs: ['input'], outputs: [name] })),
    opset,
  });
  const manifest = aYoloxManifest(
    { classes: 1, name: 'faces' },
    {
      task: 'face-detector',
      runtime: { kind: 'onnx', opset: 11 },
      inputs: [{ name: 'input', dtype: 'float32', shape: SHAPE, layout: 'NCHW' }],
      outputs: outputs.map((output) => ({ ...output, dtype: 'float32' })),
      preprocessing: { colourOrder: 'bgr', mean: [0], std: [1], fit: 'letterbox' },
      decoding: { format: 'yunet', strides: STRIDES },
      labels: { 0: 'face' },
      ...changes,
    },
  );
  return { manifest, sha256: 'ab'.repeat(32), bytes };
}

/** What may be said of it that is not so, and a word of the refusal. */
export const FACE_NETWORK_FAULTS: readonly [string, Partial<ModelManifest>, string][] = [
  ['of another opset', { runtime: { kind: 'onnx', opset: 12 } }, 'opset 12 expected, found 11'],
  ['of another task', { task: 'lamp-state' }, 'it is a lamp-state'],
  [
    'with other decoding',
    { decoding: { format: 'class-scores', classes: 2, activation: 'none' } },
    'class-scores',
  ],
  [
    'whose input differs',
    { inputs: [{ name: 'input', dtype: 'float32', shape: [1, 3, 320, 320] }] },
    '[1, 3, 320, 320] expected',
  ],
  [
    'whose outputs differ',
    { outputs: [{ name: 'cls_8', dtype: 'float32', shape: [1, 6400, 1] }] },
    '"cls_8"',
  ],
];
