import type { UntrustedParser } from '@ngatu/contract';
import {
  decodeAizoo,
  decodeRfb,
  decodeYoloxFaces,
  decodeYunet,
  type NetOutputs,
} from '../mask/face-decoder.ts';

const PLACE = { width: 64, height: 64, columns: 64, rows: 64 };
const MIN_CONFIDENCE = 0.3;
/** Numbers of one tensor at most. */
const TENSOR_LENGTH = 512;

/** Any bytes as the numbers of all tensors: a network may say anything, also NaN and infinity, and too little. */
function readTensors(input: Uint8Array, names: readonly string[]): NetOutputs {
  const usable = input.length - (input.length % 4);
  const numbers = new Float32Array(new Uint8Array(input.subarray(0, usable)).buffer);
  return new Map(
    names.map((name, at) => [
      name,
      numbers.subarray((at * 16) % (numbers.length + 1)).slice(0, TENSOR_LENGTH),
    ]),
  );
}

const YUNET_NAMES = ['cls', 'obj', 'bbox', 'kps'].flatMap((part) =>
  [8, 16, 32].map((stride) => `${part}_${stride}`),
);

const faceOutputParser: UntrustedParser = {
  name: 'face-net-output',
  covers: [
    'edge/src/mask/face-decoder.ts#decodeYunet',
    'edge/src/mask/face-decoder.ts#decodeAizoo',
    'edge/src/mask/face-decoder.ts#decodeRfb',
    'edge/src/mask/face-decoder.ts#decodeYoloxFaces',
    'edge/src/model/yolox-grid.ts#decodeYoloxGrid',
  ],
  source: 'who may put a model and its digest before a node',
  form: 'binary',
  pace: 'process',
  open: async () => ({
    samples: [new Uint8Array(Float32Array.from({ length: 640 }, (_, at) => (at % 7) / 7).buffer)],
    extremes: [
      new Uint8Array(new Float32Array(256).fill(Number.NaN).buffer),
      new Uint8Array(new Float32Array(256).fill(3.4e38).buffer),
    ],
    parse: (input) => {
      const found = [
        ...decodeYunet(readTensors(input, YUNET_NAMES), PLACE, MIN_CONFIDENCE),
        ...decodeAizoo(readTensors(input, ['loc', 'cls']), PLACE, MIN_CONFIDENCE),
        ...decodeRfb(readTensors(input, ['scores', 'boxes']), PLACE, MIN_CONFIDENCE),
        ...decodeYoloxFaces(readTensors(input, ['output']), PLACE, MIN_CONFIDENCE),
      ];
      const isBroken = found.some(
        ({ box }) => !box.every(Number.isFinite) || box[2] <= box[0] || box[3] <= box[1],
      );
      if (isBroken) throw new RangeError('a box that is none was let through');
      return undefined;
    },
  }),
};

export const MASK_PARSERS: readonly UntrustedParser[] = [faceOutputParser];
