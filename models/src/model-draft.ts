import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { type OnnxFacts, readOnnxFacts } from '@ngatu/edge';

/** A manifest with what an ONNX file says about itself; what only a person knows is left to be filled in. */
export interface ModelDraft {
  readonly [field: string]: unknown;
}

/** Names of free axes by their place, for pictures. */
const PICTURE_AXES = ['batch', 'channels', 'height', 'width'];

/**
 * A manifest to begin with. Fields that the file does not tell are `"…"`, so that `ngatu models check` refuses it until they are filled in; those
 * of YOLOX are filled in where the tensors are those of YOLOX.
 * @throws NgatuError FILE_UNREADABLE; MODEL_INVALID where it is no ONNX file
 */
export function draftModelManifest(path: string): ModelDraft {
  const bytes = readBytes(path);
  let facts: OnnxFacts;
  try {
    facts = readOnnxFacts(bytes);
  } catch (cause) {
    throw new NgatuError('MODEL_INVALID', `Cannot read ${path} as ONNX: ${errorMessage(cause)}`, { cause });
  }
  const fileName = basename(path);
  const isYolox = facts.inputs.length === 1 && facts.outputs.length === 1 && yoloxClassesOf(facts) > 0;
  return {
    schemaVersion: 1,
    name: basename(path, extname(path))
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, ''),
    task: isYolox ? 'road-user-detector' : '…',
    purpose: '…',
    runtime: { kind: 'onnx', opset: facts.opset },
    files: [
      {
        fileName,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        sizeBytes: bytes.length,
        sources: [{ kind: 'beside', path: fileName }],
      },
    ],
    inputs: facts.inputs.map((tensor) => describe(tensor, PICTURE_AXES, isYolox)),
    outputs: facts.outputs.map((tensor) => describe(tensor, ['batch', 'rows'], false)),
    ...(isYolox ? describeYolox(facts) : { preprocessing: '…', decoding: '…', labels: {} }),
    thresholds: {},
    licence: { doubt: '…' },
    attribution: '…',
  };
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
}

function describe(
  { name, dtype, shape = [] }: OnnxFacts['inputs'][number],
  axes: readonly string[],
  isPicture: boolean,
): object {
  const named = shape.map((length, at) => length ?? axes[at] ?? `axis${at}`);
  return { name, dtype, shape: named, ...(isPicture ? { layout: 'NCHW' } : {}) };
}

/** Classes of an output `[1, N, 5 + classes]` behind an input `[1, 3, H, W]`; 0 where these are not the tensors. */
function yoloxClassesOf({ inputs, outputs }: OnnxFacts): number {
  const [input, output] = [inputs[0]?.shape ?? [], outputs[0]?.shape ?? []];
  if (input.length !== 4 || input[1] !== 3 || output.length !== 3) return 0;
  return Math.max(0, (output[2] ?? 0) - 5);
}

function describeYolox(facts: OnnxFacts): object {
  const isFixed = facts.inputs[0]?.shape?.[3] !== undefined;
  const classes = yoloxClassesOf(facts);
  return {
    preprocessing: {
      ...{ colourOrder: 'bgr', mean: [0], std: [1] },
      ...(isFixed ? { fit: 'letterbox' } : { fit: 'pad', sizeMultiple: 32 }),
      ...{ place: 'top-left', padValue: 114 },
    },
    decoding: { format: 'yolox', classes, strides: [8, 16, 32] },
    labels:
      classes === 80 ? { 0: 'person', 1: 'bicycle', 2: 'car', 3: 'motorbike', 5: 'bus', 7: 'truck' } : {},
  };
}
