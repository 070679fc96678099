import type { ModelManifest } from '@ngatu/contract';
import { encodeOnnx, type WrittenNode, type WrittenWeight } from './onnx-writer.ts';

const STRIDES = [8, 16, 32] as const;

export interface YoloxModelOptions {
  readonly classes: number;
  /** Height and width of the input, px; free where it is left out. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly opset?: number;
  readonly input?: string;
  readonly output?: string;
}

/**
 * A network with the tensors of YOLOX, small enough to be written here. In the middle of every cell of every grid it finds a box as large as the
 * cell: objectness is the mean of the first plane there, confidence of an even class the mean of the second, of an odd class of the third, each
 * divided by 255. A class gets a thousandth less than that for each place it comes behind.
 */
export function aYoloxModel(options: YoloxModelOptions): Uint8Array {
  const { classes, size, opset = 11, input = 'images', output = 'output' } = options;
  const length = 5 + classes;
  const nodes: WrittenNode[] = [];
  const weights: WrittenWeight[] = [
    { name: 'kernel', shape: [length, 3, 1, 1], values: buildKernel(classes) },
    {
      name: 'bias',
      shape: [length],
      values: Array.from({ length }, (_, at) => (at < 2 ? 0.5 : at < 5 ? 0 : (5 - at) / 1000)),
    },
    { name: 'rows', shape: [3], values: [1, length, -1], dataType: 7 },
  ];
  for (const stride of STRIDES) {
    const [pooled, found, flat, rows] = ['pooled', 'found', 'flat', 'rows'].map(
      (part) => `${part}_${stride}`,
    );
    if (pooled === undefined || found === undefined || flat === undefined || rows === undefined) break;
    const pool = { kernel_shape: [stride, stride], strides: [stride, stride] };
    nodes.push(
      { type: 'AveragePool', inputs: [input], outputs: [pooled], attributes: pool },
      {
        type: 'Conv',
        inputs: [pooled, 'kernel', 'bias'],
        outputs: [found],
        attributes: { kernel_shape: [1, 1] },
      },
      { type: 'Reshape', inputs: [found, 'rows'], outputs: [flat] },
      { type: 'Transpose', inputs: [flat], outputs: [rows], attributes: { perm: [0, 2, 1] } },
    );
  }
  const rows = STRIDES.map((stride) => `rows_${stride}`);
  nodes.push({ type: 'Concat', inputs: rows, outputs: [output], attributes: { axis: 1 } });
  const [height, width] = size === undefined ? ['height', 'width'] : [size.height, size.width];
  return encodeOnnx({
    inputs: [{ name: input, shape: [1, 3, height, width] }],
    outputs: [{ name: output, shape: [1, size === undefined ? 'rows' : countRows(size), length] }],
    ...{ nodes, weights, opset },
  });
}

/** One row of three weights for each value of a row of the output. */
function buildKernel(classes: number): number[] {
  const none = [0, 0, 0];
  const share = 1 / 255;
  const of = (index: number): number[] => (index % 2 === 0 ? [0, share, 0] : [0, 0, share]);
  return [
    none,
    none,
    none,
    none,
    [share, 0, 0],
    ...Array.from({ length: classes }, (_, index) => of(index)),
  ].flat();
}

function countRows({ width, height }: { readonly width: number; readonly height: number }): number {
  return STRIDES.reduce((sum, stride) => sum + (width / stride) * (height / stride), 0);
}

/** The manifest of such a network; `changes` take the place of what stands in it. */
export function aYoloxManifest(
  options: YoloxModelOptions & {
    readonly name?: string;
    readonly sha256?: string;
    readonly sizeBytes?: number;
  },
  changes: Partial<ModelManifest> = {},
): ModelManifest {
  const { classes, size, opset = 11, input = 'images', output = 'output', name = 'm' } = options;
  const { sha256 = '0'.repeat(64), sizeBytes = 1 } = options;
  return {
    schemaVersion: 1,
    name,
    task: 'road-user-detector',
    purpose: 'A network of a test.',
    runtime: { kind: 'onnx', opset },
    files: [
      { fileName: `${name}.onnx`, sha256, sizeBytes, sources: [{ kind: 'beside', path: `${name}.onnx` }] },
    ],
    inputs: [
      {
        name: input,
        dtype: 'float32',
        shape: [1, 3, size?.height ?? 'height', size?.width ?? 'width'],
        layout: 'NCHW',
      },
    ],
    outputs: [
      {
        name: output,
        dtype: 'float32',
        shape: [1, size === undefined ? 'rows' : countRows(size), 5 + classes],
      },
    ],
    preprocessing: {
      ...{ colourOrder: 'bgr', mean: [0], std: [1], place: 'top-left', padValue: 114 },
      ...(size === undefined ? { fit: 'pad', sizeMultiple: 32 } : { fit: 'letterbox' }),
    },
    decoding: { format: 'yolox', classes, strides: [...STRIDES] },
    labels: { 0: 'person' },
    thresholds: {},
    licence: { spdx: 'CC0-1.0' },
    attribution: 'written by the test',
    ...changes,
  };
}
